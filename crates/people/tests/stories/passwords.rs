//! Passwords are kept so that nobody can read them, and checked so that nobody learns who works here.

use tandem_people::password::{GoodPassword, KeptPassword, NotKept, Verdict, check};
use tandem_people::secret::Secret;

const SALT: [u8; KeptPassword::SALT_BYTES] = *b"sixteen bytes!!!";

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn kept(text: &str) -> KeptPassword {
    let good = GoodPassword::new(secret(text), &"anna".parse().unwrap()).unwrap();
    KeptPassword::of(&good, &SALT).unwrap()
}

#[test]
fn the_right_password_opens_and_no_other() {
    let kept = kept("correct horse battery staple");
    assert_eq!(kept.check(&secret("correct horse battery staple")), Verdict::Right { hash_again: false });
    for wrong in ["", "correct horse battery stapl", "Correct horse battery staple", &"x".repeat(10_000)] {
        assert_eq!(kept.check(&secret(wrong)), Verdict::Wrong);
    }
}

#[test]
fn what_is_kept_names_its_parameters_and_not_the_password() {
    let kept = kept("correct horse battery staple");
    assert!(kept.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(format!("{kept:?}"), "KeptPassword(..)");
    assert_eq!(KeptPassword::read(kept.as_str()), Ok(kept));
}

#[test]
fn somebody_without_a_password_does_not_come_in() {
    assert_eq!(check(None, &secret("correct horse battery staple")), Verdict::Wrong);
    assert_eq!(check(None, &secret("")), Verdict::Wrong);
}

/// The hash was made by another program: Python's argon2-cffi, with 8 MiB and one pass.
#[test]
fn an_older_hash_is_good_and_is_hashed_again() {
    let older = KeptPassword::read(OLDER).unwrap();
    assert_eq!(older.check(&secret("correct horse battery staple")), Verdict::Right { hash_again: true });
    assert_eq!(older.check(&secret("correct horse battery stable")), Verdict::Wrong);
    let again =
        KeptPassword::of(&GoodPassword::known(secret("correct horse battery staple")), &SALT).unwrap();
    assert_eq!(again.check(&secret("correct horse battery staple")), Verdict::Right { hash_again: false });
}

#[test]
fn what_is_no_hash_of_ours_is_not_read() {
    for text in [
        "",
        "correct horse battery staple",
        "$argon2id$v=19$m=19456,t=2,p=1$c2l4dGVlbiBieXRlcyEhIQ",
        "$argon2i$v=19$m=19456,t=2,p=1$c2l4dGVlbiBieXRlcyEhIQ$C6sF3E+ld6Wc0hNQVTg7dLLHIFHZtLrLqjW0IG8kkK0",
        "$argon2id$v=19$m=4294967295,t=2,p=1$c2l4dGVlbiBieXRlcyEhIQ$C6sF3E+ld6Wc0hNQVTg7dLLHIFHZtLrLqjW0IG8kkK0",
        "$argon2id$v=19$m=19456,t=4000000,p=1$c2l4dGVlbiBieXRlcyEhIQ$C6sF3E+ld6Wc0hNQVTg7dLLHIFHZtLrLqjW0IG8kkK0",
    ] {
        assert_eq!(KeptPassword::read(text), Err(NotKept), "{text}");
    }
}

const OLDER: &str =
    "$argon2id$v=19$m=8192,t=1,p=1$YW4gb2xkZXIgc2FsdCEhIQ$aty9BvQmzgj4vDYKaxyDVISrxO0pPOcEQL6R2RDz18w";
