//! SIPp as caller or agent, with `tests/rtp.py` as its mouth and ears.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::process::Process;
use super::sound::Sound;
use super::{Lab, until};

/// A SIPp that is being set up.
pub(crate) struct Sipp {
    command: Command,
    name: String,
    folder: PathBuf,
    from: String,
    run: Option<String>,
    rtp_port: u16,
}

/// A SIPp that runs.
pub(crate) struct Running {
    process: Process,
    errors: PathBuf,
    messages: PathBuf,
    ear: Ear,
}

/// What the sound program wrote.
#[derive(Clone)]
pub(crate) struct Ear {
    recording: PathBuf,
    report: PathBuf,
}

impl Sipp {
    /// A part that plays a scenario of `tests/sipp` at an address of the lab. Calls +15550123 from +15550100
    /// unless told otherwise.
    pub(crate) fn new(lab: &Lab, scenario: &str, host: u8) -> Sipp {
        Sipp::at(lab, scenario, &lab.ip(host), 5060).named(&format!("{scenario}-{host}"))
    }

    /// A caller who gets into the queue without the menu, and stays until the other side hangs up.
    pub(crate) fn direct(lab: &Lab, host: u8) -> Sipp {
        Sipp::new(lab, "caller-hears-bye", host).once().dials("+15550199")
    }

    /// The same at any address and port.
    pub(crate) fn at(lab: &Lab, scenario: &str, ip: &str, port: u16) -> Sipp {
        let file = tests().join("sipp").join(format!("{scenario}.xml"));
        assert!(file.exists(), "{} does not exist", file.display());
        let mut command = Command::new("sipp");
        command.arg("-sf").arg(file).args([
            "-i",
            ip,
            "-p",
            &port.to_string(),
            "-bind_local",
            "-mi",
            ip,
            "-ci",
            ip,
        ]);
        command.args(["-nostdin", "-skip_rlimit", "-timeout", "90s", "-timeout_error", "-s", "+15550123"]);
        command.current_dir(lab.folder());
        Sipp {
            command,
            name: scenario.to_owned(),
            folder: lab.folder().to_owned(),
            from: "+15550100".to_owned(),
            run: None,
            rtp_port: 7000,
        }
    }

    /// A further name for its files, where one scenario runs twice at one address.
    pub(crate) fn named(mut self, name: &str) -> Sipp {
        self.name = name.to_owned();
        self
    }

    /// Calls this number.
    pub(crate) fn dials(self, number: &str) -> Sipp {
        self.args(&["-s", number])
    }

    /// Calls from this number, or as this user.
    pub(crate) fn from(mut self, user: &str) -> Sipp {
        user.clone_into(&mut self.from);
        self
    }

    /// One call only; it ends with it.
    pub(crate) fn once(self) -> Sipp {
        self.args(&["-m", "1"])
    }

    /// How long each of the scenario's pauses is.
    pub(crate) fn pauses_ms(self, ms: u32) -> Sipp {
        self.args(&["-d", &ms.to_string()])
    }

    /// Over TCP.
    pub(crate) fn tcp(self) -> Sipp {
        self.args(&["-t", "t1"])
    }

    /// Says a tone for so many seconds, and listens.
    pub(crate) fn says(mut self, hertz: u32, seconds: f32) -> Sipp {
        let program = tests().join("rtp.py");
        let run = format!(
            "{} --seconds {seconds} --say {hertz} --record {} --report {}",
            program.display(),
            self.file("wav").display(),
            self.file("json").display()
        );
        self.run = Some(run);
        self
    }

    /// Presses keys: seconds after the answer and the key, `1.5:4,2:2`. After [`Sipp::says`].
    pub(crate) fn presses(mut self, keys: &str) -> Sipp {
        let run = self.run.take().expect("says() comes first");
        self.run = Some(format!("{run} --digits {keys}"));
        self
    }

    /// Its media port, where two share an address.
    pub(crate) fn sound_at(mut self, port: u16) -> Sipp {
        self.rtp_port = port;
        self
    }

    /// A word of the scenario.
    pub(crate) fn key(self, key: &str, value: &str) -> Sipp {
        self.args(&["-key", key, value])
    }

    /// Further arguments of SIPp.
    pub(crate) fn args(mut self, args: &[&str]) -> Sipp {
        self.command.args(args);
        self
    }

    /// Starts an agent: it answers until the test ends.
    pub(crate) fn answers(self) -> Running {
        let mut running = self.args(&["-aa"]).start();
        // Nothing tells when SIPp has bound its port but that it is bound.
        until("an agent listens", || {
            assert!(running.process.ended().is_none(), "SIPp ended at its start");
            running.bound().then_some(())
        });
        running
    }

    /// Starts a caller, which calls an address.
    pub(crate) fn calls(self, to: &str) -> Running {
        self.args(&[to]).start()
    }

    fn start(mut self) -> Running {
        let run = self.run.take().unwrap_or_else(|| "true".to_owned());
        let (errors, messages) = (self.file("errors"), self.file("messages"));
        self.command.args(["-key", "from", &self.from]);
        self.command.args(["-key", "run", &run, "-key", "rtp_port", &self.rtp_port.to_string()]);
        self.command.arg("-trace_err").arg("-error_file").arg(&errors);
        self.command.arg("-trace_msg").arg("-message_file").arg(&messages);
        let ear = Ear { recording: self.file("wav"), report: self.file("json") };
        let screen = self.file("screen");
        let mut process = Process::start(&format!("SIPp {}", self.name), &mut self.command, &screen);
        process.shows(errors.clone());
        Running { process, errors, messages, ear }
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", self.name))
    }
}

impl Running {
    /// Waits for its end; every call went as the scenario says.
    #[track_caller]
    pub(crate) fn ends_well(&mut self) {
        let status = self.process.wait();
        let errors = std::fs::read_to_string(&self.errors).unwrap_or_default();
        assert!(status.success(), "SIPp ended with {status}: {errors}");
    }

    /// What it hears. After the sound program has ended.
    pub(crate) fn ear(&self) -> &Ear {
        &self.ear
    }

    /// All messages that it has sent and received so far.
    pub(crate) fn messages(&self) -> String {
        let bytes = std::fs::read(&self.messages).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until it has sent or received a text.
    pub(crate) fn wait_message(&self, text: &str) {
        until(&format!("a message with {text:?}"), || self.messages().contains(text).then_some(()));
    }

    /// Ends it at once.
    pub(crate) fn kill(mut self) {
        self.process.kill();
    }

    /// It holds sockets of SIP: its messages file is only there once they are open.
    fn bound(&self) -> bool {
        let folder = format!("/proc/{}/fd", self.process.id());
        let links = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let sockets = links.filter_map(|link| std::fs::read_link(link.path()).ok());
        sockets.filter(|target| target.to_string_lossy().starts_with("socket:")).count() >= 2
    }
}

impl Ear {
    /// What was heard, once the sound program has ended.
    pub(crate) fn heard(&self) -> Sound {
        self.report();
        Sound::read(&self.recording)
    }

    /// The account of packets, once the sound program has ended.
    pub(crate) fn report(&self) -> Value {
        let text =
            until(&format!("{}", self.report.display()), || std::fs::read_to_string(&self.report).ok());
        serde_json::from_str(&text).unwrap()
    }
}

/// The folder of the foreign parts.
pub(crate) fn tests() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests"))
}
