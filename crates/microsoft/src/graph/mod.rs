//! Microsoft Graph: presence, users, groups, photos, subscriptions.
//!
//! A [`call::Call`] is a request to Graph without host and token; the shell makes it a [`Request`](crate::http::Request)
//! with both, and hands in what came back as a [`call::Answer`]. Whatever paces, repeats or decides is a value of this
//! module that is told the time: [`throttle`], [`watch`], [`mod@write`], [`directory`].
//!
//! A notification takes this way: [`notification::Delivery::parse`] reads the body and Graph is answered 202;
//! [`prove`](notification::Delivery::prove) checks all tokens; for each item, the watcher of its tenant
//! [`admits`](watch::Watcher::admits) it at next to no cost, [`open`](certificate::KeyPairs::open) costs an RSA operation and may
//! be done on another thread, and [`handle_notification`](watch::Watcher::handle_notification) decides what is news.
//!
//! What Graph says is believed as far as it is documented: a text that is not known is kept and means nothing, a link
//! to another host is not followed, and a notification that is not proved is not read.

pub mod batch;
pub mod call;
pub mod certificate;
pub mod directory;
pub mod fault;
pub mod members;
pub mod notification;
pub mod permissions;
pub mod photo;
pub mod presence;
pub mod profile;
pub mod sealed;
pub mod subscription;
pub mod throttle;
pub mod watch;
pub mod write;
