//! What people who lead a center want of it, and what is refused.

use crate::harness::{Story, house, on_break};
use tandem_center::Input;
use tandem_center::agent::{AgentAct, AgentCommand, AgentState, ChosenState, Who};
use tandem_center::call::{CallCommand, CallId, CauseKind, Removal, TransferOutcome};
use tandem_center::fact::{EndedBy, FactKind, OfferOutcome, Outcome, QueueExit};
use tandem_center::id::InteractionId;
use tandem_center::supervise::{Refusal, RefusalReason, Subject, WorkAct, WorkCommand};

const SALES: &str = "[[queues]]\nid = \"sales\"\nname = \"Sales\"\nwrap_up_s = 0\n";

fn config() -> String {
    let agents = [
        ("adele", ""),
        ("bianca", "starts = \"break\""),
        ("sally", "queues = [\"sales\"]\nstarts = \"break\""),
    ];
    house(&agents, "", SALES)
}

/// One caller waits, and nobody is there.
fn waiting() -> (Story, CallId, InteractionId) {
    let mut center = Story::new(&config());
    center.chooses("adele", on_break());
    let [call] = center.callers();
    let id = center.id(call);
    (center, call, id)
}

fn to(interaction: InteractionId, queue: &str) -> WorkAct {
    WorkAct::Move { interaction, queue: queue.into() }
}

fn assign(interaction: InteractionId, agent: &str) -> WorkAct {
    WorkAct::Assign { interaction, agent: agent.into() }
}

fn priority(interaction: InteractionId, priority: u8, vip: bool) -> WorkAct {
    WorkAct::Prioritise { interaction, priority, vip }
}

#[test]
fn who_waits_is_moved() {
    let (mut center, call, id) = waiting();
    center.wants(to(id, "sales"));
    assert_eq!(center.waiting("sales"), [call]);
    assert!(matches!(center.last_fact("queue_left"), FactKind::QueueLeft { reason: QueueExit::Moved, .. }));
    center.chooses("sally", ChosenState::Available);
    assert_eq!(center.rung_for(call).as_deref(), Some("sally"));
}

#[test]
fn who_is_being_rung_for_is_moved_and_the_agent_has_missed_nothing() {
    let (mut center, call, id) = waiting();
    center.chooses("adele", ChosenState::Available);
    center.wants(to(id, "sales"));
    assert_eq!(center.waiting("sales"), [call]);
    assert!(center.is_available("adele"));
    assert!(matches!(
        center.last_fact("offer_ended"),
        FactKind::OfferEnded { outcome: OfferOutcome::CallerMoved, .. }
    ));
}

#[test]
fn who_talks_is_taken_from_the_agent_and_waits_elsewhere() {
    let (mut center, call, id) = waiting();
    center.chooses("adele", ChosenState::Available);
    center.agent_answers("adele");
    center.pass(30);
    center.commands();
    center.wants(to(id, "sales"));
    assert!(
        center
            .commands()
            .iter()
            .any(|command| { matches!(command, CallCommand::RemoveParty { reason: Removal::Finished, .. }) })
    );
    assert!(matches!(
        center.last_fact("conversation_ended"),
        FactKind::ConversationEnded { by: EndedBy::Transfer, talked_us: 30_000_000, .. }
    ));
    assert_eq!(center.waiting("sales"), [call]);
    assert!(center.is_available("adele"));
    center.chooses("sally", ChosenState::Available);
    center.agent_answers("sally");
    center.caller_hangs_up(call);
    assert_eq!(center.outcome(call), Outcome::Handled);
}

#[test]
fn a_closed_or_full_queue_lets_in_who_is_moved() {
    for queue in
        ["closed = true\nwhen_closed = { hang_up = true }", "max_waiting = 0\nwhen_full = { hang_up = true }"]
    {
        let mut center =
            Story::new(&house(&[("adele", "starts = \"break\"")], "", &format!("{SALES}{queue}")));
        let [call] = center.callers();
        let id = center.id(call);
        center.wants(to(id, "sales"));
        assert_eq!(center.waiting("sales"), [call], "{queue}");
    }
}

#[test]
fn nobody_is_moved_who_does_not_wait_or_waits_there_or_to_where_there_is_nothing() {
    let (mut center, call, id) = waiting();
    assert_eq!(center.is_refused(to(id, "support")), RefusalReason::SameQueue);
    assert_eq!(center.is_refused(to(id, "garden")), RefusalReason::UnknownQueue);
    assert_eq!(center.is_refused(to(InteractionId(99), "sales")), RefusalReason::UnknownInteraction);
    assert_eq!(center.is_refused(to(InteractionId(1), "sales")), RefusalReason::UnknownInteraction);
    center.wants(to(id, "sales"));
    assert_eq!(center.is_refused(to(id, "sales")), RefusalReason::SameQueue, "told twice");
    center.caller_hangs_up(call);
    assert_eq!(center.is_refused(to(id, "support")), RefusalReason::UnknownInteraction, "too late");
}

#[test]
fn nobody_is_moved_while_being_handed_over_or_in_a_wrap_up() {
    let config = config().replace("wrap_up_s = 0", "wrap_up_s = 30");
    let mut center = Story::new(&config);
    let [call] = center.callers();
    let id = center.id(call);
    center.agent_answers("adele");
    center.agent_asks_transfer("adele", 1);
    assert_eq!(center.is_refused(to(id, "sales")), RefusalReason::NotWaiting);
    center.transfer_ends(call, TransferOutcome::Failed);
    center.caller_hangs_up(call);
    assert_eq!(center.is_refused(to(id, "sales")), RefusalReason::NotWaiting);
}

#[test]
fn who_waits_is_given_another_priority() {
    let (mut center, first, _) = waiting();
    center.pass(100);
    let [second] = center.callers();
    let id = center.id(second);
    center.wants(priority(id, 2, false));
    assert_eq!(center.waiting("support"), [first, second], "a minute is not enough");
    center.wants(priority(id, 1, false));
    assert_eq!(center.waiting("support"), [second, first]);
    assert_eq!(center.is_refused(priority(id, 1, false)), RefusalReason::AlreadySo);
    center.wants(priority(id, 3, false));
    assert_eq!(center.waiting("support"), [first, second]);
    center.wants(priority(id, 5, true));
    assert_eq!(center.waiting("support"), [second, first]);
    assert!(matches!(center.last_fact("prioritised"), FactKind::Prioritised { vip: true, why: Some(_), .. }));
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.rung_for(second).as_deref(), Some("adele"));
}

#[test]
fn a_priority_that_does_not_exist_or_of_nobody_who_waits_is_refused() {
    let (mut center, call, id) = waiting();
    for odd in [0, 6, 255] {
        assert_eq!(center.is_refused(priority(id, odd, false)), RefusalReason::NoSuchPriority);
    }
    center.chooses("adele", ChosenState::Available);
    center.agent_answers("adele");
    assert_eq!(center.is_refused(priority(id, 1, false)), RefusalReason::NotWaiting);
    center.caller_hangs_up(call);
    assert_eq!(center.is_refused(priority(id, 1, false)), RefusalReason::UnknownInteraction);
}

#[test]
fn who_waits_is_assigned_to_one_agent() {
    let (mut center, call, id) = waiting();
    center.wants(assign(id, "bianca"));
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.rung_for(call), None);
    center.chooses("bianca", ChosenState::Available);
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
    center.agent_leaves("bianca", CauseKind::Declined);
    center.pass(30);
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"), "and nobody else");
}

#[test]
fn an_offer_that_rings_when_the_caller_is_assigned_rings_on() {
    let (mut center, call, id) = waiting();
    center.chooses("adele", ChosenState::Available);
    center.wants(assign(id, "bianca"));
    assert_eq!(center.rung_for(call).as_deref(), Some("adele"));
    center.pass(15);
    assert_eq!(center.rung_for(call), None);
    center.chooses("bianca", ChosenState::Available);
    assert_eq!(center.rung_for(call).as_deref(), Some("bianca"));
}

#[test]
fn nobody_is_assigned_to_a_stranger_or_to_an_agent_of_another_queue_or_twice() {
    let (mut center, call, id) = waiting();
    assert_eq!(center.is_refused(assign(id, "nobody")), RefusalReason::UnknownAgent);
    assert_eq!(center.is_refused(assign(id, "sally")), RefusalReason::NotTheirQueue);
    center.wants(assign(id, "adele"));
    assert_eq!(center.is_refused(assign(id, "adele")), RefusalReason::AlreadySo);
    center.chooses("adele", ChosenState::Available);
    center.agent_answers("adele");
    assert_eq!(center.is_refused(assign(id, "adele")), RefusalReason::NotWaiting);
    center.caller_hangs_up(call);
    assert_eq!(center.is_refused(assign(id, "adele")), RefusalReason::UnknownInteraction);
}

#[test]
fn somebody_else_sets_an_agents_state_with_a_reason() {
    let mut center = Story::new(&config());
    let [call] = center.callers();
    let command = AgentCommand {
        agent: "adele".into(),
        act: AgentAct::Choose(ChosenState::Offline),
        by: Who::Supervisor,
        why: Some("went home ill".into()),
    };
    center.input(Input::Agent(command));
    assert_eq!(center.agent("adele"), AgentState::Offline);
    assert_eq!(center.rung_for(call), None);
    let FactKind::AgentChose { by, why, .. } = center.last_fact("agent_chose") else { panic!() };
    assert_eq!((*by, why.as_deref()), (Who::Supervisor, Some("went home ill")));
}

#[test]
fn a_reason_that_is_too_long_is_refused_with_what_it_is_about() {
    let (mut center, _, interaction) = waiting();
    let why = Some("x".repeat(129).into());
    let act = priority(interaction, 1, false);
    center.input(Input::Work(WorkCommand { act, why: why.clone() }));
    let (subject, reason) = (Subject::Interaction(interaction), RefusalReason::ReasonTooLong);
    assert_eq!(center.refused, [Refusal { subject, reason }]);
    let act = AgentAct::Choose(ChosenState::Offline);
    center.input(Input::Agent(AgentCommand { agent: "adele".into(), act, by: Who::Supervisor, why }));
    assert_eq!(center.refused[1].to_string(), "agent adele: the reason is longer than 128 bytes");
}

#[test]
fn every_refusal_says_why_in_words() {
    use RefusalReason as Why;
    let all = [
        Why::UnknownAgent,
        Why::NotInWrapUp,
        Why::ReasonTooLong,
        Why::NoteTooLong,
        Why::UnknownCode,
        Why::CodeRequired,
        Why::NoMoreTime,
        Why::UnknownInteraction,
        Why::NotWaiting,
        Why::BeingServed,
        Why::UnknownQueue,
        Why::SameQueue,
        Why::NotTheirQueue,
        Why::NoSuchPriority,
        Why::NoCallback,
        Why::TooManyCallbacks,
        Why::AlreadySo,
    ];
    let told: Vec<String> =
        all.iter().map(|why| format!("{}: {why}", serde_json::to_string(why).expect("JSON"))).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_was_wanted_holds_after_a_restart_as_far_as_somebody_still_waits() {
    let queue =
        "closed = true\nwhen_closed = { callback = true }\ncallback = { offer = [\"call-you-back\"] }";
    let agents = [("adele", "starts = \"break\""), ("bianca", "starts = \"break\"")];
    let config = house(&agents, queue, "");
    let mut center = Story::new(&config);
    let ids = center.callers::<3>().map(|call| {
        center.press(call, "1");
        center.id(call)
    });
    center.wants(priority(ids[2], 1, false));
    center.wants(assign(ids[1], "bianca"));
    let mut center = center.crash(&config);
    assert_eq!(center.line("support"), [ids[2], ids[0], ids[1]]);
    center.chooses("bianca", ChosenState::Available);
    assert_eq!(center.all_rung_for(ids[2]), ["bianca"]);
    center.agent_leaves("bianca", CauseKind::Busy);
    center.chooses("adele", ChosenState::Available);
    assert_eq!(center.all_rung_for(ids[2]), ["adele"]);
    center.chooses("bianca", ChosenState::Available);
    assert_eq!(center.all_rung_for(ids[0]), ["bianca"]);
}
