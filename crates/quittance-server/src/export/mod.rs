//! The books of a tenant for other programs: Beancount, hledger, CSV, JSON Lines.
//!
//! One moment of the books is read, book by book, and written as it is read. Before the end is written, everything that was
//! is summed up and compared with the balances of the books; the forms of accounting programs end with those balances as
//! assertions of their own. **An export that was written to its end adds up to what `GET /v1/ledger/balances` says.**

mod accounts;
mod beancount;
mod hledger;
mod lines;
mod sheet;

pub use accounts::{AccountError, AccountMap};

use crate::api::rows;
use crate::data::Data;
use crate::entries::movement_of;
use quittance_core::account::{Account, Side};
use quittance_core::currency::Currency;
use quittance_core::id::CustomerId;
use quittance_core::tenant::Tenant;
use quittance_store::records::{Book, JournalEntry};
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables::{BOOKS, JOURNAL, TENANTS};
use sheet::{Closing, Entry, Opening, Sheet};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Rows fetched at a time.
const CHUNK: usize = 500;

/// What the export is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Beancount, checked by `bean-check`.
    Beancount,
    /// hledger's journal, checked by `hledger check --strict`.
    Hledger,
    /// RFC 4180 with a header, a line for each posting.
    Csv,
    /// A JSON object on each line, as `GET /v1/ledger/entries` shows it.
    JsonLines,
}

/// What is to be exported.
#[derive(Clone, Copy, Debug)]
pub struct Export<'a> {
    /// Whose books: a tenant's name; none where there is one tenant only.
    pub tenant: Option<&'a str>,
    /// For what.
    pub form: Form,
    /// Names of accounts, for accounting programs.
    pub accounts: &'a AccountMap,
    /// Whether what was held and let go is written as well; accounting programs take none of it.
    pub with_holds: bool,
}

/// What was exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Books of customers.
    pub books: u64,
    /// Movements of money.
    pub entries: u64,
}

/// Why there is no export, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The books cannot be read.
    #[error("cannot read the books")]
    Store(#[from] StoreError),
    /// It cannot be written.
    #[error("cannot write the export")]
    Write(#[from] io::Error),
    /// There is no such tenant, or it was not said which.
    #[error("{what}")]
    Tenant {
        /// What is wrong.
        what: String,
        /// Names of the tenants that there are.
        known: Vec<String>,
    },
    /// An account cannot be named.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// Journals and balances part.
    #[error("the journals come to {journal} minor units on {account} in {currency}, and the balances say {balance}")]
    Unsound {
        /// Where.
        account: Account,
        /// In what.
        currency: Currency,
        /// Sum of the journals, debits above zero.
        journal: i128,
        /// Sum of the balances.
        balance: i128,
    },
}

/// What is posted by account and currency, debits above zero; minor units.
type Sums = BTreeMap<(Account, Currency), i128>;

/// Writes the books of a tenant as they are at this moment, beside a running server or without one.
///
/// # Errors
///
/// [`ExportError`]; what was written then is a part, and has no end.
pub fn export(data: &Data, asked: &Export<'_>, out: &mut dyn Write) -> Result<Exported, ExportError> {
    let mut snapshot = data.open_snapshot()?;
    let reader: &mut dyn Reader = snapshot.as_mut();
    let tenant = tenant(reader, asked.tenant)?;
    let balances = balances(reader, &tenant)?;
    let names = asked.accounts.names(balances.keys().map(|(account, _)| account))?;
    let opening = Opening { tenant: &tenant, names: &names, balances: &balances };
    let mut run =
        Run { sheet: sheet(asked.form), with_holds: asked.with_holds, sums: Sums::new(), latest: tenant.created_at };
    run.sheet.begin(&opening, out)?;
    let mut exported = Exported::default();
    books(reader, &tenant, |reader, book| {
        exported.books += 1;
        exported.entries += run.book(reader, book.id, &opening, out)?;
        Ok(())
    })?;
    run.check(&balances)?;
    run.sheet.end(&Closing { opening, latest: run.latest }, out)?;
    out.flush()?;
    Ok(exported)
}

fn sheet(form: Form) -> Box<dyn Sheet> {
    match form {
        Form::Beancount => Box::new(beancount::Beancount),
        Form::Hledger => Box::new(hledger::Hledger),
        Form::Csv => Box::new(lines::Csv),
        Form::JsonLines => Box::new(lines::JsonLines),
    }
}

/// An export under way.
struct Run {
    sheet: Box<dyn Sheet>,
    with_holds: bool,
    sums: Sums,
    latest: quittance_core::time::Timestamp,
}

impl Run {
    /// Writes a book and returns how many movements that were.
    fn book(
        &mut self,
        reader: &mut dyn Reader,
        book: CustomerId,
        opening: &Opening<'_>,
        out: &mut dyn Write,
    ) -> Result<u64, ExportError> {
        let mut scan = Scan::forward(&JOURNAL, vec![book.bytes().into()], CHUNK);
        let mut written = 0;
        loop {
            let found: Vec<JournalEntry> = rows::page(reader, &scan)?;
            let is_end = found.len() < CHUNK;
            for entry in found {
                scan.after = Some(vec![entry.seq.into()]);
                let Some(movement) = movement_of(&entry)? else { continue };
                let is_posted = movement.is_posted();
                let is_told = is_posted || (self.with_holds && self.sheet.takes_holds());
                if !is_told {
                    continue;
                }
                if is_posted {
                    for posting in &movement.postings {
                        let sum = self.sums.entry((posting.account.clone(), posting.currency)).or_default();
                        *sum += sheet::signed(posting);
                    }
                }
                self.latest = self.latest.max(entry.at);
                let movement = movement.completed(reader, book)?;
                self.sheet.entry(&Entry { record: &entry, movement: &movement, names: opening.names }, out)?;
                written += 1;
            }
            if is_end {
                return Ok(written);
            }
        }
    }

    /// Compares what was written with the balances of the books.
    fn check(&self, balances: &Sums) -> Result<(), ExportError> {
        let keys = balances.keys().chain(self.sums.keys());
        for (account, currency) in keys {
            let of = |sums: &Sums| sums.get(&(account.clone(), *currency)).copied().unwrap_or_default();
            let (journal, balance) = (of(&self.sums), of(balances));
            if journal != balance {
                return Err(ExportError::Unsound { account: account.clone(), currency: *currency, journal, balance });
            }
        }
        Ok(())
    }
}

fn tenant(reader: &mut dyn Reader, name: Option<&str>) -> Result<Tenant, ExportError> {
    let mut scan = Scan::forward(&TENANTS, Vec::new(), CHUNK);
    let mut tenants: Vec<Tenant> = Vec::new();
    loop {
        let page: Vec<Tenant> = rows::page(reader, &scan)?;
        let is_end = page.len() < CHUNK;
        scan.after = page.last().map(|tenant| vec![tenant.id.bytes().into()]);
        tenants.extend(page);
        if is_end {
            break;
        }
    }
    let known = || tenants.iter().map(|tenant| tenant.name.clone()).collect();
    let what = match name {
        Some(name) => match tenants.iter().find(|tenant| tenant.name == name) {
            Some(tenant) => return Ok(tenant.clone()),
            None => format!("there is no tenant {name:?}"),
        },
        None => match tenants.as_slice() {
            [tenant] => return Ok(tenant.clone()),
            [] => "there is no tenant yet".to_owned(),
            _ => "there are several tenants, and an export is of one".to_owned(),
        },
    };
    Err(ExportError::Tenant { what, known: known() })
}

/// What the books of a tenant say of themselves.
fn balances(reader: &mut dyn Reader, tenant: &Tenant) -> Result<Sums, ExportError> {
    let mut sums = Sums::new();
    books(reader, tenant, |_, book| {
        for ((account, currency), balance) in &book.balances.0 {
            *sums.entry((account.clone(), *currency)).or_default() += balance.amount(Side::Debit);
        }
        Ok(())
    })?;
    Ok(sums)
}

/// Does something with each book of a tenant.
fn books(
    reader: &mut dyn Reader,
    tenant: &Tenant,
    mut each: impl FnMut(&mut dyn Reader, &Book) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let index = Some(&BOOKS.indexes[0]);
    let mut scan = Scan { index, ..Scan::forward(&BOOKS, vec![tenant.id.bytes().into()], CHUNK) };
    loop {
        let page: Vec<Book> = rows::page(reader, &scan)?;
        for book in &page {
            each(reader, book)?;
        }
        match page.last() {
            Some(last) if page.len() == CHUNK => scan.after = Some(vec![last.id.bytes().into()]),
            _ => return Ok(()),
        }
    }
}
