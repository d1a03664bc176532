//! The published tables of Erlang B, C and A.

use tandem_metrics::erlang::{
    Load, LoadFault, Steady, Target, blocking, patient, scheduled, staff_patient, staff_waiting, waiting,
};

use crate::digits::assert_digits;

#[test]
fn erlang_b_and_c_as_published() {
    // Calls, period, handle time, agents, threshold; Erlang B, Erlang C, service level, speed of answer,
    // occupancy.
    let rows = [
        (
            100.0,
            1800.0,
            180.0,
            14,
            20.0,
            ["0.0568191433865", "0.174131933595", "0.888350019179", "7.83593701178", "0.714285714286"],
        ),
        (
            360.0,
            1800.0,
            240.0,
            55,
            15.0,
            ["0.0383742806878", "0.238700936378", "0.845883092171", "8.18403210439", "0.872727272727"],
        ),
        (
            30.0,
            1800.0,
            240.0,
            6,
            20.0,
            ["0.117162471396", "0.284760845384", "0.758955148418", "34.1713014461", "0.666666666667"],
        ),
        (
            200.0,
            1800.0,
            240.0,
            30,
            20.0,
            ["0.0766682796135", "0.427691527545", "0.676038582174", "30.7937899832", "0.888888888889"],
        ),
        (
            50.0,
            1800.0,
            300.0,
            11,
            30.0,
            ["0.0939631617037", "0.299619350037", "0.770513049084", "33.7071768792", "0.757575757576"],
        ),
        (
            1000.0,
            3600.0,
            360.0,
            105,
            20.0,
            ["0.0482607706612", "0.515707426812", "0.609369607734", "37.1309347305", "0.952380952381"],
        ),
        (
            7000.0,
            3600.0,
            504.0,
            1000,
            20.0,
            ["0.0138312101291", "0.412200292365", "0.813606769583", "10.3874473676", "0.98"],
        ),
        (
            10.0,
            3600.0,
            600.0,
            3,
            60.0,
            ["0.159846547315", "0.299760191847", "0.737657877985", "134.892086331", "0.555555555556"],
        ),
        (1.0, 3600.0, 1800.0, 1, 60.0, ["0.333333333333", "0.5", "0.508264273089", "1800", "0.5"]),
    ];
    for (calls, period, handle, agents, within, printed) in rows {
        let load = Load::per_period(calls, period, handle);
        assert_digits(blocking(load, agents).unwrap(), printed[0]);
        let Steady::Steady(queue) = waiting(load, agents, within).unwrap() else { panic!("unstable") };
        assert_digits(queue.wait_probability, printed[1]);
        assert_digits(queue.service_level, printed[2]);
        assert_digits(queue.speed_of_answer_s, printed[3]);
        assert_digits(queue.occupancy, printed[4]);
        let by_little = load.arrivals_per_s * queue.speed_of_answer_s;
        assert!((queue.queue_length - by_little).abs() < 1e-9);
    }
}

#[test]
fn exact_fractions() {
    let load = |erlangs: f64| Load { arrivals_per_s: erlangs, handle_s: 1.0 };
    let busy = |erlangs, agents| blocking(load(erlangs), agents).unwrap();
    let waits = |erlangs, agents| match waiting(load(erlangs), agents, 0.0).unwrap() {
        Steady::Steady(queue) => queue.wait_probability,
        Steady::Unstable => panic!("unstable"),
    };
    assert!((busy(1.0, 1) - 0.5).abs() < 1e-15);
    assert!((busy(2.0, 3) - 4.0 / 19.0).abs() < 1e-15);
    assert!((waits(2.0, 3) - 4.0 / 9.0).abs() < 1e-15);
    assert_digits(busy(10.0, 10), "0.214582343107");
    assert_digits(busy(10.0, 15), "0.0364969454724");
    assert_digits(waits(10.0, 15), "0.102042367007988");
}

#[test]
fn a_queue_with_too_few_agents_has_no_mean_wait() {
    let load = Load::per_period(100.0, 1800.0, 180.0);
    assert_eq!(waiting(load, 10, 20.0), Ok(Steady::Unstable));
    assert_eq!(waiting(load, 0, 20.0), Ok(Steady::Unstable));
}

#[test]
fn the_fewest_agents_for_a_target() {
    // Calls in 30 minutes, handle time, share, threshold; agents, service level, the same with one less,
    // wait, occupancy.
    let rows = [
        (20.0, 180.0, 0.80, 20.0, 4, ["0.860741321", "0.602293637", "15.6521739", "0.500000"]),
        (50.0, 180.0, 0.80, 20.0, 8, ["0.880148311", "0.740441012", "10.0359904", "0.625000"]),
        (100.0, 180.0, 0.80, 20.0, 14, ["0.888350019", "0.795594788", "7.8359370", "0.714286"]),
        (200.0, 180.0, 0.80, 20.0, 24, ["0.808881887", "0.702111011", "13.4132535", "0.833333"]),
        (500.0, 180.0, 0.80, 20.0, 56, ["0.841175546", "0.779364661", "9.2804339", "0.892857"]),
        (100.0, 300.0, 0.80, 20.0, 21, ["0.826344289", "0.729250851", "16.0491146", "0.793651"]),
        (100.0, 300.0, 0.90, 10.0, 23, ["0.918514967", "0.870388584", "4.7670658", "0.724638"]),
        (100.0, 300.0, 0.95, 30.0, 24, ["0.969445731", "0.946579363", "2.6024018", "0.694444"]),
        (1000.0, 300.0, 0.80, 20.0, 176, ["0.802830658", "0.762608255", "11.8073257", "0.946970"]),
    ];
    for (calls, handle, share, within, agents, printed) in rows {
        let load = Load::per_period(calls, 1800.0, handle);
        let target = Target { service_level: Some((share, within)), ..Target::default() };
        let staffing = staff_waiting(load, &target).unwrap().unwrap();
        assert_eq!(staffing.agents, agents);
        assert_digits(staffing.queue.service_level, printed[0]);
        let Steady::Steady(fewer) = waiting(load, agents - 1, within).unwrap() else { panic!("unstable") };
        assert_digits(fewer.service_level, printed[1]);
        assert_digits(staffing.queue.speed_of_answer_s, printed[2]);
        assert_digits(staffing.queue.occupancy, printed[3]);
    }
}

#[test]
fn people_are_planned_in_whole_numbers_and_upwards() {
    assert_eq!(scheduled(14, 0.3), Some(20));
    assert_eq!(scheduled(15, 0.3), Some(22));
    assert_eq!(scheduled(14, 0.0), Some(14));
    assert_eq!(scheduled(14, 1.0), None);
    assert_eq!(scheduled(14, f64::NAN), None);
}

#[test]
fn erlang_a_as_published() {
    // Calls, period, handle time, patience, agents, threshold; waits, abandons, answered within, abandoned
    // within, mean wait, speed of answer, occupancy.
    type Row = (f64, f64, f64, f64, u32, f64, [&'static str; 7]);
    let rows: [Row; 8] = [
        (
            100.0,
            1800.0,
            180.0,
            120.0,
            10,
            20.0,
            [
                "0.496852747630",
                "0.137463826276",
                "0.639941307036",
                "0.0650410373938",
                "16.4956591532",
                "14.5542296554",
                "0.862536173724",
            ],
        ),
        (
            100.0,
            1800.0,
            180.0,
            120.0,
            12,
            20.0,
            [
                "0.279807018645",
                "0.0615973770037",
                "0.825582644362",
                "0.0340046501345",
                "7.39168524044",
                "6.33477417282",
                "0.782002185830",
            ],
        ),
        (
            100.0,
            1800.0,
            180.0,
            120.0,
            14,
            20.0,
            [
                "0.126976340080",
                "0.0228392865318",
                "0.932729580698",
                "0.0142570348088",
                "2.74071438382",
                "2.34537523415",
                "0.697971938192",
            ],
        ),
        (
            100.0,
            1800.0,
            180.0,
            60.0,
            10,
            20.0,
            [
                "0.423417674948",
                "0.157526871491",
                "0.718010188122",
                "0.0972202224660",
                "9.45161228945",
                "7.49446974078",
                "0.842473128509",
            ],
        ),
        (
            360.0,
            1800.0,
            240.0,
            180.0,
            48,
            15.0,
            [
                "0.484820977389",
                "0.0615922100455",
                "0.685630219579",
                "0.0316238609949",
                "11.0865978082",
                "10.5834835584",
                "0.938407789955",
            ],
        ),
        (
            360.0,
            1800.0,
            240.0,
            180.0,
            55,
            15.0,
            [
                "0.163806446201",
                "0.0143466788188",
                "0.922525247362",
                "0.00923381344543",
                "2.58240218739",
                "2.41879376008",
                "0.860206534849",
            ],
        ),
        (
            200.0,
            1800.0,
            240.0,
            300.0,
            25,
            20.0,
            [
                "0.684083529272",
                "0.107053865360",
                "0.460504186265",
                "0.0394039322277",
                "32.1161596079",
                "31.5012115818",
                "0.952475876950",
            ],
        ),
        (
            1000.0,
            3600.0,
            360.0,
            120.0,
            100,
            20.0,
            [
                "0.383282524678",
                "0.0505093745999",
                "0.842804513662",
                "0.0393042858422",
                "6.06112495199",
                "5.69258975438",
                "0.949490625400",
            ],
        ),
    ];
    for (calls, period, handle, patience, agents, within, printed) in rows {
        let load = Load::per_period(calls, period, handle);
        let queue = patient(load, agents, patience, within).unwrap();
        assert_digits(queue.wait_probability, printed[0]);
        assert_digits(queue.abandonment, printed[1]);
        assert_digits(queue.answered_within, printed[2]);
        assert_digits(queue.abandoned_within, printed[3]);
        assert_digits(queue.wait_s, printed[4]);
        assert_digits(queue.speed_of_answer_s, printed[5]);
        assert_digits(queue.occupancy, printed[6]);
        assert!(queue.sl2() <= queue.sl3() && queue.sl3() <= queue.sl1() && queue.sl3() <= queue.sl4());
    }
}

#[test]
fn with_patience_as_long_as_the_work_nobody_notices_how_many_agents_there_are() {
    let load = Load { arrivals_per_s: 10.0 / 180.0, handle_s: 180.0 };
    let queue = patient(load, 12, 180.0, 20.0).unwrap();
    assert_digits(queue.wait_probability, "0.303223853696893");
}

#[test]
fn with_endless_patience_it_becomes_erlang_c() {
    let load = Load::per_period(100.0, 1800.0, 180.0);
    let queue = patient(load, 14, 1e9, 20.0).unwrap();
    assert_digits(queue.wait_probability, "0.17413191741643");
    let Steady::Steady(limit) = waiting(load, 14, 20.0).unwrap() else { panic!("unstable") };
    assert!((queue.answered_within - limit.service_level).abs() < 1e-6);
    assert!((queue.speed_of_answer_s - limit.speed_of_answer_s).abs() < 1e-4);
}

#[test]
fn staffing_with_two_limits() {
    // Calls in 30 minutes, handle time, patience; agents, SL2, abandonment, mean wait, occupancy.
    let rows = [
        (100.0, 180.0, 120.0, 13, ["0.888550499", "0.038426375", "4.61116498", "0.739672019"]),
        (360.0, 240.0, 180.0, 50, ["0.813349034", "0.043009783", "7.74176094", "0.918710608"]),
        (500.0, 180.0, 120.0, 52, ["0.868245348", "0.043904097", "5.26849164", "0.919322984"]),
        (1000.0, 300.0, 120.0, 164, ["0.871622785", "0.046752466", "5.61029596", "0.968747494"]),
    ];
    let target = Target { service_level: Some((0.8, 20.0)), abandonment: Some(0.05), ..Target::default() };
    for (calls, handle, patience, agents, printed) in rows {
        let load = Load::per_period(calls, 1800.0, handle);
        let staffing = staff_patient(load, patience, &target).unwrap().unwrap();
        assert_eq!(staffing.agents, agents);
        assert_digits(staffing.queue.answered_within, printed[0]);
        assert_digits(staffing.queue.abandonment, printed[1]);
        assert_digits(staffing.queue.wait_s, printed[2]);
        assert_digits(staffing.queue.occupancy, printed[3]);
    }
}

#[test]
fn callers_who_give_up_need_fewer_agents_than_callers_who_never_do() {
    let load = Load::per_period(100.0, 1800.0, 180.0);
    let target = Target { service_level: Some((0.8, 20.0)), ..Target::default() };
    assert_eq!(staff_waiting(load, &target).unwrap().unwrap().agents, 14);
    let staffing = staff_patient(load, 120.0, &target).unwrap().unwrap();
    assert_eq!(staffing.agents, 12);
    assert_digits(staffing.queue.answered_within, "0.825582644362");
}

#[test]
fn extremes_are_numbers_or_faults_and_never_neither() {
    let loads = [1e-9, 1e-3, 1.0, 700.0, 5_000.0, 100_000.0];
    for erlangs in loads {
        let load = Load { arrivals_per_s: erlangs / 200.0, handle_s: 200.0 };
        for agents in [1, 10, 1_000, 5_100] {
            for patience in [1e-3, 100.0, 1e9] {
                let Ok(queue) = patient(load, agents, patience, 20.0) else { continue };
                let shares = [
                    queue.wait_probability,
                    queue.abandonment,
                    queue.answered_within,
                    queue.abandoned_within,
                    queue.sl4(),
                ];
                for share in shares {
                    assert!(
                        (-1e-9..=1.0 + 1e-9).contains(&share),
                        "{erlangs} {agents} {patience}: {queue:?}"
                    );
                }
                assert!(queue.speed_of_answer_s.is_finite() && queue.wait_s.is_finite());
                assert!(queue.answered_within <= 1.0 - queue.abandonment + 1e-9, "{queue:?}");
                assert!(queue.abandoned_within <= queue.abandonment + 1e-9, "{queue:?}");
            }
        }
    }
    let load = |arrivals_per_s, handle_s| Load { arrivals_per_s, handle_s };
    assert_eq!(patient(load(0.0, 100.0), 1, 100.0, 20.0), Err(LoadFault::NotPositive));
    assert_eq!(patient(load(f64::NAN, 100.0), 1, 100.0, 20.0), Err(LoadFault::NotPositive));
    assert_eq!(patient(load(1e9, 100.0), 1, 100.0, 20.0), Err(LoadFault::TooMuch));
    assert_eq!(patient(load(1_000.0, 100.0), 1, 1e12, 20.0), Err(LoadFault::TooMuch));
    assert_eq!(patient(load(1.0, 100.0), 1, 0.0, 20.0), Err(LoadFault::NoPatience));
    assert_eq!(patient(load(1.0, 100.0), 0, 100.0, 20.0), Err(LoadFault::NoAgents));
}

#[test]
fn more_agents_and_more_time_never_make_it_worse() {
    let load = Load::per_period(100.0, 1800.0, 180.0);
    for agents in 11..40 {
        let level = |agents, within| match waiting(load, agents, within).unwrap() {
            Steady::Steady(queue) => queue.service_level,
            Steady::Unstable => panic!("unstable"),
        };
        assert!(level(agents + 1, 20.0) >= level(agents, 20.0));
        assert!(level(agents, 30.0) >= level(agents, 20.0));
        let with = |agents, within| patient(load, agents, 120.0, within).unwrap();
        assert!(with(agents + 1, 20.0).answered_within >= with(agents, 20.0).answered_within);
        assert!(with(agents, 30.0).answered_within >= with(agents, 20.0).answered_within);
    }
}

#[test]
fn callers_who_are_very_patient_can_be_staffed_for() {
    let load = Load { arrivals_per_s: 10.0, handle_s: 200.0 };
    let target = Target { service_level: Some((0.8, 20.0)), ..Target::default() };
    let patient = staff_patient(load, 1e8, &target).unwrap().unwrap();
    let endless = staff_waiting(load, &target).unwrap().unwrap();
    assert_eq!(patient.agents, endless.agents);
}
