//! The join of two sorted streams: who meets whom under one rule of matching.

use super::row::Record;

/// Most records of a side that are kept of those that claim one key.
pub const CLAIMANTS_MAX: usize = 10;

/// Records in the order of their keys under one rule, and those of one key in the order of their identities. What cannot
/// be read is an error of the reader's.
pub trait Sorted {
    /// Why it cannot be read.
    type Error;

    /// Goes to the next record; says whether there is one.
    ///
    /// # Errors
    ///
    /// The reader's own.
    fn advance(&mut self) -> Result<bool, Self::Error>;

    /// The record it is at. May be called after [`Sorted::advance`] said that there is one.
    fn record(&self) -> Record<'_>;
}

/// Who has one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meeting<'a> {
    /// One record of each side.
    Both(Record<'a>, Record<'a>),
    /// One record of the left.
    Left(Record<'a>),
    /// One record of the right.
    Right(Record<'a>),
    /// Several of a side, whatever the other has: nobody can say who belongs to whom.
    Crowd(&'a Claimants, &'a Claimants),
}

/// Records of one side that claim one key.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Claimants {
    kept: Vec<Vec<u8>>,
    count: u64,
}

impl Claimants {
    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The first of them, at most [`CLAIMANTS_MAX`].
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        self.kept[..self.kept()].iter().map(|bytes| Record::new(bytes))
    }

    fn kept(&self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX).min(CLAIMANTS_MAX)
    }

    fn clear(&mut self) {
        self.count = 0;
    }

    /// Takes a record. The same one, read twice because a list moved under the reader, is its later reading. Where nothing
    /// tells two records of a system apart, no two are the same.
    fn push(&mut self, record: Record<'_>) {
        let kept = self.kept();
        let has_identity = !record.identity().is_empty();
        let last = kept.checked_sub(1).map(|at| &mut self.kept[at]).filter(|_| has_identity);
        if let Some(last) = last.filter(|last| Record::new(last).identity() == record.identity()) {
            record.bytes().clone_into(last);
            return;
        }
        if kept < CLAIMANTS_MAX {
            match self.kept.get_mut(kept) {
                Some(buffer) => record.bytes().clone_into(buffer),
                None => self.kept.push(record.bytes().to_owned()),
            }
        }
        self.count += 1;
    }
}

struct Head<S> {
    stream: S,
    has_record: bool,
    claimants: Claimants,
}

impl<S: Sorted> Head<S> {
    fn new(mut stream: S) -> Result<Self, S::Error> {
        let has_record = stream.advance()?;
        Ok(Self { stream, has_record, claimants: Claimants::default() })
    }

    fn key(&self, rule: usize) -> Option<&[u8]> {
        self.has_record.then(|| key_of(self.stream.record(), rule))
    }

    /// Takes every record of the key it is at.
    fn take(&mut self, rule: usize) -> Result<(), S::Error> {
        self.claimants.clear();
        loop {
            self.claimants.push(self.stream.record());
            self.has_record = self.stream.advance()?;
            let key = key_of(Record::new(&self.claimants.kept[0]), rule);
            if !self.has_record || key_of(self.stream.record(), rule) != key {
                return Ok(());
            }
        }
    }

    fn only(&self) -> Option<Record<'_>> {
        (self.claimants.count == 1).then(|| Record::new(&self.claimants.kept[0]))
    }
}

fn key_of(record: Record<'_>, rule: usize) -> &[u8] {
    record.key(rule).expect("a stream sorted by a rule holds records with its key")
}

/// Joins two streams that are sorted by the key of a rule. Every record is in exactly one meeting, in the order of keys.
///
/// # Errors
///
/// Those of the streams and of `visit`, whichever comes first.
pub fn join<E, L, R>(
    rule: usize,
    left: L,
    right: R,
    mut visit: impl FnMut(Meeting<'_>) -> Result<(), E>,
) -> Result<(), E>
where
    L: Sorted,
    R: Sorted,
    E: From<L::Error> + From<R::Error>,
{
    let (mut left, mut right) = (Head::new(left)?, Head::new(right)?);
    loop {
        let order = match (left.key(rule), right.key(rule)) {
            (None, None) => return Ok(()),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(left), Some(right)) => left.cmp(right),
        };
        left.claimants.clear();
        right.claimants.clear();
        if order.is_le() {
            left.take(rule)?;
        }
        if order.is_ge() {
            right.take(rule)?;
        }
        visit(match (left.only(), right.only(), order) {
            (Some(one), Some(other), _) => Meeting::Both(one, other),
            (Some(one), None, std::cmp::Ordering::Less) => Meeting::Left(one),
            (None, Some(other), std::cmp::Ordering::Greater) => Meeting::Right(other),
            _ => Meeting::Crowd(&left.claimants, &right.claimants),
        })?;
    }
}
