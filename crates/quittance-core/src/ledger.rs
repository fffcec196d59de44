//! Double entry: postings that sum to zero, holds that are closed once, and the balances both leave behind.
//!
//! A hold reserves postings without making them; closing it either makes them or lets them go. Balances are folded from
//! the journal, and anybody can fold them again.

use crate::account::{Account, Side};
use crate::currency::Currency;
use std::collections::BTreeMap;

/// One side of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Where.
    pub account: Account,
    /// On which side.
    pub side: Side,
    /// How much, in minor units; above zero.
    pub amount: i64,
    /// Of what.
    pub currency: Currency,
}

/// A debit and a credit of the same amount.
#[must_use]
pub fn transfer(debit: Account, credit: Account, amount: i64, currency: Currency) -> Vec<Posting> {
    vec![
        Posting { account: debit, side: Side::Debit, amount, currency },
        Posting { account: credit, side: Side::Credit, amount, currency },
    ]
}

/// Why postings cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Debits and credits of a currency differ.
    #[error("postings in {currency} sum to {difference}, not to zero")]
    Unbalanced {
        /// The currency.
        currency: Currency,
        /// Debits less credits.
        difference: i128,
    },
    /// An amount of zero or below.
    #[error("posting of {0} is not above zero")]
    NotPositive(i64),
    /// A balance would leave 64 bits.
    #[error("balance of {account} overflows")]
    Overflow {
        /// The account.
        account: Account,
    },
    /// More would be released than was held.
    #[error("{account} does not hold what is to be released")]
    NotHeld {
        /// The account.
        account: Account,
    },
}

/// Checks that amounts are above zero and that each currency's debits equal its credits.
///
/// # Errors
///
/// [`LedgerError::NotPositive`], [`LedgerError::Unbalanced`].
pub fn check_balanced(postings: &[Posting]) -> Result<(), LedgerError> {
    let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
    for posting in postings {
        if posting.amount <= 0 {
            return Err(LedgerError::NotPositive(posting.amount));
        }
        let amount = i128::from(posting.amount);
        *sums.entry(posting.currency).or_default() += match posting.side {
            Side::Debit => amount,
            Side::Credit => -amount,
        };
    }
    match sums.into_iter().find(|(_, sum)| *sum != 0) {
        Some((currency, difference)) => Err(LedgerError::Unbalanced { currency, difference }),
        None => Ok(()),
    }
}

/// Sums of one account in one currency, in minor units; none is ever negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Posted on the left.
    pub debits: i64,
    /// Posted on the right.
    pub credits: i64,
    /// Held on the left, not posted.
    pub held_debits: i64,
    /// Held on the right, not posted.
    pub held_credits: i64,
}

impl Balance {
    /// What is posted, counted on the account's normal side.
    #[must_use]
    pub fn amount(&self, normal: Side) -> i128 {
        let difference = i128::from(self.debits) - i128::from(self.credits);
        match normal {
            Side::Debit => difference,
            Side::Credit => -difference,
        }
    }
}

/// What a posting does to a balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Movement {
    /// Reserve it.
    Hold,
    /// Make a posting that was held.
    PostHeld,
    /// Let a held posting go.
    Void,
    /// Make a posting that was never held.
    Post,
}

/// Balances of a book by account and currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balances(pub BTreeMap<(Account, Currency), Balance>);

impl Balances {
    /// Applies balanced postings, all of them or none.
    ///
    /// # Errors
    ///
    /// [`LedgerError`]; the balances are then unchanged.
    pub fn apply(&mut self, movement: Movement, postings: &[Posting]) -> Result<(), LedgerError> {
        check_balanced(postings)?;
        let mut next = self.0.clone();
        for posting in postings {
            let balance = next.entry((posting.account.clone(), posting.currency)).or_default();
            *balance = moved(*balance, movement, posting)?;
        }
        self.0 = next;
        Ok(())
    }

    /// Debits less credits over all accounts of each currency, posted and held; every number is zero in a sound book.
    #[must_use]
    pub fn imbalance(&self) -> BTreeMap<Currency, (i128, i128)> {
        let mut sums: BTreeMap<Currency, (i128, i128)> = BTreeMap::new();
        for ((_, currency), balance) in &self.0 {
            let sum = sums.entry(*currency).or_default();
            sum.0 += i128::from(balance.debits) - i128::from(balance.credits);
            sum.1 += i128::from(balance.held_debits) - i128::from(balance.held_credits);
        }
        sums
    }
}

fn moved(mut balance: Balance, movement: Movement, posting: &Posting) -> Result<Balance, LedgerError> {
    let (posted, held) = match posting.side {
        Side::Debit => (&mut balance.debits, &mut balance.held_debits),
        Side::Credit => (&mut balance.credits, &mut balance.held_credits),
    };
    let overflow = || LedgerError::Overflow { account: posting.account.clone() };
    let add = |to: &mut i64| to.checked_add(posting.amount).map(|sum| *to = sum).ok_or_else(overflow);
    let release = |from: &mut i64| match from.checked_sub(posting.amount) {
        Some(rest) if rest >= 0 => {
            *from = rest;
            Ok(())
        }
        _ => Err(LedgerError::NotHeld { account: posting.account.clone() }),
    };
    match movement {
        // A hold that is accepted can always be posted later, so its sum with what is posted has to fit now.
        Movement::Hold => {
            add(held)?;
            posted.checked_add(*held).ok_or_else(overflow)?;
        }
        Movement::Post => add(posted)?,
        Movement::Void => release(held)?,
        Movement::PostHeld => {
            release(held)?;
            add(posted)?;
        }
    }
    Ok(balance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn usd() -> Currency {
        Currency::from_code("USD").expect("known currency")
    }

    fn payment(amount: i64) -> Vec<Posting> {
        transfer(Account::GatewayClearing("stripe".into()), Account::Unapplied, amount, usd())
    }

    #[test]
    fn a_hold_moves_nothing_until_it_is_posted() {
        let mut balances = Balances::default();
        balances.apply(Movement::Hold, &payment(500)).expect("held");
        let clearing = (Account::GatewayClearing("stripe".into()), usd());
        assert_eq!(balances.0[&clearing], Balance { held_debits: 500, ..Balance::default() });
        balances.apply(Movement::PostHeld, &payment(500)).expect("posted");
        assert_eq!(balances.0[&clearing], Balance { debits: 500, ..Balance::default() });
    }

    #[test]
    fn what_is_not_held_cannot_be_released_and_nothing_changes() {
        let mut balances = Balances::default();
        balances.apply(Movement::Hold, &payment(500)).expect("held");
        let before = balances.clone();
        let error = balances.apply(Movement::Void, &payment(501)).expect_err("more than held");
        assert!(matches!(error, LedgerError::NotHeld { .. }));
        assert_eq!(balances, before);
    }

    #[test]
    fn postings_that_do_not_sum_to_zero_are_refused() {
        let mut one_sided = payment(5);
        one_sided.pop();
        let error = check_balanced(&one_sided).expect_err("one-sided");
        assert_eq!(error, LedgerError::Unbalanced { currency: usd(), difference: 5 });
        assert_eq!(check_balanced(&payment(0)), Err(LedgerError::NotPositive(0)));
    }

    #[test]
    fn overflow_is_an_error() {
        let mut balances = Balances::default();
        balances.apply(Movement::Post, &payment(i64::MAX)).expect("fits");
        assert!(matches!(balances.apply(Movement::Post, &payment(1)), Err(LedgerError::Overflow { .. })));
    }

    proptest! {
        #[test]
        fn any_history_of_holds_sums_to_zero(steps in proptest::collection::vec((1i64..1_000_000, 0u8..3), 0..60)) {
            let mut balances = Balances::default();
            for (amount, close) in steps {
                balances.apply(Movement::Hold, &payment(amount)).expect("held");
                match close {
                    0 => balances.apply(Movement::PostHeld, &payment(amount)).expect("posted"),
                    1 => balances.apply(Movement::Void, &payment(amount)).expect("voided"),
                    _ => {}
                }
            }
            for (_, sums) in balances.imbalance() {
                prop_assert_eq!(sums, (0, 0));
            }
        }
    }
}
