//! A run: as many records as fit into memory, sorted by the key of one rule.

use super::join::Sorted;
use super::row::Record;
use std::convert::Infallible;

/// Records in memory. They are added in the order they were read, which decides between equal keys.
#[derive(Default)]
pub struct Run {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    rule: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    /// Eight bytes of the key, from where keys begin to differ. They decide almost always, without a look at the rest.
    prefix: u64,
    at: usize,
    length: u32,
    key_at: u32,
    key_length: u32,
}

impl Run {
    /// A run that will be sorted by the key of this rule.
    #[must_use]
    pub fn new(rule: usize) -> Self {
        Self { rule, ..Self::default() }
    }

    /// A run of records that have no key under any rule, sorted by identity.
    #[must_use]
    pub fn keyless() -> Self {
        Self { rule: usize::MAX, ..Self::default() }
    }

    /// Takes a record that has a key under the run's rule; says whether it had.
    pub fn push(&mut self, record: Record<'_>) -> bool {
        let key = if self.rule == usize::MAX { Some(0..0) } else { record.key_range(self.rule) };
        let Some(key) = key else { return false };
        let (length, key_at, key_length) = (record.bytes().len() as u32, key.start as u32, key.len() as u32);
        self.entries.push(Entry { prefix: 0, at: self.bytes.len(), length, key_at, key_length });
        self.bytes.extend(record.bytes());
        true
    }

    /// Bytes of memory it takes.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.bytes.len() + self.entries.len() * size_of::<Entry>()
    }

    /// Whether it is empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets every record and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    /// Sorts it by key; records of one key by identity, and readings of one record in the order they came.
    pub fn sort(&mut self) {
        let bytes = &self.bytes;
        let key = |entry: &Entry| {
            let begin = entry.at + entry.key_at as usize;
            &bytes[begin..begin + entry.key_length as usize]
        };
        let identity = |entry: &Entry| Record::new(&bytes[entry.at..entry.at + entry.length as usize]).identity();
        let Some(first) = self.entries.first().map(key) else { return };
        let shared = self.entries.iter().fold(first.len(), |shared, entry| shared_prefix(&first[..shared], key(entry)));
        let prefixes = self.entries.iter().map(|entry| prefix(&key(entry)[shared..])).collect::<Vec<_>>();
        self.entries.iter_mut().zip(prefixes).for_each(|(entry, prefix)| entry.prefix = prefix);
        self.entries.sort_unstable_by(|one, two| {
            let by_key = one.prefix.cmp(&two.prefix).then_with(|| key(one).cmp(key(two)));
            by_key.then_with(|| identity(one).cmp(identity(two))).then_with(|| one.at.cmp(&two.at))
        });
        self.lay_in_order();
    }

    /// Puts the records themselves in order, so that whoever reads them reads memory from its beginning to its end.
    fn lay_in_order(&mut self) {
        let mut ordered = Vec::with_capacity(self.bytes.len());
        for entry in &mut self.entries {
            let record = &self.bytes[entry.at..entry.at + entry.length as usize];
            entry.at = ordered.len();
            ordered.extend_from_slice(record);
        }
        self.bytes = ordered;
    }

    /// Reads it in its order.
    #[must_use]
    pub const fn reader(&self) -> RunReader<'_> {
        RunReader { run: self, next: 0 }
    }
}

fn shared_prefix(one: &[u8], two: &[u8]) -> usize {
    one.iter().zip(two).take_while(|(one, two)| one == two).count()
}

fn prefix(key: &[u8]) -> u64 {
    let mut eight = [0; 8];
    let length = key.len().min(8);
    eight[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(eight)
}

/// A run that is being read.
pub struct RunReader<'a> {
    run: &'a Run,
    next: usize,
}

impl Sorted for RunReader<'_> {
    type Error = Infallible;

    fn advance(&mut self) -> Result<bool, Infallible> {
        self.next += 1;
        Ok(self.next <= self.run.entries.len())
    }

    fn record(&self) -> Record<'_> {
        let entry = &self.run.entries[self.next - 1];
        Record::new(&self.run.bytes[entry.at..entry.at + entry.length as usize])
    }
}
