//! `GET /v1/ledger/balances` and `/v1/ledger/accounts`: sums over a customer's book, or over all books of the tenant.

use super::{Filter, PARAMETERS};
use crate::api::cursor::List;
use crate::api::query::Parameters;
use crate::api::rows;
use crate::api::waiting::or_problem;
use crate::auth::authenticate;
use crate::entries::side;
use crate::problem::{Problem, catalogue};
use crate::render::{self, ListView};
use crate::runtime::Handle;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::account::{Account, Side};
use quittance_core::currency::Currency;
use quittance_core::id::TenantId;
use quittance_core::ledger::Balance;
use quittance_core::tenant::Scope;
use quittance_store::records::Book;
use quittance_store::store::{Direction, Reader, Scan, StoreError};
use quittance_store::tables::BOOKS;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Books that are summed for one answer, at most.
const BOOKS_MAX: usize = 100_000;
/// Books fetched at a time.
const CHUNK: usize = 500;

/// Sums over many books, which may exceed what one book may hold.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sums {
    pub(crate) debits: i128,
    pub(crate) credits: i128,
    pub(crate) held_debits: i128,
    pub(crate) held_credits: i128,
}

/// By account and currency.
pub(crate) type Chart = BTreeMap<(Account, Currency), Sums>;

#[derive(Serialize)]
struct BalanceView {
    object: &'static str,
    account: String,
    currency: &'static str,
    normal_side: &'static str,
    amount: i128,
    debit_amount: i128,
    credit_amount: i128,
    held_debit_amount: i128,
    held_credit_amount: i128,
}

#[derive(Serialize)]
struct AccountView {
    object: &'static str,
    account: String,
    normal_side: &'static str,
    currencies: BTreeSet<&'static str>,
}

/// `GET /v1/ledger/balances`
pub(in crate::api) async fn balances(State(handle): State<Handle>, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(list(&handle, &uri, &headers, "ledger/balances", balance_views).await)
}

/// `GET /v1/ledger/accounts`: the accounts in use.
pub(in crate::api) async fn accounts(State(handle): State<Handle>, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(list(&handle, &uri, &headers, "ledger/accounts", account_views).await)
}

/// The views of a chart by name, in order; a page is a part of them.
async fn list<T: Serialize>(
    handle: &Handle,
    uri: &Uri,
    headers: &HeaderMap,
    name: &str,
    views: fn(&Chart) -> BTreeMap<String, T>,
) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Read).await?;
    let parameters = Parameters::of(uri, &PARAMETERS)?;
    let filter = Filter::of(handle, &caller, &parameters).await?;
    let (tenant, limit) = (caller.tenant.id, parameters.limit()?);
    let cursors = List::new(name, tenant, &parameters.filters());
    let after = parameters.text("cursor").map(|cursor| cursors.position(cursor)).transpose()?;
    let (chart, is_whole) = handle.read(move |reader| read(reader, tenant, &filter, BOOKS_MAX)).await?;
    if !is_whole {
        let detail = format!("there are more than {BOOKS_MAX} customers; name one");
        return Err(Problem::new(&catalogue::PAGE_LIMIT, detail));
    }
    let rest = views(&chart).into_iter().filter(|(name, _)| match &after {
        Some(after) => name.as_bytes() > after.as_slice(),
        None => true,
    });
    let mut rest: Vec<(String, T)> = rest.take(limit + 1).collect();
    let has_more = rest.len() > limit;
    rest.truncate(limit);
    let next_cursor = rest.last().filter(|_| has_more).map(|(name, _)| cursors.cursor(name.as_bytes()));
    Ok(render::ok(&ListView { data: rest.into_iter().map(|(_, view)| view).collect(), has_more, next_cursor }))
}

/// The sums over a tenant's books, so many at most, and whether those are all.
pub(crate) async fn chart(handle: &Handle, tenant: TenantId, books_max: usize) -> Result<(Chart, bool), Problem> {
    let filter = Filter { book: None, account: None, currency: None };
    Ok(handle.read(move |reader| read(reader, tenant, &filter, books_max)).await?)
}

/// Sums books, so many at most, and tells whether those are all. Each book is read as some committed state of its own, and so
/// balances.
fn read(
    reader: &mut dyn Reader,
    tenant: TenantId,
    filter: &Filter,
    books_max: usize,
) -> Result<(Chart, bool), StoreError> {
    let mut chart = Chart::new();
    if let Some(book) = filter.book {
        if let Some(book) = rows::get::<Book>(reader, vec![book.bytes().into()])? {
            add(&mut chart, &book, filter);
        }
        return Ok((chart, true));
    }
    let mut scan = Scan {
        table: &BOOKS,
        index: Some(&BOOKS.indexes[0]),
        prefix: vec![tenant.bytes().into()],
        after: None,
        until: None,
        direction: Direction::Forward,
        limit: CHUNK,
    };
    for _ in 0..books_max / CHUNK {
        let books: Vec<Book> = rows::page(reader, &scan)?;
        for book in &books {
            add(&mut chart, book, filter);
        }
        match books.last() {
            Some(last) if books.len() == CHUNK => scan.after = Some(vec![last.id.bytes().into()]),
            _ => return Ok((chart, true)),
        }
    }
    Ok((chart, false))
}

fn add(chart: &mut Chart, book: &Book, filter: &Filter) {
    for ((account, currency), balance) in &book.balances.0 {
        if filter.takes(account, *currency) {
            chart.entry((account.clone(), *currency)).or_default().add(balance);
        }
    }
}

impl Sums {
    /// Adds what others sum up to.
    pub(crate) const fn add_sums(&mut self, other: &Self) {
        self.debits += other.debits;
        self.credits += other.credits;
        self.held_debits += other.held_debits;
        self.held_credits += other.held_credits;
    }

    /// What is posted, on the side where the account's balance stands.
    pub(crate) const fn balance(&self, normal: Side) -> i128 {
        match normal {
            Side::Debit => self.debits - self.credits,
            Side::Credit => self.credits - self.debits,
        }
    }

    fn add(&mut self, balance: &Balance) {
        self.debits += i128::from(balance.debits);
        self.credits += i128::from(balance.credits);
        self.held_debits += i128::from(balance.held_debits);
        self.held_credits += i128::from(balance.held_credits);
    }
}

fn balance_views(chart: &Chart) -> BTreeMap<String, BalanceView> {
    let views = chart.iter().map(|((account, currency), sums)| {
        let normal = account.normal_side();
        let view = BalanceView {
            object: "balance",
            account: account.to_string(),
            currency: currency.code(),
            normal_side: side(normal),
            amount: sums.balance(normal),
            debit_amount: sums.debits,
            credit_amount: sums.credits,
            held_debit_amount: sums.held_debits,
            held_credit_amount: sums.held_credits,
        };
        (format!("{account} {currency}"), view)
    });
    views.collect()
}

fn account_views(chart: &Chart) -> BTreeMap<String, AccountView> {
    let mut views: BTreeMap<String, AccountView> = BTreeMap::new();
    for (account, currency) in chart.keys() {
        let view = views.entry(account.to_string()).or_insert_with(|| AccountView {
            object: "account",
            account: account.to_string(),
            normal_side: side(account.normal_side()),
            currencies: BTreeSet::new(),
        });
        view.currencies.insert(currency.code());
    }
    views
}
