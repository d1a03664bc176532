//! Transactions: a request, its copies, and its responses (RFC 3261 section 17, RFC 6026).
//!
//! [`Transactions`] matches messages to transactions, sends again what may have been lost, absorbs copies, and gives
//! up in time. Who asked (`E`, the errand) and what a message means is its user's business.

mod client;
mod invite_client;
mod invite_server;
mod key;
mod letter;
mod server;
mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use self::client::Client;
use self::invite_client::{Heard, InviteClient};
use self::invite_server::InviteServer;
use self::key::TransactionId;
use self::letter::Letter;
use self::server::Server;
use self::wire::Wire;
use crate::flow::Destination;
use crate::message::Message;
use crate::method::Method;
use crate::timer::Timers;

pub use self::key::TransmitToken;
pub(crate) use self::key::{Branch, ClientKey, ServerId};
pub use self::wire::Transmit;

/// A response that is news.
#[derive(Debug)]
pub(crate) struct Told<E> {
    /// The request that it answers.
    pub(crate) key: ClientKey,
    /// Who asked.
    pub(crate) errand: E,
    /// The request as it was sent, with the first final response; else empty.
    pub(crate) request: Bytes,
    /// Where it went, with the first final response.
    pub(crate) to: Option<Destination>,
}

/// What a request turned out to be.
#[derive(Debug)]
pub(crate) enum Received {
    /// A copy, or an ACK that a transaction waited for: done.
    Absorbed,
    /// An ACK for a 2xx: the user looks for its dialog.
    Ack,
    /// A request never seen before. Answer it with [`Transactions::open`] and [`Transactions::respond`].
    New,
    /// A request never seen before, but one of the same Call-ID, From tag and CSeq came by another way (RFC 3261
    /// section 8.2.2.2): to be answered 482.
    Merged,
}

/// All transactions of one user agent.
#[derive(Debug)]
pub(crate) struct Transactions<E> {
    clients: BTreeMap<ClientKey, ClientTransaction<E>>,
    servers: BTreeMap<ServerId, ServerTransaction>,
    /// By branch, sent-by and method.
    server_keys: BTreeMap<Arc<[u8]>, ServerId>,
    /// Requests without a To tag by Call-ID, From tag and CSeq.
    origins: BTreeMap<Arc<[u8]>, ServerId>,
    next_server: u64,
    timers: Timers<(TransactionId, Letter)>,
    transmits: VecDeque<Transmit>,
    /// Where keys are put together for a look-up.
    scratch: Vec<u8>,
}

#[derive(Debug)]
struct ClientTransaction<E> {
    errand: E,
    to: Destination,
    machine: ClientMachine,
}

#[derive(Debug)]
enum ClientMachine {
    Invite(InviteClient),
    Other(Client),
}

#[derive(Debug)]
struct ServerTransaction {
    key: Arc<[u8]>,
    origin: Option<Arc<[u8]>>,
    to: Destination,
    machine: ServerMachine,
}

#[derive(Debug)]
enum ServerMachine {
    Invite(InviteServer),
    Other(Server),
}

impl<E: Copy> Transactions<E> {
    pub(crate) fn new() -> Self {
        Self {
            clients: BTreeMap::new(),
            servers: BTreeMap::new(),
            server_keys: BTreeMap::new(),
            origins: BTreeMap::new(),
            next_server: 0,
            timers: Timers::new(),
            transmits: VecDeque::new(),
            scratch: Vec::new(),
        }
    }

    /// Sends an INVITE under its branch.
    pub(crate) fn start_invite(
        &mut self,
        now: Instant,
        key: ClientKey,
        to: Destination,
        bytes: Bytes,
        errand: E,
    ) {
        let mut wire = wire(now, TransactionId::Client(key), &to, &mut self.timers, &mut self.transmits);
        let machine = ClientMachine::Invite(InviteClient::start(bytes, &mut wire));
        self.clients.insert(key, ClientTransaction { errand, to, machine });
    }

    /// Sends any other request but ACK under its branch.
    pub(crate) fn start(&mut self, now: Instant, key: ClientKey, to: Destination, bytes: Bytes, errand: E) {
        let mut wire = wire(now, TransactionId::Client(key), &to, &mut self.timers, &mut self.transmits);
        let machine = ClientMachine::Other(Client::start(bytes, &mut wire));
        self.clients.insert(key, ClientTransaction { errand, to, machine });
    }

    /// Sends what belongs to no transaction: an ACK for a 2xx, a 2xx sent again, a response without state.
    pub(crate) fn send(&mut self, to: Destination, bytes: Bytes) {
        self.transmits.push_back(Transmit { to, token: None, bytes });
    }

    /// The INVITE of that key and where it went, while it has no final response.
    pub(crate) fn pending_invite(&self, key: ClientKey) -> Option<(&Bytes, &Destination)> {
        let transaction = self.clients.get(&key)?;
        match &transaction.machine {
            ClientMachine::Invite(machine) => Some((machine.request()?, &transaction.to)),
            ClientMachine::Other(_) => None,
        }
    }

    /// Waits no longer than this for the final response to an INVITE.
    pub(crate) fn limit_invite(&mut self, now: Instant, key: ClientKey, after: Duration) {
        let Some(transaction) = self.clients.get_mut(&key) else { return };
        let id = TransactionId::Client(key);
        let mut wire = wire(now, id, &transaction.to, &mut self.timers, &mut self.transmits);
        if let ClientMachine::Invite(machine) = &mut transaction.machine {
            machine.limit(&mut wire, after);
        }
    }

    /// Whether such a transaction lives.
    pub(crate) fn has_client(&self, key: ClientKey) -> bool {
        self.clients.contains_key(&key)
    }

    fn abandon(&mut self, key: ClientKey) {
        self.clients.remove(&key);
        self.stop_timers(TransactionId::Client(key));
    }

    /// A response: gives what it answers, unless it was a copy, or belongs to nothing.
    ///
    /// `make_ack` makes the ACK for a failure out of the INVITE.
    pub(crate) fn handle_response(
        &mut self,
        now: Instant,
        response: &Message,
        make_ack: impl FnOnce(&Bytes) -> Bytes,
    ) -> Option<Told<E>> {
        let status = response.status()?;
        let method = response.method();
        let branch = response.via().branch().and_then(Branch::from_text)?;
        let key = ClientKey { branch, cancel: method == Method::Cancel };
        let transaction = self.clients.get_mut(&key)?;
        let id = TransactionId::Client(key);
        let mut wire = wire(now, id, &transaction.to, &mut self.timers, &mut self.transmits);
        let heard = match &mut transaction.machine {
            ClientMachine::Invite(_) if method != Method::Invite => return None,
            ClientMachine::Invite(machine) if status.is_provisional() => machine.on_provisional(&mut wire),
            ClientMachine::Invite(machine) if status.is_success() => machine.on_success(&mut wire),
            ClientMachine::Invite(machine) => machine.on_failure(&mut wire, make_ack),
            ClientMachine::Other(machine) if status.is_provisional() => machine.on_provisional(&mut wire),
            ClientMachine::Other(machine) => machine.on_final(&mut wire),
        };
        let errand = transaction.errand;
        let told = match heard {
            Heard::Told(request) => {
                let to = (!request.is_empty()).then(|| transaction.to.clone());
                Some(Told { key, errand, request, to })
            }
            Heard::Absorbed => None,
        };
        if transaction.is_over() {
            self.clients.remove(&key);
        }
        told
    }

    /// The shell could not send this request. Gives who asked.
    pub(crate) fn handle_send_failed(&mut self, token: TransmitToken) -> Option<E> {
        let TransmitToken(key) = token;
        let transaction = self.clients.get(&key)?;
        // An ACK for a failure that could not be sent changes nothing: its response was told.
        let waits = match &transaction.machine {
            ClientMachine::Invite(machine) => machine.request().is_some(),
            ClientMachine::Other(machine) => machine.is_waiting(),
        };
        let errand = transaction.errand;
        if !waits {
            return None;
        }
        self.abandon(key);
        Some(errand)
    }

    /// A request: tells whether it is new.
    pub(crate) fn handle_request(&mut self, now: Instant, request: &Message) -> Received {
        let method = request.method();
        key::of_request(
            &mut self.scratch,
            request,
            if method == Method::Ack { Method::Invite } else { method },
        );
        let Some(&id) = self.server_keys.get(self.scratch.as_slice()) else {
            return if method == Method::Ack { Received::Ack } else { self.unless_merged(request) };
        };
        let Some(transaction) = self.servers.get_mut(&id) else { return Received::Absorbed };
        let mut wire =
            wire(now, TransactionId::Server(id), &transaction.to, &mut self.timers, &mut self.transmits);
        let received = match &mut transaction.machine {
            ServerMachine::Invite(machine) if method == Method::Ack => {
                if machine.on_ack(&mut wire) {
                    Received::Ack
                } else {
                    Received::Absorbed
                }
            }
            ServerMachine::Invite(machine) => {
                machine.on_copy(&mut wire);
                Received::Absorbed
            }
            ServerMachine::Other(machine) => {
                machine.on_copy(&mut wire);
                Received::Absorbed
            }
        };
        self.close_if_over(id);
        received
    }

    fn unless_merged(&mut self, request: &Message) -> Received {
        if request.to().tag().is_some() || request.method() == Method::Cancel {
            return Received::New;
        }
        key::of_origin(&mut self.scratch, request);
        if self.origins.contains_key(self.scratch.as_slice()) { Received::Merged } else { Received::New }
    }

    /// Opens the transaction of a new request; its responses go to `to`.
    pub(crate) fn open(&mut self, request: &Message, to: Destination) -> ServerId {
        let id = ServerId(self.next_server);
        self.next_server += 1;
        let method = request.method();
        key::of_request(&mut self.scratch, request, method);
        let key: Arc<[u8]> = self.scratch.as_slice().into();
        self.server_keys.insert(key.clone(), id);
        let origin = (request.to().tag().is_none() && method != Method::Cancel).then(|| {
            key::of_origin(&mut self.scratch, request);
            Arc::<[u8]>::from(self.scratch.as_slice())
        });
        if let Some(origin) = &origin {
            self.origins.insert(origin.clone(), id);
        }
        let machine = match method {
            Method::Invite => ServerMachine::Invite(InviteServer::start()),
            _ => ServerMachine::Other(Server::start()),
        };
        self.servers.insert(id, ServerTransaction { key, origin, to, machine });
        id
    }

    /// The INVITE that this CANCEL wants to withdraw.
    pub(crate) fn invite_of_cancel(&mut self, cancel: &Message) -> Option<ServerId> {
        key::of_request(&mut self.scratch, cancel, Method::Invite);
        self.server_keys.get(self.scratch.as_slice()).copied()
    }

    /// Sends a response to a request of theirs; nothing after a final one.
    pub(crate) fn respond(&mut self, now: Instant, id: ServerId, status: u16, response: Bytes) {
        let Some(transaction) = self.servers.get_mut(&id) else { return };
        let mut wire =
            wire(now, TransactionId::Server(id), &transaction.to, &mut self.timers, &mut self.transmits);
        match &mut transaction.machine {
            ServerMachine::Invite(machine) => machine.respond(status, response, &mut wire),
            ServerMachine::Other(machine) => machine.respond(response, &mut wire),
        }
        self.close_if_over(id);
    }

    /// Forgets a request of theirs that nobody answers any more.
    pub(crate) fn forget(&mut self, id: ServerId) {
        self.close(id);
    }

    /// Where the responses of that request go.
    pub(crate) fn reply_to(&self, id: ServerId) -> Option<&Destination> {
        self.servers.get(&id).map(|transaction| &transaction.to)
    }

    /// How many requests of theirs are open.
    pub(crate) fn servers(&self) -> usize {
        self.servers.len()
    }

    /// How many requests of ours are open.
    pub(crate) fn clients(&self) -> usize {
        self.clients.len()
    }

    /// How many timers run.
    pub(crate) fn timers(&self) -> usize {
        self.timers.len()
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Lets one due timer fire; `None` when none is due any more.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Option<Fired<E>> {
        let (id, letter) = self.timers.pop_due(now)?;
        Some(match id {
            TransactionId::Client(key) => self.fire_client(now, key, letter),
            TransactionId::Server(server) => {
                self.fire_server(now, server, letter);
                Fired::Quietly
            }
        })
    }

    fn fire_client(&mut self, now: Instant, key: ClientKey, letter: Letter) -> Fired<E> {
        let Some(transaction) = self.clients.get_mut(&key) else { return Fired::Quietly };
        let id = TransactionId::Client(key);
        let mut wire = wire(now, id, &transaction.to, &mut self.timers, &mut self.transmits);
        let timed_out = match &mut transaction.machine {
            ClientMachine::Invite(machine) => machine.on_timer(letter, &mut wire),
            ClientMachine::Other(machine) => machine.on_timer(letter, &mut wire),
        };
        let errand = transaction.errand;
        if !transaction.is_over() {
            return Fired::Quietly;
        }
        self.clients.remove(&key);
        if timed_out { Fired::TimedOut(errand) } else { Fired::Closed(key) }
    }

    fn fire_server(&mut self, now: Instant, id: ServerId, letter: Letter) {
        let Some(transaction) = self.servers.get_mut(&id) else { return };
        let mut wire =
            wire(now, TransactionId::Server(id), &transaction.to, &mut self.timers, &mut self.transmits);
        match &mut transaction.machine {
            ServerMachine::Invite(machine) => machine.on_timer(letter, &mut wire),
            ServerMachine::Other(machine) => machine.on_timer(letter),
        }
        self.close_if_over(id);
    }

    fn close_if_over(&mut self, id: ServerId) {
        if self.servers.get(&id).is_some_and(ServerTransaction::is_over) {
            self.close(id);
        }
    }

    fn close(&mut self, id: ServerId) {
        let Some(transaction) = self.servers.remove(&id) else { return };
        self.server_keys.remove(&transaction.key);
        if let Some(origin) = transaction.origin {
            self.origins.remove(&origin);
        }
        self.stop_timers(TransactionId::Server(id));
    }

    fn stop_timers(&mut self, id: TransactionId) {
        self.timers.stop_range((id, Letter::A), (id, Letter::M));
    }
}

/// What a timer did.
#[derive(Debug)]
pub(crate) enum Fired<E> {
    /// Something was sent again, or an answered transaction of theirs closed.
    Quietly,
    /// A request of ours had no response.
    TimedOut(E),
    /// A request of ours that was answered is forgotten.
    Closed(ClientKey),
}

impl<E> ClientTransaction<E> {
    fn is_over(&self) -> bool {
        match &self.machine {
            ClientMachine::Invite(machine) => machine.is_over(),
            ClientMachine::Other(machine) => machine.is_over(),
        }
    }
}

impl ServerTransaction {
    fn is_over(&self) -> bool {
        match &self.machine {
            ServerMachine::Invite(machine) => machine.is_over(),
            ServerMachine::Other(machine) => machine.is_over(),
        }
    }
}

fn wire<'a>(
    now: Instant,
    id: TransactionId,
    to: &'a Destination,
    timers: &'a mut Timers<(TransactionId, Letter)>,
    transmits: &'a mut VecDeque<Transmit>,
) -> Wire<'a> {
    Wire { now, id, to, timers, transmits }
}
