//! Webhooks: programs that are told what happens in a tenant's contact center, in order, signed, and until they know.

pub mod delivery;
pub mod endpoint;
pub mod event;
pub mod signature;
pub mod tell;
