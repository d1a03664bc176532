//! Sealing: what is written can be read with its key only, and nobody can change it unnoticed.
//!
//! XChaCha20-Poly1305 (RFC 8439, with the long nonce of draft-irtf-cfrg-xchacha): nonces are drawn, and 192 bits are
//! enough for as many as anybody can draw, so that nothing has to be counted and a clock or a copy set back does no
//! harm. It is quick without help of the processor.

use std::io;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::master::{MasterId, Masters};

/// A key that seals and opens. Wiped from memory when it is dropped.
pub(crate) struct Key(XChaCha20Poly1305);

/// Why something sealed cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shut {
    /// The master key that wraps its key is not there.
    MasterLost,
    /// It, or its key, is not what was written: the disk, or somebody, has changed it.
    Damaged,
}

impl Key {
    pub(crate) fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Key {
        Key(XChaCha20Poly1305::new((&*bytes).into()))
    }

    /// Seals bytes for one place: elsewhere they cannot be opened.
    fn seal(&self, place: &[u8], plain: &[u8]) -> io::Result<Vec<u8>> {
        let mut nonce = [0; NONCE_BYTES];
        random(&mut nonce)?;
        let payload = Payload { msg: plain, aad: place };
        let sealed =
            self.0.encrypt(&XNonce::from(nonce), payload).map_err(|_| io::ErrorKind::FileTooLarge)?;
        Ok([&nonce[..], &sealed].concat())
    }

    fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: place };
        self.0.decrypt(&XNonce::from(*nonce), payload).ok().map(Zeroizing::new)
    }
}

/// A key that seals the values of one interaction or one snapshot, with its wrapped form as the journal keeps it.
pub(crate) struct DataKey {
    key: Key,
    pub(crate) wrapped: Vec<u8>,
}

impl DataKey {
    /// Draws a key and wraps it for its place, under the master key of whom it belongs to.
    pub(crate) fn draw(masters: &Masters, place: &Spot<'_>) -> io::Result<DataKey> {
        let master = masters.current(place.owner()).ok_or(io::ErrorKind::NotFound)?;
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        random(&mut *bytes)?;
        let sealed = master.key.seal(&place.bytes(KEY), &*bytes)?;
        let wrapped = [&[VERSION], &master.id[..], &sealed].concat();
        Ok(DataKey { key: Key::new(bytes), wrapped })
    }

    /// Unwraps the key of a place.
    pub(crate) fn unwrap(masters: &Masters, place: &Spot<'_>, wrapped: &[u8]) -> Result<DataKey, Shut> {
        let (id, sealed) = unversioned(wrapped)
            .and_then(|rest| rest.split_first_chunk::<{ size_of::<MasterId>() }>())
            .ok_or(Shut::Damaged)?;
        let master = masters.find(id).ok_or(Shut::MasterLost)?;
        let opened = master.key.open(&place.bytes(KEY), sealed).ok_or(Shut::Damaged)?;
        let bytes = <[u8; KEY_BYTES]>::try_from(opened.as_slice()).map_err(|_| Shut::Damaged)?;
        Ok(DataKey { key: Key::new(Zeroizing::new(bytes)), wrapped: wrapped.to_vec() })
    }

    /// Seals what stands at a number.
    pub(crate) fn seal(&self, place: &Spot<'_>, plain: &[u8]) -> io::Result<Vec<u8>> {
        let sealed = self.key.seal(&place.bytes(VALUE), plain)?;
        Ok([&[VERSION], &sealed[..]].concat())
    }

    /// Opens what stands at a number.
    pub(crate) fn open(&self, place: &Spot<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Shut> {
        let sealed = unversioned(sealed).ok_or(Shut::Damaged)?;
        self.key.open(&place.bytes(VALUE), sealed).ok_or(Shut::Damaged)
    }
}

/// Where something sealed stands: what is moved elsewhere is damaged.
pub(crate) struct Spot<'a> {
    pub(crate) table: &'static str,
    pub(crate) tenant: &'a str,
    pub(crate) number: i64,
}

impl Spot<'_> {
    /// The id of the tenant: what stands before a slash, if there is one.
    fn owner(&self) -> &str {
        self.tenant.split('/').next().unwrap_or_default()
    }

    fn bytes(&self, what: u8) -> Vec<u8> {
        // Neither name has a slash.
        [&[what], self.table.as_bytes(), b"/", self.tenant.as_bytes(), b"/", &self.number.to_be_bytes()]
            .concat()
    }
}

/// Fills bytes with what nobody can foretell.
pub(crate) fn random(bytes: &mut [u8]) -> io::Result<()> {
    getrandom::fill(bytes).map_err(io::Error::other)
}

fn unversioned(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [VERSION, rest @ ..] => Some(rest),
        _ => None,
    }
}

/// The version of the form of everything sealed, its first byte.
const VERSION: u8 = 1;

/// What is sealed: a key or values.
const KEY: u8 = b'k';
const VALUE: u8 = b'v';

pub(crate) const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::master::Masters;

    fn masters() -> Masters {
        let folder = tempfile::tempdir().unwrap();
        Masters::open_or_create(&folder.path().join("key")).unwrap()
    }

    fn place(number: i64) -> Spot<'static> {
        Spot { table: "facts", tenant: "contoso", number }
    }

    #[test]
    fn what_was_sealed_is_opened_with_its_key_in_its_place_only() {
        let masters = masters();
        let key = DataKey::draw(&masters, &place(5)).unwrap();
        let sealed = key.seal(&place(7), b"Ada").unwrap();
        let again = DataKey::unwrap(&masters, &place(5), &key.wrapped).ok().unwrap();
        assert_eq!(again.open(&place(7), &sealed).unwrap().as_slice(), b"Ada");
        assert_eq!(again.open(&place(8), &sealed), Err(Shut::Damaged));
        assert_eq!(DataKey::unwrap(&masters, &place(6), &key.wrapped).err(), Some(Shut::Damaged));
        assert_eq!(DataKey::unwrap(&self::masters(), &place(5), &key.wrapped).err(), Some(Shut::MasterLost));
    }

    #[test]
    fn every_bit_that_is_changed_and_every_byte_that_is_missing_is_noticed() {
        let masters = masters();
        let key = DataKey::draw(&masters, &place(5)).unwrap();
        let sealed = key.seal(&place(5), b"+14255550123").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.open(&place(5), &changed), Err(Shut::Damaged), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(key.open(&place(5), &sealed[..length]), Err(Shut::Damaged), "{length} bytes");
        }
    }

    #[test]
    fn the_same_words_are_sealed_differently_each_time() {
        let key = DataKey::draw(&masters(), &place(5)).unwrap();
        assert_ne!(key.seal(&place(5), b"Ada").unwrap(), key.seal(&place(5), b"Ada").unwrap());
    }
}
