//! Kamailio as a foreign edge: plain SIP on one side, TLS with certificates checked both ways on the other.

use std::process::Command;

use super::process::Process;
use super::sipp::tests;
use super::{Lab, lab, until};

/// The edge's address on the callers' side.
pub(crate) const CALLERS_FACE: u8 = 11;
/// The edge's address on the agents' side.
pub(crate) const AGENTS_FACE: u8 = 12;

/// A running edge.
pub(crate) struct Edge {
    _process: Process,
}

impl Edge {
    /// Starts the edge with `edge.pem`, `edge.key` and `ca.pem` of the lab's folder: between the telephones at the
    /// lab's usual addresses and the program at `tandem`, a SIP address.
    pub(crate) fn start(lab: &Lab, tandem: &str) -> Edge {
        let run = lab.path("edge");
        std::fs::create_dir_all(&run).unwrap();
        let mut command = Command::new("kamailio");
        command.args(["-DD", "-E", "-m", "64", "-M", "8"]);
        command.arg("-f").arg(tests().join("kamailio/edge.cfg"));
        command.arg("-Y").arg(&run).arg("-w").arg(&run);
        let words = [
            ("FACE_C", lab.ip(CALLERS_FACE)),
            ("FACE_A", lab.ip(AGENTS_FACE)),
            ("PHONES_C", format!("sip:{}", lab.sip(lab::CALLER))),
            ("PHONES_A", format!("sip:{}", lab.sip(lab::AGENT))),
            ("TANDEM", tandem.to_owned()),
            ("TLS_DIR", lab.folder().display().to_string()),
        ];
        for (word, value) in words {
            command.arg(format!("--substdef=!{word}!{value}!g"));
        }
        let mut process = Process::start("edge", &mut command, &lab.path("edge.log"));
        let plain = format!("{}:5060", lab.ip(AGENTS_FACE));
        let secure = format!("{}:5061", lab.ip(AGENTS_FACE));
        until("the edge listens", || {
            assert!(process.ended().is_none(), "the edge ended at its start");
            [&plain, &secure]
                .iter()
                .all(|address| std::net::TcpStream::connect(address).is_ok())
                .then_some(())
        });
        Edge { _process: process }
    }
}
