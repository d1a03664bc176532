//! A party's sound: its port, what was agreed, and who hears whom.

use std::sync::Arc;

use rand::Rng;
use tandem_center::call::{CallId, PartyId};
use tandem_media::codec::Codec;
use tandem_media::leg;
use tandem_media::leg::{LegCommand, Ports, PortsExhausted};
use tandem_media::negotiate::{LegSettings, LocalLeg, Negotiated};
use tandem_media::srtp::SrtpKey;

use crate::b2bua::{B2bua, Output};
use crate::call::{Media, PartyState};

impl B2bua {
    /// A leg's media on a port that is bound.
    pub(crate) fn reserve(
        &mut self,
        trunk: usize,
        codecs: Vec<Codec>,
        ports: &mut dyn Ports,
    ) -> Result<Media, PortsExhausted> {
        let Some(settings) = self
            .setup
            .trunks
            .get(trunk)
            .map(|trunk| (trunk.media, trunk.media_address, trunk.profile.srtp, trunk.profile.rtcp_mux))
        else {
            return Err(PortsExhausted { interface: leg::InterfaceId(0) });
        };
        let (interface, address, srtp, rtcp_mux) = settings;
        let port = ports.reserve(interface).inspect_err(|_| self.counters.ports_exhausted += 1)?;
        let local = LocalLeg::new(LegSettings {
            address,
            rtp_port: port.rtp,
            codecs,
            srtp,
            key: SrtpKey::new(self.random.random()),
            telephone_event: Some(101),
            comfort_noise: true,
            rtcp_mux,
            ptime_ms: 20,
            // RFC 8866: a number; 31 bits are understood everywhere.
            session_id: u64::from(self.random.random::<u32>() >> 1),
        });
        let id = leg::LegId(self.next_media_leg);
        self.next_media_leg += 1;
        Ok(Media { leg: id, port, local, open: false, agreed: None })
    }

    pub(crate) fn index_media(&mut self, media: leg::LegId, call: CallId) {
        self.by_media.insert(media, call);
    }

    /// Tells the relay what was agreed, opening the leg the first time.
    pub(crate) fn configure(&mut self, call: CallId, party: PartyId, agreed: Negotiated) {
        let seed: u64 = self.random.random();
        let Some(party) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        let latch = self.setup.trunks.get(party.trunk).is_some_and(|trunk| trunk.profile.latch);
        let leg = party.media.leg;
        let negotiated = Arc::new(agreed);
        party.media.agreed = Some(negotiated.clone());
        if !party.media.open {
            party.media.open = true;
            let port = party.media.port;
            self.out.push_back(Output::Media(LegCommand::Open { leg, port, affinity: call.0, seed }));
        }
        self.out.push_back(Output::Media(LegCommand::Configure { leg, negotiated, latch }));
    }

    /// Opens a leg of which nothing is agreed yet.
    pub(crate) fn open(&mut self, call: CallId, party: PartyId) {
        let seed: u64 = self.random.random();
        let Some(party) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        if !party.media.open {
            party.media.open = true;
            let (leg, port) = (party.media.leg, party.media.port);
            self.out.push_back(Output::Media(LegCommand::Open { leg, port, affinity: call.0, seed }));
        }
    }

    /// Lets a party that is apart hear the others and be heard.
    pub(crate) fn admit(&mut self, call: CallId, party: PartyId) {
        let Some(party) = self.calls.get_mut(&call).and_then(|c| c.party(party)) else { return };
        if std::mem::replace(&mut party.apart, false) && matches!(party.state, PartyState::Joined) {
            self.bridge(call);
        }
    }

    /// Lets the joined parties hear each other: two of them are bridged.
    pub(crate) fn bridge(&mut self, call: CallId) {
        let Some(record) = self.calls.get_mut(&call) else { return };
        let together = record.parties.iter().filter(|p| matches!(p.state, PartyState::Joined) && !p.apart);
        let mut legs = together.map(|p| p.media.leg);
        let bridged = legs.next().zip(legs.next_back());
        if record.bridged == bridged {
            return;
        }
        let before = std::mem::replace(&mut record.bridged, bridged);
        let is_there = |leg| record.parties.iter().any(|p| p.media.leg == leg);
        match (before, bridged) {
            (_, Some((a, b))) => self.out.push_back(Output::Media(LegCommand::Bridge { a, b })),
            // A leg that is gone hears nobody any more, and neither does whom it was bridged to.
            (Some((a, b)), None) if is_there(a) && is_there(b) => {
                self.out.push_back(Output::Media(LegCommand::Unbridge { leg: a }));
            }
            _ => {}
        }
    }
}
