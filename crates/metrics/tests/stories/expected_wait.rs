//! The published values of the estimators, and the score of what was announced.

use tandem_center::Timestamp;
use tandem_metrics::expected_wait::{
    Announcements, Happened, Line, MovingAverage, Observed, WholeMovingAverage, by_ready_agents,
};
use tandem_metrics::metric::Quotient;

use crate::digits::assert_digits;

fn line(agents: f64, handle_s: f64, patience_s: Option<f64>) -> Line {
    Line { handle_s, agents, patience_s }
}

#[test]
fn by_position() {
    let line = line(10.0, 180.0, None);
    assert_digits(line.by_position(4, 0.0).unwrap(), "90");
    assert_digits(line.by_position(4, 0.08).unwrap(), "82.8");
}

#[test]
fn by_ready_and_active_agents() {
    assert_digits(by_ready_agents(180.0, 7, 2, 12, 0.5).unwrap(), "150");
    assert_eq!(by_ready_agents(180.0, 1, 2, 0, 0.5), Some(0.0));
    assert_eq!(by_ready_agents(180.0, 1, 0, 0, 0.5), None);
}

#[test]
fn the_moving_average() {
    let waits = [20, 40, 60, 10, 0, 100];
    let mut average = MovingAverage::default();
    let mut whole = WholeMovingAverage::default();
    let steps: Vec<(f64, u64)> = waits
        .iter()
        .map(|wait| {
            average.add(f64::from(*wait));
            whole.add(u64::from(*wait as u32));
            (average.seconds, whole.seconds)
        })
        .collect();
    let expected = [5.0, 13.75, 25.3125, 21.484375, 16.11328125, 37.0849609375];
    assert_eq!(steps.iter().map(|(average, _)| *average).collect::<Vec<_>>(), expected);
    assert_eq!(steps.iter().map(|(_, whole)| *whole).collect::<Vec<_>>(), [5, 13, 24, 20, 15, 36]);
}

#[test]
fn what_the_queue_itself_shows() {
    let mut observed = Observed::default();
    assert_eq!(observed.last_answered_us, None);
    observed.answered(40_000_000);
    assert_eq!(observed.last_answered_us, Some(40_000_000));
    let entered = [600, 650].map(|second| Timestamp::from_micros(second * 1_000_000));
    let now = Timestamp::from_micros(655_000_000);
    assert_eq!(Observed::head_of_line_us(entered, now), 55_000_000);
    assert_eq!(Observed::head_of_line_us([], now), 0);
}

#[test]
fn by_the_state_of_the_line() {
    assert_digits(line(10.0, 180.0, None).by_state(4).unwrap(), "90");
    assert_digits(line(10.0, 180.0, Some(120.0)).by_state(4).unwrap(), "71.1621208626456");
    assert_digits(line(10.0, 180.0, Some(120.0)).by_state(9).unwrap(), "115.543399813668");
    assert_digits(line(25.0, 240.0, Some(300.0)).by_state(12).unwrap(), "105.773798381525");
}

#[test]
fn a_range_rather_than_a_number() {
    let line = line(10.0, 180.0, None);
    let within = [
        (60.0, "0.243505811858"),
        (90.0, "0.559506714935"),
        (120.0, "0.794372753325"),
        (180.0, "0.970747311923"),
    ];
    for (seconds, printed) in within {
        assert_digits(line.within(4, seconds).unwrap(), printed);
    }
    for (probability, printed) in [(0.5, "84.0763598903"), (0.8, "120.977618175"), (0.9, "143.884612549")] {
        assert_digits(line.quantile(4, probability).unwrap(), printed);
    }
}

#[test]
fn long_lines_have_ranges_too() {
    let line = line(500.0, 180.0, None);
    for ahead in [0, 10, 300, 5_000, 100_000] {
        let median = line.quantile(ahead, 0.5).unwrap();
        let mean = line.by_state(ahead).unwrap();
        assert!(median < mean && median > mean * 0.6, "{ahead}: {median} {mean}");
        assert!((line.within(ahead, median).unwrap() - 0.5).abs() < 1e-6, "{ahead}");
    }
}

#[test]
fn without_agents_the_wait_is_unknown() {
    for agents in [0.0, -1.0, f64::NAN] {
        let line = line(agents, 180.0, None);
        assert_eq!(line.by_position(4, 0.0), None);
        assert_eq!(line.by_state(4), None);
        assert_eq!(line.within(4, 60.0), None);
        assert_eq!(line.quantile(4, 0.5), None);
    }
    assert_eq!(line(1.0, 180.0, None).quantile(4, 1.0), None);
}

#[test]
fn announced_waits_are_scored_against_what_happened() {
    let mut score = Announcements::default();
    score.score(60, Happened::Answered(80));
    score.score(60, Happened::Answered(50));
    score.score(60, Happened::Left(70));
    score.score(60, Happened::Left(10));
    assert_eq!(score.mean_error_us(), Some(5.0));
    assert_eq!(score.mean_absolute_error(), Quotient::new(30, 2));
    assert_eq!(score.longer(), Quotient::new(2, 3));
    assert_eq!(score.unknown, 1);
    let mut both = score;
    both.merge(&score);
    assert_eq!(both.longer(), Quotient::new(4, 6));
    assert_eq!(Announcements::default().mean_error_us(), None);
}
