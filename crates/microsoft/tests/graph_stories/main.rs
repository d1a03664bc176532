//! Stories of Graph: presence told and asked for, written, sealed and forged; users, groups, grants; one file per behaviour.

#![cfg(test)]

mod batched;
mod delivered;
mod directory;
#[path = "../../../../fuzz/src/graph.rs"]
#[expect(unreachable_pub, reason = "public where the fuzz targets use it")]
mod fuzz;
mod granted;
mod members;
mod mutations;
mod presence_anything;
mod presence_contradicted;
mod presence_polled;
mod presence_subscribed;
mod presence_trouble;
mod presence_written;
mod presence_written_anything;
mod sealed;
mod world;
