//! One request to the API, as simple as HTTP can be.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// The root key of the program in a test.
pub(crate) const ROOT: &str = "0123456789abcdef0123456789abcdef";

/// Asks, and gives back the status and the body. An error if nobody answers.
pub(crate) fn ask(
    address: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> std::io::Result<(u16, String)> {
    let (status, body) = exchange(address, "", method, path, body)?;
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

/// The same on behalf of a tenant.
pub(crate) fn ask_of(
    address: &str,
    tenant: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> std::io::Result<(u16, String)> {
    let (status, body) = exchange(address, &format!("Tandem-Tenant: {tenant}\r\n"), method, path, body)?;
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

fn exchange(
    address: &str,
    headers: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> std::io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {ROOT}\r\n\
         {headers}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(answer.len());
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Ok((status, answer.get(end + 4..).unwrap_or_default().to_owned()))
}
