//! Digests of sets of records: how many, and the sum of a keyed hash of each.
//!
//! A sum, not an exclusive or: pairs of equal records do not cancel. Sums can be taken apart again: the digest of a side
//! without its differences is the digest of what is equal, on both sides, which is what a proof of completeness says.

/// A hash of one record's key and canonical fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordHash(pub u128);

/// How many records, and the sum of their hashes modulo 2^128.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Digest {
    /// Records.
    pub count: u64,
    /// Sum of their hashes.
    pub sum: u128,
}

impl Digest {
    /// Adds one record.
    pub const fn add(&mut self, hash: RecordHash) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(hash.0);
    }

    /// Takes one record away again.
    pub const fn remove(&mut self, hash: RecordHash) {
        self.count = self.count.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(hash.0);
    }

    /// Adds every record of another.
    pub const fn add_all(&mut self, other: Self) {
        self.count += other.count;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

/// Hashes records under a key drawn for a run, so that nobody can prepare two records with one hash.
#[derive(Clone, Debug)]
pub struct Hasher {
    key: [u8; 32],
    message: Vec<u8>,
}

impl Hasher {
    /// A hasher under a run's key.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key, message: Vec::new() }
    }

    /// Hashes a record by its key and its encoded fields.
    #[must_use]
    pub fn hash(&mut self, key: &[u8], fields: &[u8]) -> RecordHash {
        // One message at once: the state of a hasher that takes parts is larger than most records.
        self.message.clear();
        self.message.extend((key.len() as u64).to_le_bytes());
        self.message.extend(key);
        self.message.extend(fields);
        let mut sixteen = [0; 16];
        sixteen.copy_from_slice(&blake3::keyed_hash(&self.key, &self.message).as_bytes()[..16]);
        RecordHash(u128::from_le_bytes(sixteen))
    }
}
