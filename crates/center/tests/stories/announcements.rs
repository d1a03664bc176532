//! What waiting callers are told: their place, the wait to be expected, and that they have patience.

use crate::harness::{Story, house};
use tandem_center::agent::ChosenState;
use tandem_center::call::CallId;
use tandem_center::fact::FactKind;

const TELL: &str = "music = \"music\"\nannounce = [\"please-wait\"]\n\
    tell = { every_s = 20, prompts = [\"patience\"], place = [\"your-place\"], wait = [\"your-wait\"] }";

fn center() -> Story {
    Story::new(&house(&[("adele", ""), ("bianca", "starts = \"offline\"")], TELL, ""))
}

/// Conversations of so many seconds have been had, and adele talks on.
fn busy(seconds: u64) -> Story {
    let mut center = center();
    let [first] = center.callers();
    center.agent_answers("adele");
    center.pass(seconds);
    center.caller_hangs_up(first);
    center.callers::<1>();
    center.agent_answers("adele");
    center.commands();
    center
}

fn told(center: &mut Story, call: CallId) -> Vec<String> {
    let plays = center.commands().into_iter().filter_map(|command| match command {
        tandem_center::call::CallCommand::Play { call: of, prompts, .. } if of == call => {
            Some(prompts.join(" "))
        }
        _ => None,
    });
    plays.collect()
}

#[test]
fn the_place_is_told_at_intervals_and_then_the_music_goes_on() {
    let mut center = center();
    center.chooses("adele", ChosenState::Offline);
    let [first, second] = center.callers();
    center.prompts_end(second);
    center.commands();
    center.pass(19);
    assert_eq!(told(&mut center, second), [""; 0]);
    center.pass(1);
    assert_eq!(told(&mut center, second), ["patience your-place number.2"]);
    center.prompts_end(second);
    assert_eq!(told(&mut center, second), ["music"]);
    center.caller_hangs_up(first);
    center.pass(20);
    assert_eq!(told(&mut center, second), ["patience your-place number.1"]);
    assert!(matches!(
        center.last_fact("announced"),
        FactKind::Announced { position: Some(1), expected_us: None, .. }
    ));
}

#[test]
fn a_number_for_which_there_is_no_prompt_is_not_told() {
    let mut center = center();
    center.chooses("adele", ChosenState::Offline);
    let [.., fourth] = center.callers::<4>();
    center.commands();
    center.pass(20);
    assert_eq!(told(&mut center, fourth), ["patience"]);
    assert!(matches!(center.last_fact("announced"), FactKind::Announced { position: None, .. }));
}

#[test]
fn the_wait_to_be_expected_is_told_in_begun_minutes_once_it_is_known() {
    let mut center = busy(50);
    let [first, second, third] = center.callers();
    center.pass(20);
    let [first, second, third] = [first, second, third].map(|call| {
        let plays = center.commands.iter().filter_map(|command| match command {
            tandem_center::call::CallCommand::Play { call: of, prompts, .. } if *of == call => {
                Some(prompts.join(" "))
            }
            _ => None,
        });
        plays.collect::<Vec<_>>().pop().expect("something is told")
    });
    assert_eq!(first, "patience your-place number.1 your-wait number.1", "50 seconds");
    assert_eq!(second, "patience your-place number.2 your-wait number.2", "100 seconds");
    assert_eq!(third, "patience your-place number.3 your-wait number.3", "150 seconds");
}

#[test]
fn no_wait_is_told_while_nobody_is_at_work() {
    let mut center = busy(50);
    let [call] = center.callers();
    center.commands();
    center.chooses("adele", crate::harness::on_break());
    center.pass(20);
    assert_eq!(told(&mut center, call), ["patience your-place number.1"]);
}

#[test]
fn the_expected_wait_that_a_caller_is_told_never_grows() {
    let mut center = busy(100);
    center.chooses("bianca", ChosenState::Available);
    center.callers::<1>();
    center.agent_answers("bianca");
    let [call] = center.callers();
    center.commands();
    center.pass(20);
    assert_eq!(told(&mut center, call), ["patience your-place number.1 your-wait number.1"], "50 seconds");
    center.chooses("bianca", ChosenState::Offline);
    for _ in 0..10 {
        center.pass(20);
        let told = told(&mut center, call);
        assert_eq!(told, ["patience your-place number.1 your-wait number.1"], "although 100 are left");
    }
}

#[test]
fn who_is_being_rung_for_is_told_as_well_and_nobody_after_the_answer() {
    let mut center = Story::new(&house(&[("adele", "")], &format!("{TELL}\nring_timeout_s = 30"), ""));
    let [call] = center.callers();
    center.commands();
    center.pass(20);
    assert_eq!(told(&mut center, call), ["patience your-place number.1"]);
    center.agent_answers("adele");
    center.pass(40);
    assert_eq!(told(&mut center, call), [""; 0]);
}

#[test]
fn who_is_being_asked_something_is_not_interrupted() {
    let queue = format!(
        "{TELL}\noverflow = [{{ after_s = 19, then = {{ callback = true }} }}]\ncallback = {{ offer = [\"call-you-back\"] }}"
    );
    let mut center = Story::new(&house(&[], &queue, ""));
    let [call] = center.callers();
    center.commands();
    center.pass(20);
    assert_eq!(told(&mut center, call), ["call-you-back"]);
    center.prompts_end(call);
    center.press_nothing(call);
    center.commands();
    center.pass(20);
    assert_eq!(told(&mut center, call), ["patience your-place number.1"]);
}

#[test]
fn each_queue_has_its_own_music() {
    let sales = "[[queues]]\nid = \"sales\"\nname = \"Sales\"\nannounce = [\"welcome\"]\n";
    let queue = "music = \"music\"\noverflow = [{ after_s = 10, then = { queue = \"sales\" } }]";
    let mut center = Story::new(&house(&[], queue, sales));
    let [call] = center.callers();
    assert_eq!(told(&mut center, call), ["music"]);
    center.pass(10);
    assert_eq!(told(&mut center, call), ["welcome"]);
    center.prompts_end(call);
    assert_eq!(told(&mut center, call), [""; 0], "sales has no music");
}
