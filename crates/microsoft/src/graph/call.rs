//! One call to Graph as a value: what is asked, and as whom.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::http::{Method, Request, Response};
use crate::id::{Guid, ObjectId};
use crate::secret::Secret;
use crate::time::UnixTime;

/// A moment on both clocks that Graph needs: the steady one for pauses, the calendar for expiries.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Moment {
    /// On the steady clock, which pauses and time-outs are counted on.
    pub at: Instant,
    /// On the calendar, which subscriptions expire by. It may jump; nothing but expiries depends on it.
    pub unix: UnixTime,
}

/// As whom Graph is called: whose token the shell adds.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Caller {
    /// The application itself, with application permissions (client credentials).
    Application,
    /// A person who signed in, or a service account, with delegated permissions.
    Account(ObjectId),
}

/// What a call does. It says which permission the call needs, and which limit of Graph it counts for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Operation {
    /// Reads the presence of up to 650 people.
    ReadPresences,
    /// Asks to be notified of presence.
    SubscribePresence,
    /// Prolongs a subscription.
    RenewSubscription,
    /// Tells Graph that a subscription may go on.
    ReauthoriseSubscription,
    /// Ends a subscription.
    DeleteSubscription,
    /// Reads the subscriptions of the caller.
    ListSubscriptions,
    /// Sets the presence of a person's session of this application.
    SetPresence,
    /// Ends that session.
    ClearPresence,
    /// Reads the users of a tenant, or what changed among them.
    ReadUsers,
    /// Reads what a person wrote into the own profile, such as skills.
    ReadProfile,
    /// Reads who belongs to a group.
    ReadMembers,
    /// Reads the photo of a person.
    ReadPhoto,
    /// Reads what the tenant has granted to the application.
    ReadGrants,
    /// Several calls in one request. Its parts have operations of their own.
    Batch,
}

impl Operation {
    /// The least permission that allows this; none if any token does.
    #[must_use]
    pub fn permission(self) -> Option<&'static str> {
        match self {
            Self::ReadPresences | Self::SubscribePresence => Some("Presence.Read.All"),
            Self::SetPresence | Self::ClearPresence => Some("Presence.ReadWrite.All"),
            Self::ReadUsers | Self::ReadProfile => Some("User.Read.All"),
            Self::ReadMembers => Some("GroupMember.Read.All"),
            Self::ReadPhoto => Some("ProfilePhoto.Read.All"),
            Self::ReadGrants => Some("Application.Read.All"),
            Self::RenewSubscription
            | Self::ReauthoriseSubscription
            | Self::DeleteSubscription
            | Self::ListSubscriptions
            | Self::Batch => None,
        }
    }

    /// A stable name for logs and metrics, such as `read_presences`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadPresences => "read_presences",
            Self::SubscribePresence => "subscribe_presence",
            Self::RenewSubscription => "renew_subscription",
            Self::ReauthoriseSubscription => "reauthorise_subscription",
            Self::DeleteSubscription => "delete_subscription",
            Self::ListSubscriptions => "list_subscriptions",
            Self::SetPresence => "set_presence",
            Self::ClearPresence => "clear_presence",
            Self::ReadUsers => "read_users",
            Self::ReadProfile => "read_profile",
            Self::ReadMembers => "read_members",
            Self::ReadPhoto => "read_photo",
            Self::ReadGrants => "read_grants",
            Self::Batch => "batch",
        }
    }
}

/// Where a call goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// What follows the version in the address: a path that begins with `/`, and its query, both escaped.
    Path(String),
    /// A whole address that Graph gave for the next page or the next round, used as it is.
    Link(String),
}

/// A request to Graph, without its host and its token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// What it does.
    pub operation: Operation,
    /// As whom.
    pub caller: Caller,
    /// What is done to the target.
    pub method: Method,
    /// Where it goes.
    pub target: Target,
    /// Header lines besides authorisation, content type and the request's id.
    pub headers: Vec<(&'static str, String)>,
    /// A JSON document; empty for none.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoAnswer {
    /// Graph could not be reached, or what came was no HTTP.
    #[error("Microsoft Graph cannot be reached")]
    Unreachable,
    /// No answer came in time.
    #[error("Microsoft Graph did not answer in time")]
    TooSlow,
    /// There is no token for the caller; Entra ID's own fault is told elsewhere.
    #[error("there is no token for the caller")]
    NoToken,
}

/// What came of a call.
pub type Answer = Result<Response, NoAnswer>;

/// The address of Graph in one cloud.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    origin: String,
}

/// Why an address cannot be used for Graph.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadAddress {
    /// It is no address, or has a path, a query or a user in it.
    #[error("not the address of a host (such as https://graph.microsoft.com)")]
    NotAnOrigin,
    /// It is neither https nor http towards this machine.
    #[error("https is needed, but towards this machine")]
    NotSecure,
    /// It is a link that Graph gave to another host: no token is sent there.
    #[error("a link leads to another host than Graph's")]
    Elsewhere,
}

impl Call {
    /// A call without body.
    #[must_use]
    pub fn new(operation: Operation, caller: Caller, method: Method, target: Target) -> Self {
        Self { operation, caller, method, target, headers: Vec::new(), body: Vec::new() }
    }

    /// A GET of a path and query after the version.
    #[must_use]
    pub fn get(operation: Operation, caller: Caller, path: impl Into<String>) -> Self {
        Self::new(operation, caller, Method::Get, Target::Path(path.into()))
    }

    /// A POST to a path after the version.
    #[must_use]
    pub fn post(operation: Operation, caller: Caller, path: impl Into<String>) -> Self {
        Self::new(operation, caller, Method::Post, Target::Path(path.into()))
    }

    /// With this value as the body. Only for values of this module, which all have a form in JSON.
    #[must_use]
    pub(crate) fn json(mut self, body: &impl Serialize) -> Self {
        self.body = serde_json::to_vec(body).unwrap_or_default();
        self
    }

    /// With one header line more.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The request to send.
    ///
    /// `id` is a fresh random one; Graph repeats it, so that both sides' logs can be laid beside each other.
    ///
    /// # Errors
    /// A link leads away from Graph.
    pub fn request(&self, endpoint: &Endpoint, token: &Secret, id: Guid) -> Result<Request, BadAddress> {
        let url = match &self.target {
            Target::Path(path) => format!("{}{VERSION}{path}", endpoint.origin),
            Target::Link(link) => endpoint.own(link)?.to_owned(),
        };
        let mut request =
            Request::new(self.method, url).bearer(token).header("client-request-id", id.to_string());
        if !self.body.is_empty() {
            request = request.header("Content-Type", "application/json");
            request.body.clone_from(&self.body);
        }
        request.headers.extend(self.headers.iter().cloned());
        Ok(request)
    }
}

impl Endpoint {
    /// The Graph at this address, such as `https://graph.microsoft.com`.
    ///
    /// # Errors
    /// It is no address of a host, or neither https nor http towards this machine.
    pub fn new(origin: &str) -> Result<Self, BadAddress> {
        let url = url::Url::parse(origin).map_err(|_| BadAddress::NotAnOrigin)?;
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !bare || !url.has_host() {
            return Err(BadAddress::NotAnOrigin);
        }
        let secure = match url.scheme() {
            "https" => true,
            "http" => is_loopback(&url),
            _ => false,
        };
        if !secure {
            return Err(BadAddress::NotSecure);
        }
        Ok(Self { origin: url.origin().ascii_serialization() })
    }

    /// The address, without a slash at its end.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The link, if it leads to this Graph.
    fn own<'a>(&self, link: &'a str) -> Result<&'a str, BadAddress> {
        let url = url::Url::parse(link).map_err(|_| BadAddress::Elsewhere)?;
        let same = url.origin().ascii_serialization() == self.origin;
        if same && url.username().is_empty() && url.password().is_none() {
            Ok(link)
        } else {
            Err(BadAddress::Elsewhere)
        }
    }
}

/// How long a call may be under way. A value that sent one gives it up then; an answer that comes later is ignored.
///
/// Longer than any patience of a shell with its connection (10 s is usual), so that this is only the last resort.
pub const ANSWER_AFTER_MAX: Duration = Duration::from_secs(30);

/// Octets of a link that Graph may give; a longer one is taken for none.
pub const LINK_OCTETS_MAX: usize = 8 * 1024;

/// The version of Graph that is spoken.
const VERSION: &str = "/v1.0";

fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// The moment at which the clock of a unit test starts.
#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test's clock starts somewhere; from there on it is moved by hand"
)]
pub(crate) fn start_of_test() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(target: &str) -> Result<Request, BadAddress> {
        let call = Call::new(
            Operation::ReadUsers,
            Caller::Application,
            Method::Get,
            Target::Link(target.to_owned()),
        );
        call.request(
            &Endpoint::new("https://graph.test").unwrap(),
            &Secret::new("t"),
            Guid::from_octets([7; 16]),
        )
    }

    #[test]
    fn a_token_never_goes_to_another_host() {
        assert!(link("https://graph.test/v1.0/users/delta?$skiptoken=a%20b").is_ok());
        assert!(link("https://GRAPH.test:443/v1.0/users").is_ok());
        for elsewhere in [
            "http://graph.test/v1.0/users",
            "https://graph.test.evil.test/",
            "https://graph.test@evil.test/",
            "https://me@graph.test/",
            "https://graph.test:8443/v1.0/users",
            "/v1.0/users",
            "javascript:alert(1)",
            "",
        ] {
            assert_eq!(link(elsewhere), Err(BadAddress::Elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_link_is_used_as_it_stands() {
        let request = link("https://GRAPH.test/v1.0/x?$deltatoken=%2f~'").unwrap();
        assert_eq!(request.url, "https://GRAPH.test/v1.0/x?$deltatoken=%2f~'");
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear() {
        for good in
            ["https://graph.microsoft.com", "https://graph.test/", "http://127.0.0.1:8080", "http://[::1]:1"]
        {
            assert!(Endpoint::new(good).is_ok(), "{good}");
        }
        assert_eq!(Endpoint::new("http://graph.microsoft.com"), Err(BadAddress::NotSecure));
        assert_eq!(Endpoint::new("ftp://127.0.0.1"), Err(BadAddress::NotSecure));
        for bad in ["", "graph.microsoft.com", "https://graph.test/v1.0", "https://a@graph.test"] {
            assert_eq!(Endpoint::new(bad), Err(BadAddress::NotAnOrigin), "{bad}");
        }
    }

    #[test]
    fn a_request_carries_token_id_and_kind() {
        let call = Call::post(Operation::ReadPresences, Caller::Application, "/communications/x")
            .json(&serde_json::json!({"ids": []}));
        let request = call
            .request(
                &Endpoint::new("http://localhost:9").unwrap(),
                &Secret::new("t"),
                Guid::from_octets([1; 16]),
            )
            .unwrap();
        assert_eq!(request.url, "http://localhost:9/v1.0/communications/x");
        assert_eq!(request.body, b"{\"ids\":[]}");
        let names: Vec<_> = request.headers.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["Authorization", "client-request-id", "Content-Type"]);
    }
}
