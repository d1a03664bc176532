//! Why somebody is not known, or something about people is not done.

use tandem_people::api_key::{KeyId, KeyWishFault};
use tandem_people::caller::Refusal;
use tandem_people::login::{OpenFault as LoginFault, RenewFault};
use tandem_people::passkey::PasskeyFault;
use tandem_people::password::{CannotHash, PasswordFault};
use tandem_people::person::{NotAUserName, PersonFault};
use tandem_people::setup::SetupFault;
use tandem_people::throttle::Wait;
use tandem_store::register::{Failure, Noun, Refusal as KeptRefusal};

/// Nobody is known by what was presented.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stranger {
    /// Nothing was presented.
    #[error("no token was sent")]
    Missing,
    /// It is meant as an API key, and was cut or mistyped.
    #[error("this is not an API key; was it copied whole?")]
    NotAKey,
    /// It is not ours, or what it belonged to has ended.
    #[error("nobody is known by this token")]
    Unknown,
    /// The access token was good, and its time is over.
    #[error("the access token has expired")]
    Expired,
    /// The key was good, and its time is over.
    #[error("the API key has expired")]
    KeyExpired(KeyId),
}

impl Stranger {
    /// The stable word for records and programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Stranger::Missing | Stranger::NotAKey | Stranger::Unknown => "unauthorized",
            Stranger::Expired | Stranger::KeyExpired(_) => "expired",
        }
    }
}

/// The people of an installation cannot be known.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The file.
    #[error("{fault}; {}", .fault.remedy())]
    Register {
        /// What is wrong with it.
        #[from]
        fault: tandem_store::Fault,
    },
    /// Somebody of the configuration is kept as somebody else.
    #[error("{0}")]
    Configured(#[from] IdentityFault),
    /// The system gives no randomness.
    #[error("the system gives no randomness: {0}")]
    Randomness(rand::rand_core::OsError),
    /// The system gives no thread.
    #[error("the system gives no thread for the audit trail: {0}")]
    Thread(std::io::Error),
}

/// Why something about people is not done.
#[derive(Debug, thiserror::Error)]
pub enum IdentityFault {
    /// The caller may not.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such thing.
    #[error("there is no such {0}")]
    Unknown(&'static str),
    /// The person cannot be so.
    #[error(transparent)]
    Person(#[from] PersonFault),
    /// The name to sign in with cannot be so.
    #[error(transparent)]
    UserName(#[from] NotAUserName),
    /// The password is not good enough.
    #[error(transparent)]
    Password(#[from] PasswordFault),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] CannotHash),
    /// The passkey lets nobody in, or is not made.
    #[error(transparent)]
    Passkey(#[from] PasskeyFault),
    /// The key cannot be made.
    #[error(transparent)]
    Key(#[from] KeyWishFault),
    /// No login is opened.
    #[error(transparent)]
    Login(#[from] LoginFault),
    /// The refresh secret buys nothing.
    #[error(transparent)]
    Renew(#[from] RenewFault),
    /// The code of the first start lets nobody in.
    #[error(transparent)]
    Setup(#[from] SetupFault),
    /// It is too early to try again.
    #[error(transparent)]
    Wait(#[from] Wait),
    /// Name and password, or whatever was presented, do not fit: which of them is not told.
    #[error("this does not let anybody in")]
    WrongCredential,
    /// The person is of the configuration, which alone changes them.
    #[error("this person stands in the configuration")]
    OfConfiguration,
    /// Somebody signed in at Entra, and nothing says what they are here.
    #[error("{name} has no role in this contact center")]
    NoRole {
        /// The person's name.
        name: String,
    },
    /// Somebody signed in at an Entra tenant that is not connected.
    #[error("the Entra tenant {tid} is not connected to a contact center")]
    NotOnboarded {
        /// The tenant.
        tid: String,
    },
    /// The identity is known in another tenant.
    #[error("this user is known in another tenant")]
    OfAnotherTenant,
    /// The agent is not one of the configuration.
    #[error("there is no agent {agent:?} in the configuration of this tenant")]
    UnknownAgent {
        /// The agent.
        agent: String,
    },
    /// The agent is somebody else already.
    #[error("the agent {agent:?} is {by} already")]
    AgentTaken {
        /// The agent.
        agent: String,
        /// Who it is.
        by: String,
    },
    /// A local way in needs a name to sign in with.
    #[error("this person has no user name")]
    NoUserName,
    /// The caller is no person.
    #[error("only a person has this: the caller is a program")]
    NoPerson,
    /// Local sign-in is switched off.
    #[error("signing in with passwords and passkeys is switched off here")]
    LocalOff,
    /// The identity, or the id, is somebody else's.
    #[error("this {0} is taken")]
    Taken(&'static str),
    /// As many as there may be.
    #[error("there are as many {0} as there may be")]
    Full(&'static str),
    /// The register cannot be read or written.
    #[error("{0}; {remedy}", remedy = .0.remedy())]
    Register(tandem_store::Fault),
    /// What is kept cannot be understood.
    #[error("what is kept of {what} {id} cannot be read: {source}")]
    Kept {
        /// Of what.
        what: &'static str,
        /// Of which.
        id: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The program is ending.
    #[error("the program is ending")]
    Ending,
}

impl From<tandem_store::Fault> for IdentityFault {
    fn from(fault: tandem_store::Fault) -> IdentityFault {
        IdentityFault::Register(fault)
    }
}

impl From<Failure> for IdentityFault {
    fn from(failure: Failure) -> IdentityFault {
        match failure {
            Failure::Fault(fault) => IdentityFault::Register(fault),
            Failure::Refused(KeptRefusal::Taken(noun)) => IdentityFault::Taken(noun_text(noun)),
            Failure::Refused(KeptRefusal::Unknown(noun) | KeptRefusal::Misnamed(noun)) => {
                IdentityFault::Unknown(noun_text(noun))
            }
            Failure::Refused(KeptRefusal::Full { noun, .. } | KeptRefusal::TooLong { noun, .. }) => {
                IdentityFault::Full(noun_text(noun))
            }
        }
    }
}

const fn noun_text(noun: Noun) -> &'static str {
    match noun {
        Noun::AuditEntry => "audit entry",
        Noun::Credential => "credential",
        Noun::Identity => "identity",
        Noun::Key => "key",
        Noun::Login => "login",
        Noun::Person => "person",
        Noun::Tenant => "tenant",
        Noun::DeltaLink
        | Noun::DirectoryEntry
        | Noun::DirectoryNote
        | Noun::EntraTenant
        | Noun::Secret
        | Noun::Webhook => "entry",
    }
}
