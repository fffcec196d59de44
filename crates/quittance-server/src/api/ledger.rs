//! The ledger, as the journal has it: entries in the order of each book, balances and accounts folded from it.

mod balances;
mod entries;

use super::customers;
use super::query::Parameters;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::runtime::Handle;
use quittance_core::account::Account;
use quittance_core::currency::Currency;
use quittance_core::id::CustomerId;
use quittance_core::ledger::Posting;

pub(crate) use balances::{Chart, Sums, chart};
pub(super) use balances::{accounts, balances};
pub(super) use entries::entries;

const PARAMETERS: [&str; 5] = ["customer", "account", "currency", "limit", "cursor"];

/// What a read of the ledger is narrowed to.
#[derive(Clone)]
struct Filter {
    book: Option<CustomerId>,
    account: Option<Account>,
    currency: Option<Currency>,
}

impl Filter {
    async fn of(handle: &Handle, caller: &Caller, parameters: &Parameters) -> Result<Self, Problem> {
        let book = match parameters.text("customer") {
            Some(name) => Some(customers::find(handle, caller, name).await?.id),
            None => None,
        };
        Ok(Self {
            book,
            account: parameters.parsed(
                "account",
                "an account of the chart, such as gateway_clearing:stripe",
                |text| text.parse().ok(),
            )?,
            currency: parameters
                .parsed("currency", "three upper-case letters of ISO 4217", |code| Currency::from_code(code).ok())?,
        })
    }

    fn takes(&self, account: &Account, currency: Currency) -> bool {
        self.account.as_ref().is_none_or(|wanted| wanted == account)
            && self.currency.is_none_or(|wanted| wanted == currency)
    }

    fn takes_any(&self, postings: &[Posting]) -> bool {
        postings.iter().any(|posting| self.takes(&posting.account, posting.currency))
    }
}
