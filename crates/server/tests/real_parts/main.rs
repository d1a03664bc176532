//! The program as it is shipped, against telephones and proxies that others wrote.
//!
//! Each test starts `tandem serve` with a plain configuration in a folder of its own, and SIPp, baresip or Kamailio
//! beside it, from Debian's packages (`tests/README.md`). Whether they heard each other is found in their recordings,
//! what happened in the story that the API tells. Teams itself is played by the sandbox. A part that is not installed
//! is a failure, never a skip.

#![cfg(test)]

mod parts;

mod actions;
mod bad_input;
mod callback;
mod caller_leaves;
mod config_faults;
mod connections;
mod example;
mod explained;
mod forwarded;
mod hold;
mod many_calls;
mod odd_callers;
mod over_tcp;
mod over_udp;
mod power_failure;
mod press_one;
mod refer;
mod reloaded;
mod ring_all;
mod rules;
mod strategies;
mod teams;
mod tenants;
mod tls_edge;
mod tls_phone;
mod unanswered;
mod voicemail;
