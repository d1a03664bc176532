//! Who of several free agents is rung: every strategy of a queue, by calls.

use crate::parts::lab::{AGENT, CALLER, SECOND_AGENT, TANDEM, THIRD};
use crate::parts::{Config, Lab, Running, Sipp, Tandem};

/// The three agents, in the order of the configuration.
const AGENTS: [(&str, u8); 3] = [("ada", AGENT), ("ben", SECOND_AGENT), ("cyd", THIRD)];

/// A queue with three agents who answer at once and need no wrap-up.
struct Center {
    lab: Lab,
    tandem: Tandem,
    calls: usize,
    _telephones: Vec<Running>,
}

impl Center {
    /// With this about the queue and about each agent. Ada has been free longest, Cyd shortest.
    fn new(queue: &str, agents: [&str; 3]) -> Center {
        Center::with(|config| {
            let about = AGENTS.iter().zip(agents).filter(|(_, more)| !more.is_empty());
            about.fold(config.queue(queue), |config, ((id, _), more)| config.agent(id, more))
        })
    }

    fn with(more: impl FnOnce(Config) -> Config) -> Center {
        let lab = Lab::new();
        let config = Config::plain(&lab).with_queue(15, 0);
        let config = AGENTS.iter().fold(config, |config, (id, host)| config.with_agent(id, *host));
        let tandem = Tandem::start(&lab, more(config));
        let answers = |(_, host): &(&str, u8)| Sipp::new(&lab, "agent", *host).pauses_ms(20).answers();
        let _telephones = AGENTS.iter().map(answers).collect();
        tandem.have_been_free_longest(&AGENTS.map(|(id, _)| id));
        Center { lab, tandem, calls: 0, _telephones }
    }

    /// Who talks to the next caller, for about a second and a half: time enough for slow telephones to be connected.
    fn rings(&mut self) -> String {
        self.rings_for_ms(1500)
    }

    /// Who talks to the next caller, for about so long. Only that agent was rung.
    fn rings_for_ms(&mut self, ms: u32) -> String {
        self.calls += 1;
        let caller = Sipp::new(&self.lab, "caller", CALLER).named(&format!("caller-{}", self.calls));
        let caller = caller.once().dials("+15550199").pauses_ms(ms);
        caller.calls(&self.lab.sip(TANDEM)).ends_well();
        let story = self.tandem.wait_closed(self.calls);
        story.tells(&["connected", "closed handled"]);
        assert_eq!(story.agents("offered"), story.agents("connected"), "{}", story.text());
        story.agents("connected")[0].to_owned()
    }

    fn takes_a_break(&self, agent: &str) {
        self.tandem.set_agent(agent, "break");
    }

    /// Is now the one who has been free for the shortest time.
    fn comes_back_from_a_break(&self, agent: &str) {
        self.tandem.set_agent(agent, "break");
        self.tandem.set_agent(agent, "available");
    }

    fn signs_in_anew(&self, agent: &str) {
        self.tandem.set_agent(agent, "offline");
        self.tandem.set_agent(agent, "available");
    }
}

#[test]
fn longest_idle_rings_who_has_been_without_work_longest() {
    let mut center = Center::new("strategy = \"longest_idle\"", [""; 3]);
    assert_eq!(center.rings(), "ada");
    center.comes_back_from_a_break("ben");
    assert_eq!(center.rings(), "cyd");
    assert_eq!(center.rings(), "ada");
    assert_eq!(center.rings(), "ben");
}

#[test]
fn round_robin_rings_whose_last_offer_is_longest_ago() {
    let mut center = Center::new("strategy = \"round_robin\"", [""; 3]);
    assert_eq!([center.rings(), center.rings(), center.rings()], ["ada", "ben", "cyd"]);
    center.comes_back_from_a_break("ada");
    assert_eq!(center.rings(), "ada");
}

#[test]
fn serial_rings_the_first_in_the_order() {
    let mut center = Center::new("strategy = \"serial\"\norder = [\"cyd\", \"ben\"]", [""; 3]);
    assert_eq!([center.rings(), center.rings()], ["cyd", "cyd"]);
    center.takes_a_break("cyd");
    assert_eq!(center.rings(), "ben");
    center.takes_a_break("ben");
    assert_eq!(center.rings(), "ada");
}

#[test]
fn least_occupied_rings_who_had_the_shortest_conversations() {
    let mut center = Center::new("strategy = \"least_occupied\"", [""; 3]);
    assert_eq!(center.rings_for_ms(5000), "ada");
    assert_eq!(center.rings_for_ms(1200), "ben");
    assert_eq!(center.rings_for_ms(5000), "cyd");
    assert_eq!(center.rings_for_ms(1200), "ben");
}

#[test]
fn fewest_conversations_rings_who_had_least_since_signing_in() {
    let mut center = Center::new("strategy = \"fewest_conversations\"", [""; 3]);
    assert_eq!([center.rings(), center.rings()], ["ada", "ben"]);
    center.comes_back_from_a_break("cyd");
    assert_eq!(center.rings(), "cyd");
    center.signs_in_anew("ben");
    assert_eq!(center.rings(), "ben");
}

#[test]
fn most_skilled_rings_who_is_best_at_what_is_asked_for() {
    let agents = [
        "skills = { french = 3, billing = 10 }",
        "skills = { french = 9 }",
        "skills = { french = 5, billing = 10 }",
    ];
    let mut center = Center::new("strategy = \"most_skilled\"\nskills = { french = 1 }", agents);
    assert_eq!([center.rings(), center.rings()], ["ben", "ben"]);
    center.takes_a_break("ben");
    assert_eq!(center.rings(), "cyd");
    center.takes_a_break("cyd");
    assert_eq!(center.rings(), "ada");
}

#[test]
fn least_skilled_rings_who_is_just_good_enough() {
    let agents = ["skills = { french = 3 }", "skills = { french = 9 }", "skills = { french = 5 }"];
    let mut center = Center::new("strategy = \"least_skilled\"\nskills = { french = 4 }", agents);
    assert_eq!([center.rings(), center.rings()], ["cyd", "cyd"]);
    center.takes_a_break("cyd");
    assert_eq!(center.rings(), "ben");
}

#[test]
fn weighted_rings_in_proportion_to_the_shares() {
    let mut center = Center::new("strategy = \"weighted\"\nshares = { ada = 3, ben = 1 }", [""; 3]);
    center.takes_a_break("cyd");
    let rung: Vec<String> = std::iter::repeat_with(|| center.rings()).take(4).collect();
    let had = |agent: &str| rung.iter().filter(|rung| *rung == agent).count();
    assert_eq!((had("ada"), had("ben")), (3, 1), "{rung:?}");
}

#[test]
fn a_person_asked_for_is_rung_and_nobody_else() {
    let mut center = Center::with(|config| config.step("asks = { agent = \"cyd\" }"));
    assert_eq!([center.rings(), center.rings()], ["cyd", "cyd"]);

    center.takes_a_break("cyd");
    let caller = Sipp::new(&center.lab, "caller", CALLER).named("patient").once().dials("+15550199");
    let mut caller = caller.pauses_ms(4000).calls(&center.lab.sip(TANDEM));
    center.tandem.wait_stage("waiting");
    center.comes_back_from_a_break("ada");
    assert_eq!(center.tandem.live_calls()[0]["stage"], "waiting", "Ada is free, and not asked for");
    center.tandem.set_agent("cyd", "available");
    caller.ends_well();
    assert_eq!(center.tandem.wait_closed(3).agents("offered"), ["cyd"]);
}
