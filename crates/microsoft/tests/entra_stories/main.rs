//! Stories of Entra ID: tokens true and forged, sign-ins, keys, consent; one file per behaviour.

#![cfg(test)]

mod application;
mod consent;
#[path = "../../../../fuzz/src/entra.rs"]
#[expect(unreachable_pub, reason = "public where the fuzz targets use it")]
mod fuzz;
mod key_rotation;
mod mutations;
mod notification_tokens;
mod sign_in;
mod tokens_held;
mod tokens_that_arrive;
mod world;
