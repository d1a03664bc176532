//! Whatever a directory tells and whatever is typed, what must hold holds.
#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "../../../fuzz/src/directory.rs"]
#[expect(unreachable_pub, reason = "public where the fuzz targets use it")]
mod fuzz;

use proptest::prelude::*;

proptest! {
    #[test]
    fn any_acts_on_few_people(lines in prop::collection::vec("[+ -][abc][a-cA-CäßéO’+#|@. \u{301}山-岳]{0,24}", 0..40)) {
        fuzz::acts(lines.join("\n").as_bytes());
    }

    #[test]
    fn any_octets(data in prop::collection::vec(any::<u8>(), 0..400), name in "\\PC{0,40}") {
        fuzz::acts(&data);
        fuzz::acts(format!("+a{name}\n {name}\n+a{name}|{name}|{name}|x\n {name}").as_bytes());
    }
}
