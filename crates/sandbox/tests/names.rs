//! DNS over real sockets, changed over HTTP.

use std::net::SocketAddr;
use std::str::FromStr;

use crate::common::{LONG, config, http, start};
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

fn query(name: &str) -> Vec<u8> {
    let mut query = Message::query();
    query.add_query(Query::query(Name::from_str(name).unwrap(), RecordType::A));
    query.to_vec().unwrap()
}

async fn over_udp(dns: SocketAddr, name: &str) -> Message {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&query(name), dns).await.unwrap();
    let mut buffer = [0; 1500];
    let (length, _) = tokio::time::timeout(LONG, socket.recv_from(&mut buffer)).await.unwrap().unwrap();
    Message::from_vec(&buffer[..length]).unwrap()
}

async fn over_tcp(dns: SocketAddr, name: &str) -> Message {
    let mut stream = TcpStream::connect(dns).await.unwrap();
    let query = query(name);
    stream.write_u16(query.len() as u16).await.unwrap();
    stream.write_all(&query).await.unwrap();
    let mut answer = vec![0; usize::from(stream.read_u16().await.unwrap())];
    stream.read_exact(&mut answer).await.unwrap();
    Message::from_vec(&answer).unwrap()
}

fn addresses(answer: &Message) -> Vec<String> {
    let of = |data: &RData| match data {
        RData::A(a) => a.0.to_string(),
        other => panic!("{other}"),
    };
    answer.answers.iter().map(|record| of(&record.data)).collect()
}

#[tokio::test]
async fn the_proxies_and_the_border_controller_are_found() {
    let sandbox = start(config("names-found")).await;
    let dns = sandbox.addresses().dns;
    for (name, address) in [
        ("sip.pstnhub.microsoft.com.", "127.0.0.2"),
        ("sip2.pstnhub.microsoft.com.", "127.0.0.3"),
        ("sip3.pstnhub.microsoft.com.", "127.0.0.4"),
        ("sip-du-a-us.pstnhub.microsoft.com.", "127.0.0.2"),
        ("sbc1.contoso.example.", "127.0.0.1"),
        ("fabrikam.sbc1.contoso.example.", "127.0.0.1"),
    ] {
        assert_eq!(addresses(&over_udp(dns, name).await), [address], "{name}");
        assert_eq!(addresses(&over_tcp(dns, name).await), [address], "{name}");
    }
    assert_eq!(over_udp(dns, "example.com.").await.metadata.response_code, ResponseCode::NXDomain);
}

#[tokio::test]
async fn names_are_moved_and_removed_over_http() {
    let sandbox = start(config("names-moved")).await;
    let at = sandbox.addresses().clone();
    let moved = json!({"addresses": ["127.0.0.3"]});
    let (status, _) = http(at.control, "PUT", "/dns/sip.pstnhub.microsoft.com", Some(moved)).await;
    assert_eq!(status, 204);
    assert_eq!(addresses(&over_udp(at.dns, "sip.pstnhub.microsoft.com.").await), ["127.0.0.3"]);
    http(at.control, "DELETE", "/dns/sip.pstnhub.microsoft.com", None).await;
    let answer = over_udp(at.dns, "sip.pstnhub.microsoft.com.").await;
    assert_eq!(answer.metadata.response_code, ResponseCode::NXDomain);
    let (_, names) = http(at.control, "GET", "/dns", None).await;
    assert!(
        names.get("sip.pstnhub.microsoft.com").is_none() && names.get("sip2.pstnhub.microsoft.com").is_some()
    );
}
