//! The proof of completeness: that everything that is not listed as open was equal on both sides.
//!
//! Both sides were digested record by record ([`super::digest`]). What is left of each digest without the records that
//! are listed as open has to be one and the same: the digest of what was equal. Whoever has the list can check that
//! again, long after.

use super::digest::{Digest, RecordHash};

/// What was read of both sides, what of it was equal, and what is open.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Proof {
    /// All of the left.
    pub left: Digest,
    /// All of the right.
    pub right: Digest,
    /// What was equal; it is in both.
    pub equal: Digest,
    /// Records of the left that claim a key together and were too many to be kept; they are counted and in no digest.
    pub left_uncounted: u64,
    /// As `left_uncounted`, of the right.
    pub right_uncounted: u64,
}

/// Why a proof does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {side} without what is open is not what was equal: {left_over:?} instead of {equal:?}")]
pub struct Broken {
    /// The side.
    pub side: &'static str,
    /// What is left of it.
    pub left_over: Digest,
    /// What was equal.
    pub equal: Digest,
}

impl Proof {
    /// Checks it against the hashes of what is open.
    ///
    /// # Errors
    ///
    /// [`Broken`] for the first side that does not come out.
    pub fn check(
        &self,
        open_left: impl Iterator<Item = RecordHash>,
        open_right: impl Iterator<Item = RecordHash>,
    ) -> Result<(), Broken> {
        self.check_side("left", self.left, self.left_uncounted, open_left)?;
        self.check_side("right", self.right, self.right_uncounted, open_right)
    }

    fn check_side(
        &self,
        side: &'static str,
        mut digest: Digest,
        uncounted: u64,
        open: impl Iterator<Item = RecordHash>,
    ) -> Result<(), Broken> {
        open.for_each(|hash| digest.remove(hash));
        digest.count = digest.count.wrapping_sub(uncounted);
        if digest == self.equal { Ok(()) } else { Err(Broken { side, left_over: digest, equal: self.equal }) }
    }
}
