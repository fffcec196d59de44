//! What the accounts of the books are called in somebody else's chart.
//!
//! Without a map each account has a name that Beancount takes (`Assets:Gateway:Stripe`). Two accounts never get the same
//! name unawares: what they hold would be added up.

use quittance_core::account::{Account, UnknownAccount};
use std::collections::BTreeMap;

/// The roots that Beancount knows, and hledger too.
const ROOTS: [&str; 5] = ["Assets", "Liabilities", "Equity", "Income", "Expenses"];

/// Where the name of a gateway or a bank account goes.
const PLACEHOLDER: &str = "{name}";

/// Names of accounts elsewhere, by the names of ours; what is not named keeps its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountMap(BTreeMap<String, String>);

/// Why accounts cannot be named so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The map is not TOML, or holds something else than texts.
    #[error("a map of accounts is lines such as `unapplied = \"Liabilities:Customers\"`: {0}")]
    Unreadable(String),
    /// There is no such account.
    #[error(
        "no account is called {0:?}, with or without the name of a gateway; `GET /v1/ledger/accounts` lists those in use"
    )]
    Unknown(String),
    /// Beancount would not take the name.
    #[error(
        "{name:?} is no name of an account: write one of Assets, Liabilities, Equity, Income, Expenses, and after each `:` \
         a part that begins with a capital letter or a digit and holds letters, digits and `-`"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// Two accounts would be one.
    #[error("{first} and {second} would both be called {name:?}: name them apart, or both alike, in a map of accounts")]
    Alike {
        /// One.
        first: Account,
        /// The other.
        second: Account,
        /// The name.
        name: String,
    },
}

impl AccountMap {
    /// Reads a map: TOML, whose keys are our accounts (`refunds`, `"gateway_clearing:stripe"`, or `gateway_clearing` for
    /// all gateways, with `{name}` in the value where the gateway's name goes).
    ///
    /// # Errors
    ///
    /// [`AccountError`].
    pub fn parse(text: &str) -> Result<Self, AccountError> {
        let map: BTreeMap<String, String> =
            toml::from_str(text).map_err(|error| AccountError::Unreadable(error.message().to_owned()))?;
        for (account, name) in &map {
            let is_known = account.parse::<Account>().is_ok() || format!("{account}:x").parse::<Account>().is_ok();
            if !is_known {
                return Err(AccountError::Unknown(account.clone()));
            }
            check(&name.replace(PLACEHOLDER, "X"))?;
        }
        Ok(Self(map))
    }

    /// The names of these accounts.
    ///
    /// # Errors
    ///
    /// [`AccountError::Alike`] when two of them would be called the same without anybody having said so;
    /// [`AccountError::Name`].
    pub(super) fn names<'a>(
        &self,
        accounts: impl Iterator<Item = &'a Account>,
    ) -> Result<BTreeMap<Account, String>, AccountError> {
        let mut names = BTreeMap::new();
        let mut by_name: BTreeMap<String, (Account, bool)> = BTreeMap::new();
        for account in accounts {
            let (name, is_said) = self.name(account);
            check(&name)?;
            if let Some((first, was_said)) = by_name.insert(name.clone(), (account.clone(), is_said))
                && first != *account
                && !(was_said && is_said)
            {
                return Err(AccountError::Alike { first, second: account.clone(), name });
            }
            names.insert(account.clone(), name);
        }
        Ok(names)
    }

    /// The name of an account, and whether it was said for it, or for all of its kind without telling them apart.
    fn name(&self, account: &Account) -> (String, bool) {
        let ours = account.to_string();
        if let Some(name) = self.0.get(&ours) {
            return (name.clone(), true);
        }
        let (kind, qualifier) = ours.split_once(':').unwrap_or((&ours, ""));
        match self.0.get(kind) {
            Some(name) => (name.replace(PLACEHOLDER, &part(qualifier)), !name.contains(PLACEHOLDER)),
            None => (default(account), false),
        }
    }
}

/// The name of an account that nobody named.
fn default(account: &Account) -> String {
    match account {
        Account::Receivable => "Assets:Receivable".to_owned(),
        Account::GatewayClearing(gateway) => format!("Assets:Gateway:{}", part(gateway)),
        Account::Bank(bank) => format!("Assets:Bank:{}", part(bank)),
        Account::Disputed(gateway) => format!("Assets:Disputed:{}", part(gateway)),
        Account::DeferredRevenue => "Liabilities:DeferredRevenue".to_owned(),
        Account::TaxPayable => "Liabilities:TaxPayable".to_owned(),
        Account::Prepaid => "Liabilities:Prepaid".to_owned(),
        Account::PromotionalCredit => "Liabilities:PromotionalCredit".to_owned(),
        Account::Unapplied => "Liabilities:Unapplied".to_owned(),
        Account::Suspense => "Liabilities:Suspense".to_owned(),
        Account::Revenue => "Income:Revenue".to_owned(),
        // What is given back lessens what came in.
        Account::Refunds => "Income:Refunds".to_owned(),
        Account::Rounding => "Income:Rounding".to_owned(),
        Account::FxGainLoss => "Income:FxGainLoss".to_owned(),
        Account::DisputeLoss => "Expenses:DisputeLoss".to_owned(),
        Account::GatewayFees(gateway) => format!("Expenses:GatewayFees:{}", part(gateway)),
        Account::BadDebt => "Expenses:BadDebt".to_owned(),
    }
}

/// A name of somebody's as a part of an account's: `my_bank` is `My-bank`.
fn part(qualifier: &str) -> String {
    let mut part: String =
        qualifier.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
    match part.chars().next() {
        Some(first) if first.is_ascii_lowercase() => part[..1].make_ascii_uppercase(),
        Some('-') | None => part.insert(0, 'X'),
        Some(_) => {}
    }
    part
}

fn check(name: &str) -> Result<(), AccountError> {
    let mut parts = name.split(':');
    let is_root = parts.next().is_some_and(|root| ROOTS.contains(&root));
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_uppercase() || first.is_ascii_digit())
            && part.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    };
    let rest: Vec<&str> = parts.collect();
    if is_root && !rest.is_empty() && rest.into_iter().all(is_part) {
        return Ok(());
    }
    Err(AccountError::Name { name: name.to_owned() })
}

/// A text that names no account of the books.
impl From<UnknownAccount> for AccountError {
    fn from(unknown: UnknownAccount) -> Self {
        Self::Unknown(unknown.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clearing(gateway: &str) -> Account {
        Account::GatewayClearing(gateway.to_owned())
    }

    fn named(map: &str, accounts: &[Account]) -> Result<Vec<String>, AccountError> {
        let names = AccountMap::parse(map)?.names(accounts.iter())?;
        Ok(accounts.iter().map(|account| names[account].clone()).collect())
    }

    #[test]
    fn every_account_has_a_name_that_is_taken() {
        let all = [
            "receivable",
            "gateway_clearing:stripe",
            "bank:main_1",
            "deferred_revenue",
            "revenue",
            "tax_payable",
            "prepaid",
            "promotional_credit",
            "refunds",
            "disputed:stripe",
            "dispute_loss",
            "gateway_fees:stripe",
            "bad_debt",
            "rounding",
            "fx_gain_loss",
            "unapplied",
            "suspense",
        ];
        let accounts: Vec<Account> = all.iter().map(|name| name.parse().unwrap()).collect();
        let names = named("", &accounts).unwrap();
        assert_eq!(names[1..3], ["Assets:Gateway:Stripe", "Assets:Bank:Main-1"]);
        assert_eq!(named("", &[clearing("_ü")]).unwrap(), ["Assets:Gateway:X--"]);
    }

    #[test]
    fn a_map_goes_before() {
        let map = "unapplied = \"Liabilities:Customers\"\ngateway_clearing = \"Assets:Cards:{name}:USD\"\n\
                   \"gateway_clearing:eu\" = \"Assets:Europe\"";
        let accounts = [Account::Unapplied, clearing("us"), clearing("eu"), Account::Refunds];
        let expected = ["Liabilities:Customers", "Assets:Cards:Us:USD", "Assets:Europe", "Income:Refunds"];
        assert_eq!(named(map, &accounts).unwrap(), expected);
    }

    #[test]
    fn two_accounts_are_one_only_where_that_was_said() {
        let both = [clearing("a_b"), clearing("a-b")];
        assert!(matches!(named("", &both), Err(AccountError::Alike { .. })));
        let onto_default = [Account::Unapplied, Account::Prepaid];
        assert!(matches!(named("prepaid = \"Liabilities:Unapplied\"", &onto_default), Err(AccountError::Alike { .. })));
        assert_eq!(named("gateway_clearing = \"Assets:Cards\"", &both).unwrap(), ["Assets:Cards", "Assets:Cards"]);
    }

    #[test]
    fn what_is_no_map_is_refused() {
        for (map, expected) in [
            ("cash = \"Assets:Cash\"", "no account is called \"cash\""),
            ("unapplied = \"Liabilities\"", "is no name of an account"),
            ("unapplied = \"Debts:Customers\"", "is no name of an account"),
            ("unapplied = \"Liabilities:customers\"", "is no name of an account"),
            ("unapplied = 7", "a map of accounts is lines"),
            ("unapplied", "a map of accounts is lines"),
        ] {
            let error = AccountMap::parse(map).unwrap_err().to_string();
            assert!(error.contains(expected), "{map}: {error}");
        }
    }
}
