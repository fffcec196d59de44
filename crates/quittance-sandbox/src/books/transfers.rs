//! Owns: what the rail's books add up to, whether they are sound, and what a client sent more than once. Does not own:
//! any change.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Serialize;

use super::Books;
use super::audit::count;
use crate::objects::{Transfer, TransferState};

/// Amounts are in minor units of the currency they stand under.
#[derive(Debug, Default, Serialize)]
pub(super) struct TransferTotals {
    settled: u64,
    pending: u64,
    rejected: u64,
    returned: u64,
    amount_settled: i128,
    amount_pending: i128,
    amount_returned: i128,
    /// What is left: the sum of all entries.
    balance: i128,
}

/// The rail's totals by currency, upper case.
pub(super) fn totals(books: &Books) -> BTreeMap<String, TransferTotals> {
    let mut currencies: BTreeMap<String, TransferTotals> = BTreeMap::new();
    for transfer in books.transfers.rows() {
        let totals = currencies.entry(transfer.currency.clone()).or_default();
        let amount = i128::from(transfer.amount);
        match transfer.state {
            TransferState::Settled => {
                totals.settled += 1;
                totals.amount_settled += amount;
            }
            TransferState::Pending => {
                totals.pending += 1;
                totals.amount_pending += amount;
            }
            TransferState::Rejected => totals.rejected += 1,
            TransferState::Returned => {
                totals.returned += 1;
                totals.amount_returned += amount;
            }
        }
    }
    for entry in &books.transfer_entries {
        if let Some(transfer) = books.transfers.get(&entry.transfer) {
            currencies.entry(transfer.currency.clone()).or_default().balance += i128::from(entry.amount);
        }
    }
    currencies
}

/// What each transfer says of its money, compared with the entries.
pub(super) fn violations(books: &Books) -> Vec<String> {
    let mut entries: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for entry in &books.transfer_entries {
        entries.entry(&entry.transfer).or_default().push(entry.amount);
    }
    let wrong = books.transfers.rows().filter_map(|transfer| {
        let booked = entries.remove(transfer.id.as_str()).unwrap_or_default();
        let expected: &[i64] = match transfer.state {
            TransferState::Pending | TransferState::Rejected => &[],
            TransferState::Settled => &[transfer.amount],
            TransferState::Returned => &[transfer.amount, -transfer.amount],
        };
        let message = || format!("{} is {:?} with the entries {booked:?}", transfer.id, transfer.state);
        (booked != expected).then(message)
    });
    let mut wrong: Vec<String> = wrong.collect();
    wrong.extend(entries.into_keys().map(|id| format!("there are entries of {id}, which does not exist")));
    wrong
}

/// What of a transfer makes it the same as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GroupBy {
    Reference,
    /// For clients that take a new reference for each attempt.
    Memo,
}

impl FromStr for GroupBy {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "reference" => Ok(Self::Reference),
            "memo" => Ok(Self::Memo),
            _ => Err(()),
        }
    }
}

/// How the client used the rail: transfers by reference or by memo.
#[derive(Debug, Serialize)]
pub(crate) struct TransferGroups {
    by: GroupBy,
    groups: u64,
    /// However they ended.
    transfers: u64,
    /// Settled ones, and pending ones that may yet settle.
    transfers_paid: u64,
    amounts_paid: BTreeMap<String, i128>,
    /// Those with more than one transfer, however these ended.
    groups_sent_more_than_once: u64,
    groups_paid_more_than_once: u64,
    /// At most 20 of the groups that were paid more than once.
    examples: BTreeMap<String, TransferGroup>,
}

#[derive(Debug, Clone, Default, Serialize)]
struct TransferGroup {
    transfers: u64,
    transfers_paid: u64,
    amounts_paid: BTreeMap<String, i128>,
}

impl TransferGroup {
    fn add(&mut self, transfer: &Transfer) {
        self.transfers += 1;
        if transfer.state.holds_money() {
            self.transfers_paid += 1;
            *self.amounts_paid.entry(transfer.currency.clone()).or_default() += i128::from(transfer.amount);
        }
    }
}

const EXAMPLES_MAX: usize = 20;

/// Counts and adds up transfers, for each reference or memo; those without a memo are in no group.
pub(crate) fn group_transfers(books: &Books, by: GroupBy) -> TransferGroups {
    let mut groups: BTreeMap<&str, TransferGroup> = BTreeMap::new();
    let mut all = TransferGroup::default();
    for transfer in books.transfers.rows() {
        let name = match by {
            GroupBy::Reference => Some(transfer.reference.as_str()),
            GroupBy::Memo => transfer.memo.as_deref(),
        };
        if let Some(name) = name {
            groups.entry(name).or_default().add(transfer);
            all.add(transfer);
        }
    }
    let twice = || groups.iter().filter(|(_, group)| group.transfers_paid > 1);
    TransferGroups {
        by,
        groups: count(groups.len()),
        transfers: all.transfers,
        transfers_paid: all.transfers_paid,
        amounts_paid: all.amounts_paid,
        groups_sent_more_than_once: count(groups.values().filter(|group| group.transfers > 1).count()),
        groups_paid_more_than_once: count(twice().count()),
        examples: twice().take(EXAMPLES_MAX).map(|(name, group)| ((*name).to_owned(), group.clone())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{totals, violations};
    use crate::books::Books;
    use crate::objects::{Transfer, TransferEntry, TransferState};

    fn books(state: TransferState, entries: &[i64]) -> Books {
        let mut books = Books::default();
        books.transfers.add(Transfer {
            id: "trf_1".to_owned(),
            state,
            amount: 5,
            currency: "USD".to_owned(),
            reference: "r".to_owned(),
            reason: None,
            created: 0,
            memo: None,
        });
        let entry = |amount: &i64| TransferEntry { transfer: "trf_1".to_owned(), amount: *amount };
        books.transfer_entries = entries.iter().map(entry).collect();
        books
    }

    #[test]
    fn entries_that_do_not_fit_the_state_are_found() {
        for (state, entries, is_sound) in [
            (TransferState::Settled, &[5_i64] as &[_], true),
            (TransferState::Settled, &[5, 5], false),
            (TransferState::Settled, &[], false),
            (TransferState::Returned, &[5, -5], true),
            (TransferState::Returned, &[5], false),
            (TransferState::Pending, &[], true),
            (TransferState::Rejected, &[5, -5], false),
        ] {
            let books = books(state, entries);
            assert_eq!(violations(&books).is_empty(), is_sound, "{state:?} {entries:?}");
            let balance: i64 = entries.iter().sum();
            assert_eq!(totals(&books)["USD"].balance, i128::from(balance), "{state:?} {entries:?}");
        }
        let mut stray = books(TransferState::Rejected, &[]);
        stray.transfer_entries.push(TransferEntry { transfer: "trf_2".to_owned(), amount: 1 });
        assert_eq!(violations(&stray), ["there are entries of trf_2, which does not exist"]);
    }
}
