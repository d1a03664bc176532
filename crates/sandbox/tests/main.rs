//! The behaviour of the sandbox, one file for each; one program, so that it is linked once.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail loudly"
)]

mod border;
mod callers;
mod calls_of_users;
mod certificates;
mod common;
mod control_stays_home;
mod entra_code_flow;
mod entra_consent;
mod entra_credentials;
mod entra_discovery;
mod entra_hostile;
mod entra_on_behalf;
mod entra_room;
mod entra_tokens;
mod entra_trouble;
mod graph_desk;
mod graph_directory;
mod graph_over_the_wire;
mod graph_presence;
mod graph_subscription;
mod hold;
mod hostile_bytes;
mod in_dialog;
mod known_forms;
mod names;
mod official_clients;
mod official_graph_client;
mod one_way_connections;
mod over_the_wire;
mod people_page;
mod phones;
mod refusals;
mod ringing;
mod room;
mod transfer;
mod trunk_health;
mod web_listeners;
