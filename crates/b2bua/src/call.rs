//! One call and its parties, as this door sees them.

use std::sync::Arc;
use std::time::Instant;

use tandem_center::call::{Address, Cause, PartyId, PlayId, TransferId};
use tandem_media::codec::Codec;
use tandem_media::leg::{self, MediaPort};
use tandem_media::negotiate::{LocalLeg, Negotiated};
use tandem_sip::flow::Hop;
use tandem_sip::ua::{Body, LegId, ReferId};

use crate::collect::{Collection, TypeAhead};
use crate::recording::{Recording, Waiting};

/// A call with its parties.
#[derive(Debug)]
pub(crate) struct Call {
    /// Whom added parties see unless they are to see another: who called, or whom we showed to who was called first.
    pub shown: Shown,
    /// Parties in the order in which they were added.
    pub parties: Vec<Party>,
    /// The two legs that hear each other.
    pub bridged: Option<(leg::LegId, leg::LegId)>,
    /// A transfer that is wished or being carried out.
    pub transfer: Option<Transfer>,
    /// How many transfers were wished so far.
    pub transfers: u32,
    /// Set once the call is over and only quality reports are waited for.
    pub over: Option<Cause>,
    /// When the last party left.
    pub over_since: Option<Instant>,
    /// Recordings whose end was not told yet.
    pub recordings: Vec<Recording>,
    /// Media legs that were closed and have not reported yet.
    pub reports_due: Vec<(leg::LegId, PartyId)>,
}

impl Call {
    /// A call without parties.
    pub(crate) fn new(shown: Shown) -> Call {
        Call {
            shown,
            parties: Vec::with_capacity(2),
            bridged: None,
            transfer: None,
            transfers: 0,
            over: None,
            over_since: None,
            recordings: Vec::new(),
            reports_due: Vec::new(),
        }
    }

    /// A party by number.
    pub(crate) fn party(&mut self, id: PartyId) -> Option<&mut Party> {
        self.parties.iter_mut().find(|party| party.id == id)
    }

    /// How many parties are being rung.
    pub(crate) fn ringing(&self) -> usize {
        self.parties.iter().filter(|party| matches!(party.state, PartyState::Dialing(_))).count()
    }

    /// The codec that the others should have, so that nothing or only one law of G.711 must be turned into the other.
    pub(crate) fn codec_in_use(&self) -> Option<&Codec> {
        self.parties.iter().find_map(|party| party.media.agreed.as_ref()).map(|agreed| &agreed.codec)
    }
}

/// Whom a telephone shows as the caller.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// The number or address.
    pub address: Address,
    /// The name beside it; may be empty.
    pub name: Arc<str>,
    /// The center chose it, so that we vouch for it; else it is what another network told us of a caller.
    pub chosen: bool,
}

/// A party of a call.
#[derive(Debug)]
pub(crate) struct Party {
    /// Its number in the call.
    pub id: PartyId,
    /// Over which trunk, by its place in the list.
    pub trunk: usize,
    /// Its leg; a party that is tried at the next proxy gets a new one.
    pub leg: LegId,
    /// Its media.
    pub media: Media,
    /// Where it stands.
    pub state: PartyState,
    /// What is being played to it.
    pub playing: Option<PlayId>,
    /// A play of recordings that are being fetched; `playing` names it.
    pub waiting: Option<Waiting>,
    /// Digits being collected from it.
    pub collecting: Option<Collection>,
    /// Digits that nobody was collecting.
    pub ahead: TypeAhead,
    /// It is or will be alone: it hears nobody and nobody hears it.
    pub apart: bool,
    /// It holds the call.
    pub holds: bool,
    /// It was told, by `a=inactive`, that somebody else holds the call.
    pub told_hold: bool,
}

/// Where a party stands.
#[derive(Debug)]
pub(crate) enum PartyState {
    /// It called us and has no final answer yet.
    Arrived {
        /// What the answer will carry: our answer to its offer, or our offer.
        body: Body,
        /// What was agreed by it. `None` when our answer carries the offer.
        agreed: Option<Negotiated>,
    },
    /// Our 200 is on its way to it; its ACK is not here yet.
    Answering,
    /// Our INVITE is on its way, or its telephone rings.
    Dialing(Dialing),
    /// It hears and is heard.
    Joined,
}

/// An attempt to reach a party.
#[derive(Debug)]
pub(crate) struct Dialing {
    /// What is dialled.
    pub target: Target,
    /// Whom its telephone shows.
    pub shown: Shown,
    /// The hops not tried yet, the next one last, each with its place among the trunk's proxies.
    pub hops: Vec<(Option<usize>, Hop)>,
    /// The proxy being tried.
    pub proxy: Option<usize>,
    /// Something other than 100 came: no other proxy will be tried.
    pub ringing: bool,
    /// Its network said that it sends the call on.
    pub sent_on: bool,
}

/// What is dialled.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// An address of the center.
    Address(Address),
    /// The target of a REFER, byte for byte, with the headers that go with it.
    Referred {
        /// The URI of Refer-To.
        uri: Arc<[u8]>,
        /// The value of Referred-By.
        referred_by: Option<Box<[u8]>>,
    },
}

/// A party's media: one port for its whole life.
#[derive(Debug)]
pub(crate) struct Media {
    /// The leg at the relay.
    pub leg: leg::LegId,
    /// Its reserved port.
    pub port: MediaPort,
    /// Our side of offers and answers.
    pub local: LocalLeg,
    /// The relay has been told to open it.
    pub open: bool,
    /// What is agreed.
    pub agreed: Option<Arc<Negotiated>>,
}

/// A transfer that a party wished.
#[derive(Debug)]
pub(crate) struct Transfer {
    /// The wish, as the center knows it.
    pub id: TransferId,
    /// Who wished it; `None` once that party is gone.
    pub by: PartyId,
    /// The leg in whose dialog the REFER came.
    pub leg: LegId,
    /// The REFER.
    pub refer: ReferId,
    /// What to dial.
    pub target: Target,
    /// Where it stands.
    pub state: TransferState,
}

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransferState {
    /// The center has not decided.
    Asked,
    /// This party is being rung.
    Ringing(PartyId),
    /// The new party joined; the wishing party is expected to hang up.
    Done,
}
