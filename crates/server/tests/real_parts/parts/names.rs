//! A name server with a handful of names.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Answers for its names (RFC 1035), with A records; every other name and kind of record has none.
pub(crate) struct Names {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Names {
    /// Serves names at an address with a port.
    pub(crate) fn serve(at: &str, names: &[(&str, &str)]) -> Names {
        let socket = UdpSocket::bind(at).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let names: Vec<(String, Ipv4Addr)> =
            names.iter().map(|(name, address)| ((*name).to_owned(), address.parse().unwrap())).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 1500];
            while !stopped.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                if let Some(answer) = answer(&buffer[..length], &names) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Names { stop, thread: Some(thread) }
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(question: &[u8], names: &[(String, Ipv4Addr)]) -> Option<Vec<u8>> {
    let mut labels = Vec::new();
    let mut at = HEADER;
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(question.get(at..at + length)?).to_lowercase());
        at += length;
    }
    let kind = question.get(at..at + 2)?;
    let asked = question.get(HEADER..at + 4)?;
    let name = labels.join(".");
    let found =
        names.iter().find(|(known, _)| *known == name && kind == A).map(|(_, address)| address.octets());
    let mut answer = question.get(..2)?.to_vec();
    // A response with authority, one question, no error.
    answer.extend([0x84, 0, 0, 1, 0, u8::from(found.is_some()), 0, 0, 0, 0]);
    answer.extend(asked);
    if let Some(address) = found {
        // The name in the question, A, IN, sixty seconds, four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(address);
    }
    Some(answer)
}

const HEADER: usize = 12;
const A: [u8; 2] = [0, 1];
