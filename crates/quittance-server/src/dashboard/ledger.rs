//! The tenant's books: the balance of each account, and whether debits are credits.

use super::Dashboard;
use super::overview::{is_balanced, totals};
use super::page::{Page, Part};
use super::view::{Cell, Section, Table, Tone};
use super::visitor::Visitor;
use crate::api::ledger;
use crate::entries::side;
use crate::problem::Problem;
use crate::runtime::Handle;
use axum::extract::State;
use axum::response::Response;

/// Books that are summed, at most; as the API has it.
const BOOKS_MAX: usize = 100_000;

/// Accounts that are listed.
const ACCOUNTS_MAX: usize = 200;

/// `GET /dashboard/ledger`
pub(super) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    visitor.answer(page(&dashboard.handle, &visitor).await)
}

async fn page(handle: &Handle, visitor: &Visitor) -> Result<Page, Problem> {
    let (chart, is_whole) = ledger::chart(handle, visitor.caller.tenant.id, BOOKS_MAX).await?;
    let note = match (is_balanced(&chart), is_whole) {
        (false, _) => Section::Note(Tone::Bad, "Debits and credits differ: run `quittance verify`.".to_owned()),
        (true, true) => Section::Note(Tone::Good, "Debits are credits in every currency, over all books.".to_owned()),
        (true, false) => Section::Note(
            Tone::Warn,
            format!("Debits are credits over the first {BOOKS_MAX} books; the others are not in these sums."),
        ),
    };
    let trial = totals(&chart).into_iter().map(|(currency, total)| {
        let amount = |amount| Cell::amount(amount, currency);
        vec![
            Cell::text(currency.code()),
            amount(total.debits),
            amount(total.credits),
            amount(total.held_debits),
            amount(total.held_credits),
        ]
    });
    let trial = Table {
        title: "Trial balance".to_owned(),
        caption: "What is posted, and what is held, by currency".to_owned(),
        columns: vec!["Currency", "Debits", "Credits", "Held debits", "Held credits"],
        rows: trial.collect(),
        empty: "Nothing is booked.".to_owned(),
        next: None,
    };
    let accounts = chart.iter().take(ACCOUNTS_MAX).map(|((account, currency), sums)| {
        let normal = account.normal_side();
        vec![
            Cell::code(account.to_string()),
            Cell::text(side(normal)),
            Cell::amount(sums.balance(normal), *currency),
            Cell::amount(sums.debits, *currency),
            Cell::amount(sums.credits, *currency),
            Cell::amount(sums.held_debits - sums.held_credits, *currency),
        ]
    });
    let accounts = Table {
        title: "Accounts".to_owned(),
        caption: format!("By name, {ACCOUNTS_MAX} at most; /v1/ledger/balances has all"),
        columns: vec!["Account", "Normal side", "Balance", "Debits", "Credits", "Held, debits less credits"],
        rows: accounts.collect(),
        empty: "No account is in use.".to_owned(),
        next: None,
    };
    Ok(Page::new(Part::Ledger, "Ledger", vec![note, Section::Table(trial), Section::Table(accounts)]))
}
