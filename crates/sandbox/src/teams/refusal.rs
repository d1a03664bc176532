//! How Teams says no: a status, and a Reason header with a correlation id and a phrase.

use tandem_sip::header::HeaderName;
use tandem_sip::message::RawMessage;

use super::wire::Response;
use crate::chance::Chance;

/// A refusal. Texts that Microsoft does not publish are invented in the published shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// Microsoft's sub-code, seen by administrators only.
    pub sub_code: Option<u32>,
    /// The cause of ITU-T Q.850.
    pub cause: u8,
    /// The phrase in Reason.
    pub text: &'static str,
    /// Further headers.
    pub headers: Vec<(HeaderName<'static>, Vec<u8>)>,
}

impl Refusal {
    /// A refusal.
    pub fn new(status: u16, cause: u8, text: &'static str) -> Self {
        Self { status, sub_code: None, cause, text, headers: Vec::new() }
    }

    /// 403, cause 63: service or option not available.
    pub fn forbidden(text: &'static str) -> Self {
        Self::new(403, 63, text)
    }

    /// 400, cause 111: protocol error.
    pub fn bad_request(text: &'static str) -> Self {
        Self::new(400, 111, text).with_sub_code(540_400)
    }

    /// 488, cause 88: incompatible destination.
    pub fn not_acceptable(sub_code: u32, text: &'static str) -> Self {
        Self::new(488, 88, text).with_sub_code(sub_code)
    }

    /// With Microsoft's sub-code.
    pub fn with_sub_code(mut self, sub_code: u32) -> Self {
        self.sub_code = Some(sub_code);
        self
    }

    /// With another header.
    pub fn with_header(mut self, name: HeaderName<'static>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The bytes of the response.
    pub fn to_bytes(&self, request: &RawMessage, chance: &mut Chance, product: &str) -> Vec<u8> {
        let reason = format!("Q.850;cause={};text=\"{};{}\"", self.cause, chance.guid(), self.text);
        let mut headers = vec![(HeaderName::Reason, reason.into_bytes())];
        headers.extend(self.headers.iter().cloned());
        let is_options = request.request_method() == Some(tandem_sip::method::Method::Options);
        let tag = chance.hex32();
        let response = Response {
            status: self.status,
            to_tag: Some(&tag),
            headers,
            without_allow: is_options,
            product,
            ..Response::default()
        };
        response.to_bytes(request)
    }
}
