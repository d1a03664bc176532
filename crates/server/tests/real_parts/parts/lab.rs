//! A place for one test: loopback addresses that nobody else uses, and a folder.

use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

/// Addresses and a folder of a test's own.
///
/// All of 127.0.0.0/8 answers on Linux, so that each part has the address and the well-known ports that it would have on
/// a machine of its own, and tests run beside each other.
pub(crate) struct Lab {
    network: String,
    folder: TempDir,
    /// Bound for as long as the test runs: whoever holds it has the network.
    _claim: UdpSocket,
}

/// Where the program under test is.
pub(crate) const TANDEM: u8 = 1;
/// Where callers are.
pub(crate) const CALLER: u8 = 2;
/// Where the first agent is.
pub(crate) const AGENT: u8 = 3;
/// Where the second agent is.
pub(crate) const SECOND_AGENT: u8 = 4;
/// Where a third telephone is: the target of a transfer, a stranger.
pub(crate) const THIRD: u8 = 5;
/// Where customers are who are called.
pub(crate) const CUSTOMER: u8 = 6;
/// Where callers are of whom several call at once.
pub(crate) const CALLERS: [u8; 4] = [21, 22, 23, 24];

impl Lab {
    /// Claims a free network: `127.64.1.0/24` to `127.127.254.0/24`.
    pub(crate) fn new() -> Lab {
        static TAKEN: AtomicU32 = AtomicU32::new(0);
        for _ in 0..NETWORKS {
            // None twice in one run: what a test left behind does not meet the next one.
            let taken = TAKEN.fetch_add(1, Ordering::Relaxed);
            let number = (std::process::id().wrapping_mul(31) + taken.wrapping_mul(7919)) % NETWORKS;
            let network = format!("127.{}.{}", 64 + number / 254, 1 + number % 254);
            if let Ok(claim) = UdpSocket::bind(format!("{network}.254:{CLAIM_PORT}")) {
                let folder = tempfile::Builder::new().prefix("tandem-").tempdir().unwrap();
                return Lab { network, folder, _claim: claim };
            }
        }
        panic!("no free loopback network; do hundreds of tests run on this machine?");
    }

    /// The first three numbers of the addresses: `127.64.1`.
    pub(crate) fn network(&self) -> &str {
        &self.network
    }

    /// An address.
    pub(crate) fn ip(&self, host: u8) -> String {
        format!("{}.{host}", self.network)
    }

    /// An address with the port of SIP.
    pub(crate) fn sip(&self, host: u8) -> String {
        format!("{}.{host}:5060", self.network)
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

/// 64 times 254.
const NETWORKS: u32 = 16_256;
/// Any port that no part uses.
const CLAIM_PORT: u16 = 1999;
