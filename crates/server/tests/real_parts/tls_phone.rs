//! A real telephone with TLS and mandatory SRTP talks to one without: baresip and SIPp.

use crate::parts::authority::Authority;
use crate::parts::lab::{AGENT, CALLER, TANDEM};
use crate::parts::phone::Phone;
use crate::parts::{Config, Lab, Sipp, Tandem, they_talk, tone, until};

/// Telephones of agents over TLS with SRTP, on the same machine as everybody else.
fn with_telephones(config: Config) -> Config {
    config.and(
        r#"
[[interfaces]]
name = "tls"
transport = "tls"
bind = "NET.1:5061"
certificates = [{ certificate = "tandem.pem", key = "tandem.key" }]
trust = "ca.pem"

[[trunks]]
name = "telephones"
profile = "carrier"
interface = "tls"
media = "sound"
peers = ["127.0.0.1"]
srtp = "required"
"#,
    )
}

fn certificates(lab: &Lab) {
    let authority = Authority::new(lab);
    authority.writes("tandem", &[&lab.ip(TANDEM)]);
    authority.writes("phone", &["127.0.0.1"]);
}

#[test]
fn an_agent_on_a_telephone_with_srtp_talks_to_a_caller_without() {
    let lab = Lab::new();
    certificates(&lab);
    let tls = lab.folder().display().to_string();
    let phone = Phone::start(&lab, "ada", tone::AGENT, &["--tls", &tls, "--srtp", "--answer"]);
    let ada = format!("sip:ada@127.0.0.1:{}", phone.tls_port());
    let config =
        with_telephones(Config::plain(&lab)).with_queue(15, 1).with_agent_at("ada", "telephones", &ada);
    let tandem = Tandem::start(&lab, config);

    let caller = Sipp::new(&lab, "caller", CALLER).once().pauses_ms(5000);
    let mut caller = caller.says(tone::CALLER, 4.5).presses("1:1").calls(&lab.sip(TANDEM));
    caller.ends_well();
    tandem.wait_closed(1).tells(&[
        "arrived lab",
        "connected ada",
        "conversation_ended caller",
        "closed handled",
    ]);
    caller.ear().heard().has(tone::AGENT);
    phone.heard().has(tone::CALLER);
}

#[test]
fn an_agent_hangs_up_a_telephone_with_srtp() {
    let lab = Lab::new();
    certificates(&lab);
    let tls = lab.folder().display().to_string();
    let phone = Phone::start(&lab, "ada", tone::AGENT, &["--tls", &tls, "--srtp", "--answer"]);
    let ada = format!("sip:ada@127.0.0.1:{}", phone.tls_port());
    let config =
        with_telephones(Config::plain(&lab)).with_queue(15, 1).with_agent_at("ada", "telephones", &ada);
    let tandem = Tandem::start(&lab, config);

    let caller = Sipp::new(&lab, "caller-hears-bye", CALLER).once();
    let mut caller = caller.says(tone::CALLER, 4.0).presses("0.5:1").calls(&lab.sip(TANDEM));
    tandem.wait_stage("connected");
    phone.tell("hangup");
    caller.ends_well();
    tandem.wait_closed(1).tells(&["connected ada", "conversation_ended agent", "closed handled"]);
}

#[test]
fn a_caller_on_a_telephone_with_srtp_talks_to_an_agent_without() {
    let lab = Lab::new();
    certificates(&lab);
    let config = with_telephones(Config::plain(&lab)).with_queue(15, 1).with_agent("ada", AGENT);
    let tandem = Tandem::start(&lab, config);
    let agent = Sipp::new(&lab, "agent", AGENT).pauses_ms(200).says(tone::AGENT, 3.0).answers();
    let tls = lab.folder().display().to_string();
    let phone = Phone::start(&lab, "caller", tone::CALLER, &["--tls", &tls, "--srtp"]);

    phone.tell(&format!("dial sip:+15550123@{}:5061;transport=tls", lab.ip(TANDEM)));
    tandem.wait_stage("in_flow");
    phone.tell("sndcode 1");
    tandem.wait_stage("connected");
    agent.ear().heard().has(tone::CALLER);
    phone.tell("hangup");
    let story = tandem.wait_closed(1);
    story.tells(&[
        "arrived telephones",
        "menu_chosen 1",
        "connected ada",
        "conversation_ended caller",
        "closed handled",
    ]);
    phone.heard().has_in_order(&[tone::AGENT]);
}

#[test]
fn a_telephone_with_srtp_holds_and_resumes() {
    let lab = Lab::new();
    certificates(&lab);
    let tls = lab.folder().display().to_string();
    let phone = Phone::start(&lab, "ada", tone::AGENT, &["--tls", &tls, "--srtp", "--answer"]);
    let ada = format!("sip:ada@127.0.0.1:{}", phone.tls_port());
    let config =
        with_telephones(Config::plain(&lab)).with_queue(15, 1).with_agent_at("ada", "telephones", &ada);
    let tandem = Tandem::start(&lab, config);

    let caller = Sipp::new(&lab, "caller-hears-bye", CALLER).once().args(&["-s", "+15550199"]);
    let mut caller = caller.says(tone::CALLER, 9.0).calls(&lab.sip(TANDEM));
    let call = tandem.wait_stage("connected")["id"].as_u64().unwrap();
    let happens = |fact: &str| until(fact, || (!tandem.story(call).of(fact).is_empty()).then_some(()));
    they_talk(2);
    phone.tell("hold");
    happens("held");
    they_talk(1);
    phone.tell("resume");
    happens("resumed");
    they_talk(2);
    phone.tell("hangup");
    caller.ends_well();
    tandem.wait_closed(1).tells(&[
        "connected ada",
        "held agent",
        "resumed agent",
        "conversation_ended agent",
        "closed",
    ]);
    let heard = caller.ear().heard().tenths(tone::AGENT);
    assert!(heard >= 30, "before and after the hold, {heard} tenths of a second were heard");
    phone.heard().has(tone::CALLER);
}
