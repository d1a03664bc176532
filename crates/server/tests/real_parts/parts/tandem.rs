//! The program under test, as an operator starts it.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::process::Process;
use super::story::Story;
use super::{Lab, http, until};

/// A running `tandem serve`.
pub(crate) struct Tandem {
    process: Process,
    config: PathBuf,
    log: PathBuf,
    http: String,
}

impl Tandem {
    /// Writes the configuration into the lab's folder, starts the program and waits until it answers calls.
    pub(crate) fn start(lab: &Lab, config: impl ToString) -> Tandem {
        let config = lab.write("tandem.toml", config.to_string());
        Tandem::start_file(config, lab.path("tandem.log"), format!("{}:8080", lab.ip(super::lab::TANDEM)))
    }

    /// Starts the program with a file.
    pub(crate) fn start_file(config: PathBuf, log: PathBuf, http: String) -> Tandem {
        let mut command = Command::new(PROGRAM);
        let process = Process::start("tandem", command.arg("serve").arg("--config").arg(&config), &log);
        let mut tandem = Tandem { process, config, log, http };
        tandem.wait_ready();
        tandem
    }

    fn wait_ready(&mut self) {
        until("tandem answers calls", || {
            if let Some(status) = self.process.ended() {
                panic!("tandem ended with {status}");
            }
            matches!(http::ask(&self.http, "GET", "/readyz", None), Ok((200, _))).then_some(())
        });
    }

    /// Ends the program as a power failure would, and starts it again with the same data.
    pub(crate) fn kill_and_restart(&mut self) {
        self.process.kill();
        let mut command = Command::new(PROGRAM);
        let command = command.arg("serve").arg("--config").arg(&self.config);
        self.process = Process::start("tandem", command, &self.log);
        self.wait_ready();
    }

    /// Asks the program to end, and gives back its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.process.terminate();
        self.process.wait().code()
    }

    /// Tells the program to bring its file into force, as a service manager does.
    pub(crate) fn hang_up(&self) {
        self.process.hang_up();
    }

    /// The program lives.
    #[track_caller]
    pub(crate) fn lives(&mut self) {
        let ended = self.process.ended();
        assert!(ended.is_none(), "tandem ended: {ended:?}");
    }

    /// Its number in the system.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Where the API is.
    pub(crate) fn address(&self) -> String {
        self.http.clone()
    }

    /// An answer of the API.
    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, body) = http::ask(&self.http, "GET", path, None).unwrap();
        assert_eq!(status, 200, "GET {path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// The calls that are not closed.
    pub(crate) fn live_calls(&self) -> Vec<Value> {
        self.get("/api/v1/calls")["calls"].as_array().unwrap().clone()
    }

    /// Waits until the only live call is in a stage, and gives it back.
    pub(crate) fn wait_stage(&self, stage: &str) -> Value {
        until(&format!("a call is {stage}"), || {
            self.live_calls().into_iter().find(|call| call["stage"] == stage)
        })
    }

    /// Waits until so many calls are live and in this stage.
    pub(crate) fn wait_many(&self, count: usize, stage: &str) {
        let there = || self.live_calls().iter().filter(|call| call["stage"] == stage).count();
        until(&format!("{count} calls are {stage}"), || (there() == count).then_some(()));
    }

    /// Waits until so many calls are closed, and tells the story of the one that was closed last.
    pub(crate) fn wait_closed(&self, count: usize) -> Story {
        let calls = until(&format!("{count} calls are closed"), || {
            let closed = self.get("/api/v1/calls?state=closed")["calls"].as_array().unwrap().clone();
            (closed.len() >= count).then_some(closed)
        });
        self.story(calls[0]["id"].as_u64().unwrap())
    }

    /// Waits until so many calls are closed, and tells all stories in the order of their arrivals.
    pub(crate) fn wait_all_closed(&self, count: usize) -> Vec<Story> {
        self.wait_closed(count);
        let calls = self.get("/api/v1/calls?state=closed");
        let mut ids: Vec<u64> =
            calls["calls"].as_array().unwrap().iter().map(|call| call["id"].as_u64().unwrap()).collect();
        ids.sort_unstable();
        ids.into_iter().map(|id| self.story(id)).collect()
    }

    /// The story of a call.
    pub(crate) fn story(&self, id: u64) -> Story {
        Story(self.get(&format!("/api/v1/calls/{id}")))
    }

    /// What an agent is now.
    pub(crate) fn agent(&self, id: &str) -> String {
        self.get(&format!("/api/v1/agents/{id}"))["state"].as_str().unwrap().to_owned()
    }

    /// Waits until an agent is in a state.
    pub(crate) fn wait_agent(&self, id: &str, state: &str) {
        until(&format!("{id} is {state}"), || (self.agent(id) == state).then_some(()));
    }

    /// Sets what an agent is.
    pub(crate) fn set_agent(&self, id: &str, state: &str) {
        self.command("PUT", &format!("/api/v1/agents/{id}/state"), json!({ "state": state }));
    }

    /// Has a command obeyed, and gives back the answer.
    #[track_caller]
    pub(crate) fn command(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = http::ask(&self.http, method, path, Some(&body)).unwrap();
        assert_eq!(status, 200, "{method} {path}: {answer}");
        serde_json::from_str(&answer).unwrap()
    }

    /// Has a command refused, and gives back the code of the refusal.
    #[track_caller]
    pub(crate) fn refused(&self, method: &str, path: &str, body: Value) -> String {
        let (status, answer) = http::ask(&self.http, method, path, Some(&body)).unwrap();
        assert!((400..500).contains(&status), "{method} {path}: {status} {answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["code"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// The first of these agents has been free longest, the last shortest.
    pub(crate) fn have_been_free_longest(&self, agents: &[&str]) {
        for agent in agents {
            self.set_agent(agent, "offline");
        }
        for agent in agents {
            self.set_agent(agent, "available");
        }
    }

    /// The sum of a figure of `/metrics` over all its labels, of which there is at least one.
    pub(crate) fn sum_of(&self, name: &str) -> u64 {
        let (_, page) = http::ask(&self.http, "GET", "/metrics", None).unwrap();
        let labelled = format!("{name}{{");
        let values: Vec<u64> = page
            .lines()
            .filter(|line| line.starts_with(&labelled))
            .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
            .collect();
        assert!(!values.is_empty(), "no figure {name} in\n{page}");
        values.iter().sum()
    }

    /// A figure of `/metrics`, named with its labels.
    pub(crate) fn figure(&self, name: &str) -> u64 {
        let (_, page) = http::ask(&self.http, "GET", "/metrics", None).unwrap();
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no figure {name} in\n{page}")).parse().unwrap()
    }
}

/// The program that Cargo built for this test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_tandem");
