//! Webhooks: programs that are told what happens in a tenant's contact center, in order, signed, and until they know.
//!
//! [`delivery`] decides what is sent when; [`tell`] what is said of a fact; [`Webhooks`] keeps the endpoints and their
//! log in the register, reads the journal and sends.

pub mod delivery;
pub mod endpoint;
pub mod event;
mod keep;
mod post;
pub mod signature;
pub mod tell;
mod turn;

pub use keep::{EndpointChange, Kept, WebhookFault, Webhooks};
