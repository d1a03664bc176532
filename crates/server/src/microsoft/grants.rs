//! What an Entra tenant has granted to us, as exactly as we may know it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use tandem_microsoft::entra::cache::TokenHash;
use tandem_microsoft::entra::permission::{Granted, NEEDED, PermissionKind, Standing};
use tandem_microsoft::graph::call::Operation;
use tandem_microsoft::graph::fault::Fault;
use tandem_microsoft::graph::members::Progress;
use tandem_microsoft::graph::permissions::{GrantsReading, in_token};
use tandem_microsoft::id::ClientId;
use tandem_microsoft::secret::Secret;

use super::graph::{Graph, lock};

/// What was granted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What.
    pub granted: Granted,
    /// Whether it was read from the tenant's directory: only that tells what people may do through us.
    pub knows_delegated: bool,
}

/// What was read from the directory last, kept for a while.
#[derive(Debug, Default)]
pub struct Grants {
    last: Mutex<Option<Read>>,
}

#[derive(Debug)]
struct Read {
    at: Instant,
    /// A token of our own changes when somebody has consented.
    token: TokenHash,
    /// None, if it could not be read.
    granted: Option<Granted>,
}

impl Grants {
    /// What is granted now: as the tenant's directory says, or else as this token does. Whoever asks waits not for long.
    pub async fn look(&self, graph: &Graph, client: ClientId, token: &Secret) -> Told {
        let hash = TokenHash::of(token);
        let known = lock(&self.last)
            .as_ref()
            .filter(|read| read.token == hash && read.at.elapsed() < READ_AGE_MAX)
            .map(|read| read.granted.clone());
        let of_token = in_token(token);
        let granted = match known {
            Some(known) => known,
            None => {
                let read = tokio::time::timeout(PATIENCE, read(graph, client, &of_token)).await;
                let granted = read.ok().and_then(Result::ok).flatten();
                *lock(&self.last) = Some(Read { at: Instant::now(), token: hash, granted: granted.clone() });
                granted
            }
        };
        let knows_delegated = granted.is_some();
        Told { granted: granted.unwrap_or(of_token), knows_delegated }
    }
}

/// What was granted, from the tenant's directory, if a token that permits this may read it there.
///
/// # Errors
///
/// Graph does not tell.
pub async fn read(graph: &Graph, client: ClientId, of_token: &Granted) -> Result<Option<Granted>, Fault> {
    if !permits(of_token, Operation::ReadGrants) {
        return Ok(None);
    }
    let mut reading = GrantsReading::new(client);
    loop {
        let answer = graph.ask(&reading.call()).await;
        if let Progress::Done(granted) = reading.handle_answer(&answer)? {
            return Ok(Some(granted));
        }
    }
}

/// Whether what was granted to ourselves is enough for an operation.
pub fn permits(granted: &Granted, operation: Operation) -> bool {
    let mut needed = NEEDED.iter().filter(|needed| {
        needed.kind == PermissionKind::Application && Some(needed.name) == operation.permission()
    });
    needed.all(|needed| granted.standing(needed) != Standing::Missing)
}

/// How long what was read is shown.
const READ_AGE_MAX: Duration = Duration::from_secs(60);

/// How long whoever looks at the page waits for the directory; then it is looked at again after a while.
const PATIENCE: Duration = Duration::from_secs(3);
