//! What decisions have in common about money: closing a hold, and turning postings round.

use crate::account::Side;
use crate::journal::Closing;
use crate::ledger::{Balances, LedgerError, Movement, Posting};

/// Closes a hold of `held`: posts `made`, which is it or a part of it, or lets it all go. Gives what the journal says
/// was closed: what was made, or what was let go.
pub(super) fn close(
    balances: &mut Balances,
    closing: Option<Closing>,
    held: Vec<Posting>,
    made: Vec<Posting>,
) -> Result<Vec<Posting>, LedgerError> {
    match closing {
        None => Ok(Vec::new()),
        Some(Closing::Voided) => {
            balances.apply(Movement::Void, &held)?;
            Ok(held)
        }
        Some(Closing::Posted) if made == held => {
            balances.apply(Movement::PostHeld, &held)?;
            Ok(held)
        }
        Some(Closing::Posted) => {
            balances.apply(Movement::Void, &held)?;
            balances.apply(Movement::Post, &made)?;
            Ok(made)
        }
    }
}

/// The same postings with their sides exchanged.
pub(super) fn take_back(mut postings: Vec<Posting>) -> Vec<Posting> {
    for posting in &mut postings {
        posting.side = match posting.side {
            Side::Debit => Side::Credit,
            Side::Credit => Side::Debit,
        };
    }
    postings
}
