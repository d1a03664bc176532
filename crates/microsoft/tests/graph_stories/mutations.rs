//! What Graph sends, damaged in every way: the functions of the fuzz targets, on mutations of good input.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::fuzz;

/// Good input, so many times damaged by a seed.
fn damaged(good: &[u8], times: u64, mut each: impl FnMut(&[u8])) {
    each(good);
    for seed in 0..times {
        let mut random = StdRng::seed_from_u64(seed);
        let mut bytes = good.to_vec();
        for _ in 0..random.random_range(1..6) {
            let place = random.random_range(0..=bytes.len());
            match random.random_range(0..5) {
                0 if place < bytes.len() => bytes[place] ^= 1 << random.random_range(0..8),
                1 if place < bytes.len() => {
                    bytes.remove(place);
                }
                2 => bytes.insert(place, random.random()),
                3 => bytes.truncate(place),
                _ => {
                    let end = (place + random.random_range(0..60)).min(bytes.len());
                    let part = bytes[place..end].to_vec();
                    bytes.splice(place..place, part);
                }
            }
        }
        each(&bytes);
    }
}

#[test]
fn a_delivery() {
    damaged(fuzz::DELIVERY.as_bytes(), 1500, fuzz::delivery);
}

#[test]
fn a_query() {
    damaged(b"validationToken=Validation%3A+Testing%20client&x=1", 1500, fuzz::query);
}

#[test]
fn answers() {
    for good in fuzz::ANSWERS {
        damaged(good.as_bytes(), 400, fuzz::answer);
    }
}
