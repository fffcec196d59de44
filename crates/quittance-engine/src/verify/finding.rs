//! What verification finds, and how much of it is kept.

/// Findings kept; more are counted.
pub const FINDINGS_MAX: usize = 100;

/// What a finding speaks against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// The journal itself: a record that is missing, changed, moved or cannot be read.
    Chain,
    /// The money: postings or balances that do not follow from the records, or do not sum to zero.
    Ledger,
    /// A row derived from the journal that differs from it, or belongs to nothing.
    Projection,
}

impl Aspect {
    /// Stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chain => "chain",
            Self::Ledger => "ledger",
            Self::Projection => "projection",
        }
    }
}

/// One thing that is not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The book (`cus_…`), or words for one whose id cannot be read, or where it is about none.
    pub book: String,
    /// Number of the record, where it is about one.
    pub seq: Option<i64>,
    /// What it speaks against.
    pub aspect: Aspect,
    /// What is wrong, as a fragment that follows the name of the record or the book.
    pub what: String,
}

/// Findings about one book.
pub(super) struct Findings {
    book: String,
    pub(super) found: Vec<Finding>,
    /// How many there were in all, also those that were not kept.
    pub(super) count: u64,
}

impl Findings {
    pub(super) const fn new(book: String) -> Self {
        Self { book, found: Vec::new(), count: 0 }
    }

    pub(super) fn add(&mut self, aspect: Aspect, seq: Option<i64>, what: impl Into<String>) {
        self.count += 1;
        if self.found.len() < FINDINGS_MAX {
            self.found.push(Finding { book: self.book.clone(), seq, aspect, what: what.into() });
        }
    }

    /// A row of another table that differs from the journal.
    pub(super) fn row(&mut self, what: impl Into<String>) {
        self.add(Aspect::Projection, None, what);
    }
}
