//! A program that runs beside the test, ends with it, and shows what it wrote when the test fails.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::until;

/// A running program.
pub(crate) struct Process {
    name: String,
    child: Child,
    /// What it writes, shown when the test fails.
    logs: Vec<PathBuf>,
}

impl Process {
    /// Starts a program, its output in `log`. A program that is not installed fails the test with the remedy.
    pub(crate) fn start(name: &str, command: &mut Command, log: &Path) -> Process {
        let out = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap_or_else(|error| not_started(command, &error));
        Process { name: name.to_owned(), child, logs: vec![log.to_owned()] }
    }

    /// A further file to show when the test fails.
    pub(crate) fn shows(&mut self, log: PathBuf) {
        self.logs.push(log);
    }

    /// Its number in the system.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        until(&what, || self.child.try_wait().unwrap())
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Tells it to look at its files again.
    pub(crate) fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    /// Ends it as a power failure would, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // A process that is gone needs no signal.
        let _ = id.map(|id| kill_process(id, signal));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            // Kamailio takes its children with it only when it is asked.
            self.terminate();
            let end = Instant::now() + LAST_WORDS;
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(10));
            }
            self.kill();
        }
        if std::thread::panicking() {
            for log in &self.logs {
                let text = std::fs::read(log).unwrap_or_default();
                let text = String::from_utf8_lossy(&text);
                let lines: Vec<&str> = text.lines().collect();
                let last = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
                eprintln!("---- {}, {}\n{}", self.name, log.display(), last.join("\n"));
            }
        }
    }
}

/// Runs a program to its end and gives back its exit code and what it wrote, standard error last.
pub(crate) fn run(command: &mut Command) -> (Option<i32>, String) {
    let done = command.stdin(Stdio::null()).output().unwrap_or_else(|error| not_started(command, &error));
    let text = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8_lossy(&text).into_owned())
}

fn not_started(command: &Command, error: &std::io::Error) -> ! {
    let program = command.get_program().to_string_lossy();
    match error.kind() {
        ErrorKind::NotFound => {
            panic!(
                "{program} is not installed, and this test needs it. Remedy: scripts/install-packages.sh test"
            )
        }
        _ => panic!("{program} cannot be started: {error}"),
    }
}

/// How long a program has to end when it is asked.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Lines of each log that a failing test shows.
const LINES_SHOWN: usize = 60;
