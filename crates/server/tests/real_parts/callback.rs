//! A caller would rather be called back: the call ends, an agent is rung, and then the customer.

use crate::parts::lab::{AGENT, CALLER, CUSTOMER, TANDEM};
use crate::parts::{Config, Lab, Running, Sipp, Tandem, tone};

const CALLBACK: &str = "overflow = [{ after_s = 1, then = { callback = true } }]\n\
    callback = { offer = [\"beep\"], line = \"carrier\", number = \"+15550199\", attempts = 2, retry_s = 10, ring_s = 10 }";

/// A center whose one agent has a break, and in which a caller has asked to be called back.
fn promised(lab: &Lab) -> Tandem {
    let config = Config::plain(lab).with_carrier().with_queue(15, 1).queue(CALLBACK).with_agent("ada", AGENT);
    let tandem = Tandem::start(lab, config.replacing("starts = \"available\"", "starts = \"break\""));
    let caller = Sipp::new(lab, "caller-hears-bye", CALLER).once().says(tone::CALLER, 5.0);
    caller.presses("0.5:1,4:1").calls(&lab.sip(TANDEM)).ends_well();
    tandem
}

fn agent(lab: &Lab) -> Running {
    Sipp::new(lab, "agent", AGENT).pauses_ms(100).says(tone::AGENT, 7.0).answers()
}

#[test]
fn the_customer_sees_the_companys_number_and_the_two_hear_each_other() {
    let lab = Lab::new();
    let tandem = promised(&lab);
    let ada = agent(&lab);
    let log = lab.path("shown.log").display().to_string();
    let customer =
        Sipp::new(&lab, "customer-hangs-up", CUSTOMER).once().pauses_ms(4000).says(tone::CALLER, 3.5);
    let mut customer = customer.args(&["-trace_logs", "-log_file", &log]).answers();
    tandem.set_agent("ada", "available");
    customer.ends_well();

    let story = tandem.wait_closed(1);
    story.tells(&[
        "callback_promised",
        "queue_entered callback",
        "offered ada",
        "callback_dialled",
        "connected ada",
        "closed handled",
    ]);
    let shown = std::fs::read_to_string(&log).unwrap();
    assert!(shown.contains("shown +15550199 asserted +15550199"), "{shown}");
    assert!(
        ada.messages().contains("From: <sip:+15550100@"),
        "the agent sees the customer: {}",
        ada.messages()
    );
    customer.ear().heard().has(tone::AGENT);
    ada.ear().heard().has(tone::CALLER);
}

#[test]
fn a_customer_who_is_busy_is_tried_again() {
    let lab = Lab::new();
    let tandem = promised(&lab);
    let _ada = agent(&lab);
    let mut busy = Sipp::new(&lab, "agent-busy", CUSTOMER).once().pauses_ms(100).answers();
    tandem.set_agent("ada", "available");
    busy.ends_well();
    let mut customer = Sipp::new(&lab, "customer-hangs-up", CUSTOMER).once().pauses_ms(1000).answers();
    customer.ends_well();
    let story = tandem.wait_closed(1);
    story.tells(&[
        "callback_dialled",
        "callback_missed",
        "callback_dialled",
        "connected ada",
        "closed handled",
    ]);
}
