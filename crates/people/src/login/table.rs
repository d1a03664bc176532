//! A table by hashes of secrets.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use crate::secret::SecretHash;

/// What belongs to each hash. One look-up, however many there are; it is never iterated.
pub(super) struct HashTable<T>(HashMap<HashKey, T, BuildHasherDefault<Head>>);

impl<T> HashTable<T> {
    pub(super) fn get(&self, hash: SecretHash) -> Option<&T> {
        self.0.get(&HashKey(hash))
    }

    pub(super) fn get_mut(&mut self, hash: SecretHash) -> Option<&mut T> {
        self.0.get_mut(&HashKey(hash))
    }

    pub(super) fn insert(&mut self, hash: SecretHash, value: T) {
        self.0.insert(HashKey(hash), value);
    }

    pub(super) fn remove(&mut self, hash: SecretHash) {
        self.0.remove(&HashKey(hash));
    }
}

impl<T> Default for HashTable<T> {
    fn default() -> HashTable<T> {
        HashTable(HashMap::default())
    }
}

/// A hash as a key. It is random already, so that its own beginning is the best hash of it.
#[derive(PartialEq, Eq)]
struct HashKey(SecretHash);

impl Hash for HashKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.head());
    }
}

#[derive(Default)]
struct Head(u64);

impl Hasher for Head {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 << 8) | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, head: u64) {
        self.0 = head;
    }
}
