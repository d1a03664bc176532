//! Hundreds of calls at a steady rate: none fails, and nothing stays behind.

use crate::parts::lab::{AGENT, CALLER, TANDEM};
use crate::parts::{Config, Lab, Sipp, Tandem, until};

/// Calls that open caches and pools before anything is counted.
const WARM_UP: usize = 50;
/// Calls that are counted.
const CALLS: usize = 500;
/// Calls in a second.
const RATE: usize = 50;
const AGENTS: usize = 200;
/// Media ports, four of which each call takes: far fewer than all calls take together.
const PORTS: u16 = 800;

#[test]
fn hundreds_of_calls_leave_no_failed_call_and_no_descriptor_thread_port_or_transaction() {
    let lab = Lab::new();
    let ports = format!("ports = [20000, {}]", 20_000 + PORTS - 1);
    let mut config = Config::plain(&lab).replacing("ports = [20000, 29999]", &ports).with_queue(15, 0);
    for agent in 0..AGENTS {
        config = config.with_agent(&format!("agent-{agent}"), AGENT);
    }
    let tandem = Tandem::start(&lab, config.replacing("level = \"debug\"", "level = \"info\""));
    let _agents = Sipp::new(&lab, "load-agent", AGENT).args(&["-rtcheck", "loose"]).answers();

    calls(&lab, "warm-up", WARM_UP);
    let before = until_quiet(&tandem, WARM_UP);
    calls(&lab, "load", CALLS);
    until_quiet(&tandem, WARM_UP + CALLS);
    // The last transactions are kept for half a minute, for messages that are sent again (RFC 3261 section 17).
    for figure in ["tandem_sip_transactions", "tandem_media_legs"] {
        until(&format!("{figure} is 0"), || (tandem.figure(figure) == 0).then_some(()));
    }
    // Before, one more may have been open: that of the question how many calls there are.
    until("no more descriptors and threads than before", || {
        let now = Footprint::of(&tandem);
        (now.descriptors <= before.descriptors && now.threads <= before.threads).then_some(())
    });

    assert_eq!(tandem.figure("tandem_media_ports_exhausted_total"), 0);
    assert_eq!(tandem.sum_of("tandem_repairs_total"), 0);
    assert_eq!(tandem.figure("tandem_agents{state=\"available\"}"), u64::try_from(AGENTS).unwrap());
}

fn calls(lab: &Lab, name: &str, count: usize) {
    let (count, rate) = (count.to_string(), RATE.to_string());
    let caller = Sipp::new(lab, "load-caller", CALLER).named(name).pauses_ms(1000);
    let caller = caller.args(&["-s", "+15550199", "-m", &count, "-r", &rate, "-l", "150"]);
    caller.calls(&lab.sip(TANDEM)).ends_well();
}

/// Waits until every call is over for everybody, and counts what the program holds.
fn until_quiet(tandem: &Tandem, handled: usize) -> Footprint {
    let handled = u64::try_from(handled).unwrap();
    until("all calls are over", || {
        let closed = tandem.figure("tandem_calls_closed_total{outcome=\"handled\"}");
        (closed == handled && tandem.figure("tandem_door_calls") == 0).then_some(())
    });
    assert!(tandem.live_calls().is_empty());
    Footprint::of(tandem)
}

/// What the program holds of the system.
struct Footprint {
    descriptors: usize,
    threads: usize,
}

impl Footprint {
    fn of(tandem: &Tandem) -> Footprint {
        let count = |what: &str| std::fs::read_dir(format!("/proc/{}/{what}", tandem.id())).unwrap().count();
        Footprint { descriptors: count("fd"), threads: count("task") }
    }
}
