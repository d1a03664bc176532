//! baresip: a real telephone with TLS and SRTP, driven by `tests/phone.py`.

use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::Command;

use super::process::{Process, run};
use super::sipp::tests;
use super::sound::Sound;
use super::{Lab, until};

/// A running telephone. It is always at 127.0.0.1, with ports of its own.
pub(crate) struct Phone {
    process: Process,
    folder: PathBuf,
    port: u16,
    /// Bound for as long as the test runs: whoever holds it has the ports.
    _claim: UdpSocket,
}

impl Phone {
    /// Starts a telephone that says a tone. `more` are further words for `tests/phone.py`.
    pub(crate) fn start(lab: &Lab, user: &str, tone: u32, more: &[&str]) -> Phone {
        let (port, claim) = claim();
        let folder = lab.path(user);
        let mut command = Command::new(tests().join("phone.py"));
        command.arg(&folder).args(["--port", &port.to_string(), "--user", user, "--seconds", "60"]);
        command.args(["--tone", &tone.to_string()]).args(more);
        let log = lab.path(&format!("{user}.log"));
        let process = Process::start(&format!("telephone {user}"), &mut command, &log);
        let mut phone = Phone { process, folder, port, _claim: claim };
        until("the telephone listens", || {
            assert!(phone.process.ended().is_none(), "the telephone ended at its start");
            phone.is_there().then_some(())
        });
        phone
    }

    /// Its SIP port for TLS.
    pub(crate) fn tls_port(&self) -> u16 {
        self.port + 1
    }

    /// Tells it to do something: `hold`, `resume`, `hangup`, `dial URI`, `transfer URI`.
    pub(crate) fn tell(&self, command: &str) {
        let mut tell = Command::new(tests().join("phone.py"));
        tell.args(["--tell", &self.port.to_string()]).args(command.split(' '));
        let (code, text) = run(&mut tell);
        assert_eq!(code, Some(0), "the telephone does not {command}: {text}");
    }

    /// What it has heard, once the call is over.
    pub(crate) fn heard(&self) -> Sound {
        let path = until("the telephone's recording", || {
            let files = std::fs::read_dir(&self.folder).unwrap().flatten();
            files.map(|file| file.path()).find(|path| path.to_string_lossy().ends_with("-dec.wav"))
        });
        Sound::read(&path)
    }

    /// It has its sockets, that for commands last of all.
    fn is_there(&self) -> bool {
        std::net::TcpStream::connect(("127.0.0.1", self.port + 2)).is_ok()
    }
}

/// Ports that nobody has: of each four, three for the telephone and one that says that they are taken.
fn claim() -> (u16, UdpSocket) {
    let first = std::process::id() * 13;
    for step in 0..PORT_GROUPS {
        let base = FIRST_PORT + u16::try_from((first + step) % PORT_GROUPS).unwrap() * 4;
        let Ok(claim) = UdpSocket::bind(("127.0.0.1", base + 3)) else { continue };
        let free = |port| {
            TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok()
        };
        if (base..base + 3).all(free) {
            return (base, claim);
        }
    }
    panic!("no free ports for a telephone");
}

const FIRST_PORT: u16 = 7300;
const PORT_GROUPS: u32 = 400;
