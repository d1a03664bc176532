//! What the metrics say, told as stories about facts.

#![cfg(test)]

mod agents;
mod attribution;
mod bounds;
mod came_back;
mod channels;
mod data_set;
mod digits;
mod erlang;
mod expected_wait;
mod first_release;
mod interactions;
mod journal;
mod laws;
mod staffing;
mod world;
