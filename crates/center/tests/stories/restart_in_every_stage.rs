//! The program is killed while a caller is in any of the stages that queues bring about: the call is lost, everybody
//! else is free, and the next caller is served.

use crate::harness::{Story, house};
use tandem_center::agent::ChosenState;
use tandem_center::call::{CallEvent, CallId, PartyId};
use tandem_center::fact::Outcome;
use tandem_center::supervise::WorkAct;

const QUEUE: &str = "strategy = \"ring_all\"\noverflow = [{ after_s = 5, then = { callback = true } }]\nmax_wait_s = 10\n\
    callback = { offer = [\"call-you-back\"] }\nvoicemail = { greeting = [\"after-the-tone\"] }";

fn config(when_waited: &str) -> String {
    let agents = [("adele", "confirm = true"), ("bianca", "")];
    let rest = "[[queues]]\nid = \"sales\"\nname = \"Sales\"\n";
    house(&agents, &format!("{QUEUE}\nwhen_waited = {when_waited}"), rest)
}

/// A stage: what the queue does with who has waited, whether agents are there, and the way into the stage.
type Stage = (&'static str, bool, fn(&mut Story, CallId));

const STAGES: [Stage; 11] = [
    ("{ hang_up = true }", false, |_, _| {}),
    ("{ hang_up = true }", true, |_, _| {}),
    ("{ hang_up = true }", true, |center, _| center.agent_answers("adele")),
    ("{ hang_up = true }", true, |center, _| center.agent_answers("bianca")),
    ("{ hang_up = true }", false, |center, _| center.pass(5)),
    ("{ callback = true }", false, |center, _| center.pass(10)),
    ("{ message = [\"goodbye\"] }", false, |center, _| center.pass(10)),
    ("{ voicemail = true }", false, |center, _| center.pass(10)),
    ("{ person = \"adele\" }", false, |center, _| center.pass(10)),
    ("{ person = \"adele\" }", false, |center, call| {
        center.pass(10);
        center.event(CallEvent::Joined { call, party: PartyId(1) });
    }),
    ("{ hang_up = true }", true, |center, call| {
        center.agent_answers("bianca");
        let interaction = center.id(call);
        center.wants(WorkAct::Move { interaction, queue: "sales".into() });
    }),
];

#[test]
fn the_call_is_lost_and_everybody_is_free() {
    for (number, (when_waited, agents, way)) in STAGES.into_iter().enumerate() {
        let config = config(when_waited);
        let mut center = Story::new(&config);
        if !agents {
            center.chooses("adele", ChosenState::Offline);
            center.chooses("bianca", ChosenState::Offline);
        }
        let [call] = center.callers();
        way(&mut center, call);
        center.pass(1);
        let center = center.crash(&config);
        let closed = center.count("closed");
        assert_eq!(closed, 1, "stage {number}");
        assert!(center.view.live.interactions.is_empty(), "stage {number}");
        // Who has talked to an agent and waits again was served, as the totals say.
        let served = number == 10;
        assert_eq!(
            center.outcome(call),
            if served { Outcome::Handled } else { Outcome::Lost },
            "stage {number}"
        );
        let mut center = center.crash(&config);
        assert_eq!(center.count("closed"), closed, "stage {number}: a second crash closes nothing twice");
        center.chooses("adele", ChosenState::Available);
        center.chooses("bianca", ChosenState::Available);
        let [next] = center.callers();
        assert_eq!(center.all_rung_for(center.id(next)).len(), 2, "stage {number}");
    }
}
