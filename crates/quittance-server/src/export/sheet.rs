//! What a form of export writes, and what it is told.

use super::Sums;
use crate::entries::Movement;
use quittance_core::account::{Account, Side};
use quittance_core::currency::Currency;
use quittance_core::ledger::Posting;
use quittance_core::tenant::Tenant;
use quittance_core::time::Timestamp;
use quittance_store::records::JournalEntry;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// A form of export.
pub(super) trait Sheet {
    /// What stands before everything else.
    fn begin(&mut self, opening: &Opening<'_>, out: &mut dyn Write) -> io::Result<()>;

    /// One movement.
    fn entry(&mut self, entry: &Entry<'_>, out: &mut dyn Write) -> io::Result<()>;

    /// What stands behind everything else.
    fn end(&mut self, closing: &Closing<'_>, out: &mut dyn Write) -> io::Result<()>;

    /// Whether it can say that something is held and not posted.
    fn takes_holds(&self) -> bool;
}

/// What is known before the first movement.
#[derive(Clone, Copy)]
pub(super) struct Opening<'a> {
    pub(super) tenant: &'a Tenant,
    /// What each account of the books is called elsewhere.
    pub(super) names: &'a BTreeMap<Account, String>,
    pub(super) balances: &'a Sums,
}

impl Opening<'_> {
    /// What is posted, by the names of accounts elsewhere; minor units, debits above zero.
    pub(super) fn named_balances(&self) -> BTreeMap<(&str, Currency), i128> {
        let mut named: BTreeMap<(&str, Currency), i128> = BTreeMap::new();
        for ((account, currency), amount) in self.balances {
            *named.entry((self.names[account].as_str(), *currency)).or_default() += amount;
        }
        named
    }
}

/// One movement.
pub(super) struct Entry<'a> {
    pub(super) record: &'a JournalEntry,
    pub(super) movement: &'a Movement,
    pub(super) names: &'a BTreeMap<Account, String>,
}

impl Entry<'_> {
    /// What it is about, in a few words.
    pub(super) fn title(&self) -> String {
        let Movement { word, payment, refund, dispute, .. } = self.movement;
        let what = match (payment, refund, dispute) {
            (_, _, Some(dispute)) => format!("dispute {dispute}"),
            (_, Some(refund), _) => format!("refund {refund}"),
            (Some(payment), None, None) => format!("payment {payment}"),
            (None, None, None) => "movement".to_owned(),
        };
        if *word == "corrected" { format!("correction of {what}") } else { what }
    }

    /// Names and values that lead back to the record.
    pub(super) fn marks(&self) -> Vec<(&'static str, String)> {
        let Movement { payment, refund, dispute, .. } = self.movement;
        let mut marks = vec![("customer", self.record.book.to_string()), ("record", self.record.seq.to_string())];
        marks.extend(payment.map(|id| ("payment", id.to_string())));
        marks.extend(refund.map(|id| ("refund", id.to_string())));
        marks.extend(dispute.map(|id| ("dispute", id.to_string())));
        marks
    }

    /// What the account of a posting is called elsewhere. One that no book has a balance of stays as it is, and the
    /// comparison at the end tells of it.
    pub(super) fn name(&self, account: &Account) -> String {
        self.names.get(account).cloned().unwrap_or_else(|| account.to_string())
    }
}

/// What is known behind the last movement.
pub(super) struct Closing<'a> {
    pub(super) opening: Opening<'a>,
    /// When the newest movement was recorded, or the tenant was created.
    pub(super) latest: Timestamp,
}

/// A posting in minor units, debits above zero.
pub(super) fn signed(posting: &Posting) -> i128 {
    match posting.side {
        Side::Debit => i128::from(posting.amount),
        Side::Credit => -i128::from(posting.amount),
    }
}

/// The day of a time in UTC, and how many days later.
pub(super) fn day(at: Timestamp, later: i64) -> String {
    let days = jiff::Span::new().days(later);
    let day = jiff::Timestamp::from_microsecond(at.0).map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date());
    // Times are read from a clock: what no calendar has is damaged data, and no program takes the text.
    day.and_then(|day| day.checked_add(days)).map_or_else(|_| format!("{} µs", at.0), |day| day.to_string())
}
