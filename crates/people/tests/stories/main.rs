//! Stories of people, what they may do and how they sign in; one file per behaviour.

#![cfg(test)]

mod authorisation;
mod first_start;
#[path = "../../../../fuzz/src/people.rs"]
#[expect(unreachable_pub, reason = "public where the fuzz targets use it")]
mod fuzz;
mod guesses;
mod keys_of_programs;
mod logins;
mod mutations;
mod passkeys;
mod passwords;
mod staff;
mod who_is_in_charge;
