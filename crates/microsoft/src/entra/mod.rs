//! Microsoft Entra ID: who signs in, for whom tokens are, and what a customer has consented to.
//!
//! The nouns, in the order an installation meets them: a [`cloud`] has hosts; its [`discovery`] names the
//! addresses; its [`keys`] sign tokens; a [`token`] that arrives is checked; a person signs in by the
//! [`code_flow`] or by the token of a Teams [`tab`]; the installation shows its [`credential`] as a [`client`] and
//! keeps what it gets in a [`cache`]; a customer's administrator gives [`consent`] to each [`permission`].
//! What Entra ID refuses is a [`refusal`].

pub mod cache;
pub mod client;
pub mod cloud;
pub mod code_flow;
pub mod consent;
pub mod credential;
pub mod discovery;
pub mod jwt;
pub mod keys;
pub mod permission;
pub mod refusal;
pub mod tab;
pub mod token;
