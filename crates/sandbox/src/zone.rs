//! What the sandbox's DNS knows: a few names with addresses and services, changed at run time.
//!
//! The zone answers bytes with bytes and owns no socket; see [`crate::dns`] for those.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, Metadata, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, SOA, SRV};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use serde::{Deserialize, Serialize};

/// All names that exist. Every other name does not: the sandbox asks nobody else.
#[derive(Clone, Debug, Default)]
pub struct Zone {
    entries: BTreeMap<String, Entry>,
    ttl: Duration,
}

impl Zone {
    /// An empty zone whose answers may be kept for `ttl`.
    pub fn new(ttl: Duration) -> Self {
        Self { entries: BTreeMap::new(), ttl }
    }

    /// Puts a name in, or in place of what it was. An entry without addresses and services still exists: queries for
    /// it are answered with nothing.
    ///
    /// Says no to what is no DNS name, and to more than `NAMES_MAX` names.
    pub fn set(&mut self, name: &str, entry: Entry) -> Result<(), NotAName> {
        let key = key(name).ok_or(NotAName)?;
        let targets_are_names = entry.services.iter().all(|service| Name::from_str(&service.target).is_ok());
        if !targets_are_names || (self.entries.len() >= NAMES_MAX && !self.entries.contains_key(&key)) {
            return Err(NotAName);
        }
        self.entries.insert(key, entry);
        Ok(())
    }

    /// Takes a name out: from now on it does not exist.
    pub fn remove(&mut self, name: &str) {
        if let Some(key) = key(name) {
            self.entries.remove(&key);
        }
    }

    /// The addresses of a name, in order.
    pub fn addresses(&self, name: &str) -> &[IpAddr] {
        let entry = key(name).and_then(|key| self.entries.get(&key));
        entry.map_or(&[], |entry| &entry.addresses)
    }

    /// All names and what they hold.
    pub fn entries(&self) -> &BTreeMap<String, Entry> {
        &self.entries
    }

    /// The answer to a query, at most `octets_max` long (more is cut off and said to be). `None`: what came is no
    /// query, and is not answered.
    pub fn answer(&self, query: &[u8], octets_max: usize) -> Option<Vec<u8>> {
        let query = match Message::from_vec(query) {
            Ok(query) => query,
            // Enough came to say whose fault it is.
            Err(_) => {
                let id = u16::from_be_bytes([*query.first()?, *query.get(1)?]);
                let is_query = query.get(2)? & 0x80 == 0;
                let refusal = Message::error_msg(id, OpCode::Query, ResponseCode::FormErr);
                return is_query.then(|| refusal.to_vec().ok()).flatten();
            }
        };
        if query.metadata.message_type != MessageType::Query {
            return None;
        }
        let octets_max = octets_max.max(usize::from(query.max_payload()).min(UDP_OCTETS_MAX));
        let response = self.respond(&query);
        let bytes = response.to_vec().ok()?;
        if bytes.len() <= octets_max { Some(bytes) } else { response.truncate().to_vec().ok() }
    }

    fn respond(&self, query: &Message) -> Message {
        let mut response = Message::response(query.metadata.id, query.metadata.op_code);
        response.metadata = Metadata::response_from_request(&query.metadata);
        response.metadata.authoritative = true;
        response.metadata.recursion_available = true;
        response.add_queries(query.queries.iter().cloned());
        if query.edns.is_some() {
            let mut edns = Edns::new();
            edns.set_max_payload(UDP_OCTETS_MAX as u16);
            response.set_edns(edns);
        }
        let [question] = query.queries.as_slice() else {
            response.metadata.response_code = ResponseCode::FormErr;
            return response;
        };
        if query.metadata.op_code != OpCode::Query || question.query_class != DNSClass::IN {
            response.metadata.response_code = ResponseCode::NotImp;
            return response;
        }
        let ttl_s = u32::try_from(self.ttl.as_secs()).unwrap_or(u32::MAX);
        match key(&question.name.to_ascii()).and_then(|key| self.entries.get(&key)) {
            Some(entry) => {
                let data = entry.records(question.query_type);
                response.add_answers(data.map(|data| Record::from_rdata(question.name.clone(), ttl_s, data)));
            }
            None => response.metadata.response_code = ResponseCode::NXDomain,
        }
        if response.answers.is_empty() {
            response.add_authority(start_of_authority(&question.name, ttl_s));
        }
        response
    }
}

/// What one name holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Entry {
    /// For A and AAAA queries.
    pub addresses: Vec<IpAddr>,
    /// For SRV queries.
    pub services: Vec<Service>,
}

impl Entry {
    /// A host with these addresses.
    pub fn host(addresses: impl IntoIterator<Item = impl Into<IpAddr>>) -> Self {
        Self { addresses: addresses.into_iter().map(Into::into).collect(), services: Vec::new() }
    }

    fn records(&self, asked: RecordType) -> impl Iterator<Item = RData> {
        let wants = move |kind| asked == kind || asked == RecordType::ANY;
        let addresses = self.addresses.iter().filter_map(move |address| match address {
            IpAddr::V4(address) if wants(RecordType::A) => Some(RData::A(A(*address))),
            IpAddr::V6(address) if wants(RecordType::AAAA) => Some(RData::AAAA(AAAA(*address))),
            _ => None,
        });
        let services = self.services.iter().filter(move |_| wants(RecordType::SRV)).filter_map(|service| {
            let target = Name::from_str(&service.target).ok()?;
            Some(RData::SRV(SRV::new(service.priority, service.weight, service.port, target)))
        });
        addresses.chain(services)
    }
}

/// One server of a service (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Lower is tried first.
    pub priority: u16,
    /// The share among equal priorities.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host's name.
    pub target: String,
}

/// What was given is no DNS name, or there are too many names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a DNS name, or too many names")]
pub struct NotAName;

fn key(name: &str) -> Option<String> {
    let name = Name::from_str(name).ok()?;
    Some(name.to_ascii().trim_end_matches('.').to_ascii_lowercase())
}

/// Goes with every answer that says no, so that resolvers know how long to remember it (RFC 2308).
fn start_of_authority(name: &Name, ttl_s: u32) -> Record {
    let parent = name.base_name();
    let data = SOA::new(parent.clone(), parent.clone(), 1, 3600, 600, 86400, ttl_s);
    Record::from_rdata(parent, ttl_s, RData::SOA(data))
}

/// More names than any test needs; further ones are refused.
const NAMES_MAX: usize = 1000;
/// What we say we can take over UDP, and the most we send there when the other side can take it.
const UDP_OCTETS_MAX: usize = 1232;

#[cfg(test)]
mod tests {
    use hickory_proto::op::Query;

    use super::*;

    fn zone() -> Zone {
        let mut zone = Zone::new(Duration::from_secs(5));
        zone.set("Sip.pstnhub.microsoft.com", Entry::host([[127, 0, 0, 2]])).unwrap();
        let service =
            Service { priority: 1, weight: 1, port: 5061, target: "sip.pstnhub.microsoft.com".to_owned() };
        zone.set("_sips._tcp.contoso.example", Entry { services: vec![service], ..Entry::default() })
            .unwrap();
        zone
    }

    fn ask(zone: &Zone, name: &str, kind: RecordType) -> Message {
        let mut query = Message::query();
        query.add_query(Query::query(Name::from_str(name).unwrap(), kind));
        Message::from_vec(&zone.answer(&query.to_vec().unwrap(), 512).unwrap()).unwrap()
    }

    #[test]
    fn names_are_found_whatever_their_case() {
        let answer = ask(&zone(), "SIP.pstnhub.microsoft.com.", RecordType::A);
        assert_eq!(answer.answers[0].data, RData::A(A::new(127, 0, 0, 2)));
    }

    #[test]
    fn a_known_name_without_the_asked_kind_is_empty_but_exists() {
        let answer = ask(&zone(), "sip.pstnhub.microsoft.com.", RecordType::AAAA);
        assert_eq!(answer.metadata.response_code, ResponseCode::NoError);
        assert!(answer.answers.is_empty());
        assert_eq!(answer.authorities[0].record_type(), RecordType::SOA);
    }

    #[test]
    fn other_names_do_not_exist() {
        let answer = ask(&zone(), "www.microsoft.com.", RecordType::A);
        assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
    }

    #[test]
    fn services_are_told() {
        let answer = ask(&zone(), "_sips._tcp.contoso.example.", RecordType::SRV);
        let RData::SRV(srv) = &answer.answers[0].data else { panic!("no SRV") };
        assert_eq!(srv.port, 5061);
    }

    #[test]
    fn a_name_taken_out_is_gone() {
        let mut zone = zone();
        zone.remove("sip.pstnhub.microsoft.com");
        let answer = ask(&zone, "sip.pstnhub.microsoft.com.", RecordType::A);
        assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
    }

    #[test]
    fn what_is_no_query_is_refused_or_dropped() {
        assert_eq!(zone().answer(&[1], 512), None);
        let refusal = zone().answer(&[1, 2, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 255], 512).unwrap();
        let refusal = Message::from_vec(&refusal).unwrap();
        assert_eq!(refusal.metadata.response_code, ResponseCode::FormErr);
        let response = Message::response(7, OpCode::Query).to_vec().unwrap();
        assert_eq!(zone().answer(&response, 512), None, "responses are never answered");
    }

    #[test]
    fn an_answer_too_long_for_a_datagram_is_cut_off_and_says_so() {
        let mut zone = zone();
        let addresses = (0..200u8).map(|n| [127, 1, 0, n]);
        zone.set("many.example", Entry::host(addresses)).unwrap();
        let mut query = Message::query();
        query.add_query(Query::query(Name::from_str("many.example.").unwrap(), RecordType::A));
        let query = query.to_vec().unwrap();
        let cut = zone.answer(&query, 512).unwrap();
        assert!(cut.len() <= 512);
        assert!(Message::from_vec(&cut).unwrap().metadata.truncation);
        let whole = Message::from_vec(&zone.answer(&query, 65535).unwrap()).unwrap();
        assert_eq!(whole.answers.len(), 200);
    }
}
