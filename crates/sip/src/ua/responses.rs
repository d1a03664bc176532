//! What becomes of requests of ours: responses, challenges, nothing.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::compose;
use super::engine::Errand;
use super::leg::{Leg, Stage};
use super::{Event, LegId, NoResponse, ReferId, UserAgent};
use crate::header::HeaderName;
use crate::message::Message;
use crate::transaction::Told;

impl UserAgent {
    pub(super) fn handle_response(&mut self, now: Instant, response: Message) {
        if response.list(HeaderName::Via).nth(1).is_some() {
            // It went astray: ours is the only Via of a request of ours (RFC 3261 section 8.1.3.3).
            return;
        }
        let make_ack = |invite: &Bytes| compose::ack_of_failure(invite, &response);
        let Some(told) = self.engine.transactions.handle_response(now, &response, make_ack) else { return };
        if response.status().is_some_and(|status| status.is_success())
            && self.engine.acknowledge_again(now, told.key, &response)
        {
            return;
        }
        self.on_response(now, told, Arc::new(response));
    }

    fn on_response(&mut self, now: Instant, told: Told<Errand>, response: Arc<Message>) {
        let Some(status) = response.status().map(|status| status.code()) else { return };
        if status >= 200 && self.proves_itself(now, &told, &response) {
            return;
        }
        let Told { key, errand, .. } = told;
        match errand {
            Errand::Invite(leg) => self.step(now, leg, |stage, turn| match stage {
                Stage::Outgoing(outgoing) => outgoing.on_response(turn, response).map(Stage::from),
                _ => None,
            }),
            Errand::Reinvite(leg) | Errand::Update(leg) => self.step(now, leg, |stage, turn| match stage {
                Stage::Established(established) => {
                    established.on_response(turn, key, &response).map(Stage::from)
                }
                _ => None,
            }),
            Errand::Bye(leg) => self.on_bye_done(now, leg),
            Errand::Info(leg) => self.step(now, leg, |stage, turn| match stage {
                Stage::Established(established) => {
                    established.on_info_response(turn, status).map(Stage::from)
                }
                _ => None,
            }),
            Errand::Notify(leg, refer) => self.on_notified(now, leg, refer, status >= 300),
            Errand::Request(id) => {
                self.asked.remove(&id);
                self.engine.events.push_back(Event::Response { id, response });
            }
            Errand::Prack(_) | Errand::Nothing => {}
        }
    }

    /// Sends a request again with the proof that a 401 or 407 asks for; `false`: the response counts as it is.
    fn proves_itself(&mut self, now: Instant, told: &Told<Errand>, response: &Message) -> bool {
        let challenged = response.status().is_some_and(|status| matches!(status.code(), 401 | 407));
        let leg = match told.errand {
            Errand::Request(id) => {
                let Some(digest) = self.asked.get_mut(&id).filter(|_| challenged) else { return false };
                let cseq = response.cseq().number + 1;
                return self.engine.ask_again(now, response, told, digest, cseq).is_some();
            }
            Errand::Invite(leg)
            | Errand::Reinvite(leg)
            | Errand::Update(leg)
            | Errand::Bye(leg)
            | Errand::Prack(leg)
            | Errand::Notify(leg, _)
            | Errand::Info(leg) => leg,
            Errand::Nothing => return false,
        };
        let Some(Leg { persona, stage }) = self.legs.get_mut(&leg) else { return false };
        let Some(digest) = &mut persona.digest else { return false };
        if !challenged {
            digest.passed();
            return false;
        }
        stage.ask_again(&mut self.engine, now, response, told, digest)
    }

    pub(super) fn on_no_response(&mut self, now: Instant, errand: Errand, why: NoResponse) {
        match errand {
            Errand::Invite(leg) => self.step(now, leg, |stage, turn| match stage {
                Stage::Outgoing(outgoing) => outgoing.on_no_response(turn, why).map(Stage::from),
                _ => None,
            }),
            Errand::Reinvite(leg) | Errand::Update(leg) | Errand::Info(leg) => {
                self.step(now, leg, |stage, turn| match stage {
                    Stage::Established(established) => established.on_no_response(turn).map(Stage::from),
                    _ => None,
                });
            }
            Errand::Bye(leg) => self.on_bye_done(now, leg),
            Errand::Notify(leg, refer) => self.on_notified(now, leg, refer, true),
            Errand::Request(id) => {
                self.asked.remove(&id);
                self.engine.events.push_back(Event::RequestFailed { id, why });
            }
            Errand::Prack(_) | Errand::Nothing => {}
        }
    }

    fn on_bye_done(&mut self, now: Instant, leg: LegId) {
        self.step(now, leg, |stage, turn| match stage {
            Stage::Ending(ending) => ending.on_bye_done(turn).map(Stage::from),
            _ => None,
        });
    }

    fn on_notified(&mut self, now: Instant, leg: LegId, refer: ReferId, lost: bool) {
        self.step(now, leg, |stage, turn| {
            if let Stage::Established(established) = stage {
                established.transfers.on_notified(turn, &mut established.dialog, refer, lost);
            }
            None
        });
    }
}
