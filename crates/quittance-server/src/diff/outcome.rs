//! What a run came to.

use super::agreed::Agreement;
use super::look::Look;
use crate::systems::Reading;
use quittance_core::pair::Pair;
use quittance_core::pair::compare::{Finding, Kind, Tally};
use quittance_core::pair::detect::shape::Counted;
use quittance_core::pair::digest::{Digest, RecordHash};
use quittance_core::pair::groups::{Group, variance_basis_points};
use quittance_core::pair::lag::Lag;
use quittance_core::pair::proof::Proof;
use quittance_core::pair::settle::Standing;
use std::collections::BTreeSet;
use std::sync::Arc;

/// How records were compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// Every record of both sides was read.
    Keys,
    /// Ranges of keys were compared by checksums of this kind, and the records of those that differ.
    Checksums(String),
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Keys => f.write_str("blake3-128 of every record"),
            Self::Checksums(name) => write!(f, "{name} of ranges, blake3-128 of the records of those that differ"),
        }
    }
}

/// A disagreement and what became of it at the second look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// As it was seen last.
    pub finding: Finding,
    /// Whether it was there again.
    pub standing: Standing,
    /// Hashes of the left at the first look, which the proof is about.
    pub first_left: Vec<RecordHash>,
    /// Of the right.
    pub first_right: Vec<RecordHash>,
}

/// Counts of kinds; what is not confirmed is suspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// Both have it and differ.
    pub different: u64,
    /// The right has not got it.
    pub left_only: u64,
    /// The left has not got it.
    pub right_only: u64,
    /// Keys that several records claim.
    pub ambiguous: u64,
    /// Was there at the first look, and gone or another one at the second.
    pub suspect: u64,
}

/// What a run came to. Every record of both sides is in exactly one of its counts.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was compared.
    pub pair: Pair,
    /// How.
    pub method: Method,
    /// Records of the left.
    pub left_records: u64,
    /// Records of the right.
    pub right_records: u64,
    /// Matched records that say the same.
    pub equal: u64,
    /// Every disagreement, in the order of rules and keys.
    pub reported: Vec<Reported>,
    /// Counts by group.
    pub groups: Vec<Group>,
    /// How far times of last modification are apart.
    pub lag: Lag,
    /// That everything else was equal.
    pub proof: Proof,
    /// Identities of records that are missed on the right and that the right remembers having deleted, as values one
    /// after the other.
    pub deleted: BTreeSet<Vec<u8>>,
    /// What both sides agree on, in fields that are merged; none where no field is.
    pub agreement: Option<Arc<Agreement>>,
    /// What was seen in each field; none where not every record of both sides was read.
    pub counted: Option<Counted>,
    /// What reading the left came to.
    pub left_reading: Reading,
    /// What reading the right came to.
    pub right_reading: Reading,
}

/// What of the first look the proof is about.
pub(super) struct First {
    hashes: Vec<(Vec<RecordHash>, Vec<RecordHash>)>,
    proof: Proof,
}

impl First {
    pub(super) fn of(look: &Look) -> Self {
        let hashes =
            |seen: &[quittance_core::pair::compare::Seen]| seen.iter().map(|seen| seen.hash).collect::<Vec<_>>();
        let hashes: Vec<_> =
            look.findings.iter().map(|finding| (hashes(&finding.left), hashes(&finding.right))).collect();
        let uncounted = |count: fn(&Finding) -> u64, kept: fn(&Finding) -> usize| {
            look.findings.iter().map(|finding| count(finding) - kept(finding) as u64).sum::<u64>()
        };
        let left_uncounted = uncounted(|finding| finding.left_count, |finding| finding.left.len());
        let right_uncounted = uncounted(|finding| finding.right_count, |finding| finding.right.len());
        let equal = look.tally.equal;
        let (left, right): (Digest, Digest) = (look.tally.left, look.tally.right);
        Self { hashes, proof: Proof { left, right, equal, left_uncounted, right_uncounted } }
    }
}

impl Outcome {
    /// Puts a run's results together.
    ///
    /// # Panics
    ///
    /// When both sides without what is open are not the same: then a record was lost or counted twice here.
    pub(super) fn new(
        pair: Pair,
        method: Method,
        tally: Tally,
        first: First,
        settled: Vec<(Finding, Standing)>,
        (left_reading, right_reading): (Reading, Reading),
    ) -> Self {
        let reported: Vec<Reported> = settled
            .into_iter()
            .zip(first.hashes)
            .map(|((finding, standing), (first_left, first_right))| Reported {
                finding,
                standing,
                first_left,
                first_right,
            })
            .collect();
        let open = |side: fn(&Reported) -> &Vec<RecordHash>| reported.iter().flat_map(side).copied();
        let checked = first.proof.check(open(|one| &one.first_left), open(|one| &one.first_right));
        assert!(checked.is_ok(), "every record is compared once: {checked:?}");
        Self {
            pair,
            method,
            left_records: tally.left.count,
            right_records: tally.right.count,
            equal: tally.equal.count,
            reported,
            groups: tally.groups.list(),
            lag: tally.lag,
            proof: first.proof,
            deleted: BTreeSet::new(),
            agreement: None,
            counted: None,
            left_reading,
            right_reading,
        }
    }

    /// Counts of kinds.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for Reported { finding, standing, .. } in &self.reported {
            *match (standing, finding.kind) {
                (Standing::Moving | Standing::Settled, _) => &mut counts.suspect,
                (Standing::Confirmed, Kind::Different) => &mut counts.different,
                (Standing::Confirmed, Kind::LeftOnly) => &mut counts.left_only,
                (Standing::Confirmed, Kind::RightOnly) => &mut counts.right_only,
                (Standing::Confirmed, Kind::Ambiguous) => &mut counts.ambiguous,
            } += 1;
        }
        counts
    }

    /// Whether anything is confirmed.
    #[must_use]
    pub fn has_drift(&self) -> bool {
        self.reported.iter().any(|one| one.standing == Standing::Confirmed)
    }

    /// How far the number of records of the left is from that of the right, in hundredths of a percent of the right.
    #[must_use]
    pub const fn variance_basis_points(&self) -> Option<i64> {
        variance_basis_points(self.left_records, self.right_records)
    }
}
