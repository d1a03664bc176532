//! Whoever moves on keeps the whole wait, and with it the place among those who wait elsewhere.

use crate::harness::{Story, house};
use tandem_center::agent::ChosenState;
use tandem_center::call::{Arrival, CallId};
use tandem_center::fact::FactKind;
use tandem_center::supervise::WorkAct;

fn center(queue: &str) -> Story {
    let agents = [("adele", ""), ("bianca", "queues = [\"sales\"]\nstarts = \"break\"")];
    let rest = "[[queues]]\nid = \"sales\"\nname = \"Sales\"\nwrap_up_s = 0\n\
                [[numbers]]\ndialled = \"+14255550198\"\nflow = \"sales\"\n\
                [flows.sales]\nstart = \"sales\"\n[flows.sales.steps.sales]\nenqueue = \"sales\"\n";
    Story::new(&house(&agents, queue, rest))
}

fn for_sales(center: &mut Story) -> CallId {
    let arrival = crate::harness::arrival(CallId(0), "carrier", "+14255550198");
    center.arrives(Arrival { from: crate::harness::customer(500), ..arrival })
}

fn entered(center: &Story) -> (Option<u64>, u32) {
    match center.last_fact("queue_entered") {
        FactKind::QueueEntered { waiting_since, ahead, .. } => {
            (waiting_since.map(|since| center.now.micros_since(since) / 1_000_000), *ahead)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn after_an_overflow() {
    let mut center = center("overflow = [{ after_s = 60, then = { queue = \"sales\" } }]");
    center.chooses("adele", ChosenState::Offline);
    let [call] = center.callers();
    center.pass(30);
    let newer = for_sales(&mut center);
    center.pass(30);
    assert_eq!(entered(&center), (Some(60), 1));
    assert_eq!(center.waiting("sales"), [call, newer]);
    center.chooses("bianca", ChosenState::Available);
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
}

#[test]
fn after_a_move() {
    let mut center = center("");
    center.chooses("adele", ChosenState::Offline);
    let [call] = center.callers();
    center.pass(30);
    let newer = for_sales(&mut center);
    center.pass(5);
    let interaction = center.id(call);
    center.wants(WorkAct::Move { interaction, queue: "sales".into() });
    assert_eq!(entered(&center), (Some(35), 1));
    assert_eq!(center.waiting("sales"), [call, newer]);
}

#[test]
fn after_a_transfer_to_a_queue_the_time_with_the_agent_not_counted() {
    let mut center = center("");
    center.chooses("adele", ChosenState::Offline);
    let [call] = center.callers();
    center.pass(40);
    center.chooses("adele", ChosenState::Available);
    center.agent_answers("adele");
    center.pass(100);
    let newer = for_sales(&mut center);
    center.pass(30);
    let latest = for_sales(&mut center);
    let interaction = center.id(call);
    center.wants(WorkAct::Move { interaction, queue: "sales".into() });
    assert_eq!(entered(&center), (Some(40), 2));
    assert_eq!(center.waiting("sales"), [call, newer, latest], "40 seconds, 30 and none");
}

#[test]
fn over_several_moves_there_and_back() {
    let mut center = center("");
    center.chooses("adele", ChosenState::Offline);
    let [call] = center.callers();
    let interaction = center.id(call);
    for queue in ["sales", "support", "sales", "support"] {
        center.pass(10);
        center.wants(WorkAct::Move { interaction, queue: queue.into() });
    }
    assert_eq!(entered(&center), (Some(40), 0));
}

#[test]
fn over_a_flow_between_two_queues_which_is_no_wait() {
    let queue = "max_wait_s = 20";
    let mut center = center(queue);
    center.chooses("adele", ChosenState::Offline);
    let agents = [("adele", "starts = \"offline\"")];
    let again = house(&agents, queue, "").replace(
        "play = [\"sorry\"]",
        "play = [\"sorry\"]\nthen = \"again\"\n[flows.main.steps.again]\nenqueue = \"support\"",
    );
    center.configure(&again);
    let [call] = center.callers();
    center.pass(20);
    center.pass(7);
    center.prompts_end(call);
    assert_eq!(entered(&center), (Some(20), 0));
}

#[test]
fn the_terms_belong_to_the_queue_and_the_importance_to_the_caller() {
    let agents = [("adele", ""), ("bianca", "queues = [\"sales\"]\nskills = { french = 1 }")];
    let rest = "[[queues]]\nid = \"sales\"\nname = \"Sales\"\nskills = { french = 1 }\npriority = 5\n";
    let config = house(&agents, "overflow = [{ after_s = 10, then = { queue = \"sales\" } }]", rest)
        .replace("enqueue = \"support\"", "enqueue = \"support\"\nasks = { priority = 2, vip = true }");
    let mut center = Story::new(&config);
    center.chooses("adele", ChosenState::Offline);
    center.callers::<1>();
    center.pass(10);
    match center.last_fact("queue_entered") {
        FactKind::QueueEntered { priority, vip, terms, .. } => {
            assert_eq!((*priority, *vip, terms.requirement(0).skills.len()), (2, true, 1));
        }
        other => panic!("{other:?}"),
    }
}
