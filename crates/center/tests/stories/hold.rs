//! Hold and resume from either side.

use crate::harness::{SUPPORT, Story};
use tandem_center::call::{CallCommand, CallEvent, CallId, PartyId};
use tandem_center::fact::{FactKind, Side};

fn talking() -> (Story, CallId) {
    let mut center = Story::new(SUPPORT);
    let call = center.dial();
    center.agent_answers("adele");
    center.pass(10);
    center.commands();
    (center, call)
}

#[test]
fn time_on_hold_is_told_apart_from_talk() {
    let (mut center, call) = talking();
    center.agent_holds("adele");
    center.pass(20);
    center.agent_resumes("adele");
    center.pass(5);
    center.agent_holds("adele");
    center.pass(7);
    center.caller_hangs_up(call);
    assert!(matches!(
        center.last_fact("conversation_ended"),
        FactKind::ConversationEnded { talked_us: 15_000_000, held_us: 27_000_000, .. }
    ));
}

#[test]
fn a_caller_held_in_silence_hears_the_queues_music() {
    let (mut center, call) = talking();
    center.agent_holds("adele");
    assert!(matches!(
        center.commands().as_slice(),
        [CallCommand::Play { party: PartyId::FIRST, repeat: true, .. }]
    ));
    center.agent_resumes("adele");
    assert_eq!(center.commands(), [CallCommand::StopPlay { call, party: PartyId::FIRST }]);
}

#[test]
fn a_hold_with_music_of_its_own_is_left_alone() {
    let (mut center, call) = talking();
    let party = center.leg_of("adele").1;
    center.event(CallEvent::Held { call, party, silent: false });
    center.agent_resumes("adele");
    assert_eq!(center.commands(), []);
    assert_eq!((center.count("held"), center.count("resumed")), (1, 1));
}

#[test]
fn a_hold_by_the_caller_is_a_fact_and_no_hold_time_of_the_agent() {
    let (mut center, call) = talking();
    center.event(CallEvent::Held { call, party: PartyId::FIRST, silent: true });
    center.pass(20);
    center.event(CallEvent::Resumed { call, party: PartyId::FIRST });
    assert!(matches!(
        center.last_fact("resumed"),
        FactKind::Resumed { by: Side::Caller, held_us: 20_000_000, .. }
    ));
    center.agent_hangs_up("adele");
    assert!(matches!(center.last_fact("conversation_ended"), FactKind::ConversationEnded { held_us: 0, .. }));
}

#[test]
fn a_hold_told_twice_is_one_and_a_resume_without_a_hold_is_none() {
    let (mut center, _) = talking();
    center.agent_resumes("adele");
    center.agent_holds("adele");
    center.agent_holds("adele");
    assert_eq!((center.count("held"), center.count("resumed")), (1, 0));
}
