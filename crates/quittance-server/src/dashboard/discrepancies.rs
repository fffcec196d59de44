//! Discrepancies: what gateways and pairs of systems show otherwise than we do, and one of them with both versions side by side.

use super::Dashboard;
use super::decide;
use super::page::{Page, Part};
use super::view::{Cell, Filters, Link, Section, Table, Tone, address, below};
use super::visitor::Visitor;
use crate::api::discrepancies::{self, Found, needs_admin};
use crate::api::findings::{self, Detail, Made, standings};
use crate::api::query::{Parameters, checked};
use crate::diff::whole_json;
use crate::problem::{Problem, catalogue};
use crate::runtime::Handle;
use axum::extract::{Path, State};
use axum::response::Response;
use http::Uri;
use quittance_core::id::DiscrepancyId;
use quittance_store::records::{Discrepancy, FindingState, PairFinding, RepairPlan};
use serde_json::Value;

pub(super) const LIST: &str = "/dashboard/discrepancies";

/// Fields of one record that are shown.
const FIELDS_MAX: usize = 100;

/// Characters of a value that are shown.
const VALUE_MAX: usize = 300;

/// `GET /dashboard/discrepancies`
pub(super) async fn list(State(dashboard): State<Dashboard>, visitor: Visitor, uri: Uri) -> Response {
    visitor.answer(list_page(&dashboard.handle, &visitor, &uri).await)
}

async fn list_page(handle: &Handle, visitor: &Visitor, uri: &Uri) -> Result<Page, Problem> {
    let asked = Parameters::of_form(uri, &findings::PARAMETERS)?;
    let is_of_pairs = match asked.text("source") {
        None => visitor.is_admin(),
        Some("pair") => true,
        Some("gateway") => false,
        Some(_) => return Err(Problem::parameter("source", "must be one of gateway, pair")),
    };
    let (columns, rows, next) = if is_of_pairs {
        needs_admin(&visitor.caller)?;
        let found = findings::page(handle, &visitor.caller.tenant, &asked).await?;
        let columns = vec!["Discrepancy", "State", "Kind", "Pair", "Key", "Seen first", "Seen last"];
        (columns, found.data.iter().map(pair_row).collect(), found.next_cursor)
    } else {
        let found = discrepancies::page(handle, &visitor.caller, &asked).await?;
        let columns = vec!["Discrepancy", "State", "Kind", "Gateway", "At the gateway", "Payment", "Opened"];
        (columns, found.data.iter().map(gateway_row).collect(), found.next_cursor)
    };
    let source = if is_of_pairs { "pair" } else { "gateway" };
    let kept = |name: &'static str| (name, asked.text(name));
    let narrowed = ["pair", "status", "kind", "key", "created_after", "created_before", "limit"].map(kept);
    let given = asked.text("source");
    let next = next
        .as_deref()
        .map(|cursor| address(LIST, &[&[("source", given)], &narrowed[..], &[("cursor", Some(cursor))]].concat()));
    let title = if is_of_pairs { "Discrepancies of pairs" } else { "Discrepancies at gateways" };
    let (caption, empty) = ("The newest first".to_owned(), "There is none like that.".to_owned());
    let table = Table { title: title.to_owned(), caption, columns, rows, empty, next };
    let filters = filters(handle, visitor, &asked, source);
    Ok(Page::new(Part::Discrepancies, "Discrepancies", vec![Section::Filters(filters), Section::Table(table)]))
}

fn filters(handle: &Handle, visitor: &Visitor, asked: &Parameters, source: &'static str) -> Filters {
    let (status, pair) = (asked.text("status"), asked.text("pair"));
    let link = |text: &str, source, status: Option<&str>, pair: Option<&str>, is_here| {
        let href = address(LIST, &[("source", Some(source)), ("status", status), ("pair", pair)]);
        Link { text: text.to_owned(), href, is_here }
    };
    let mut links = Vec::new();
    if visitor.is_admin() {
        let sources = ["pair", "gateway"].map(|one| link(one, one, None, None, one == source));
        links.push(("Source", sources.into()));
    }
    let words: Vec<&str> = if source == "pair" { standings().collect() } else { vec!["open", "closed"] };
    let all = std::iter::once(link("all", source, None, pair, status.is_none()));
    let of_words = words.into_iter().map(|word| link(word, source, Some(word), pair, status == Some(word)));
    links.push(("State", all.chain(of_words).collect()));
    if source == "pair" {
        let all = std::iter::once(link("all", source, status, None, pair.is_none()));
        let names = handle.config().pairs.keys().take(50);
        let of_names = names.map(|name| link(name, source, status, Some(name), pair == Some(name)));
        links.push(("Pair", all.chain(of_names).collect()));
    }
    Filters { title: "Show", action: LIST.to_owned(), links, ..Filters::default() }
}

fn pair_row(one: &PairFinding) -> Vec<Cell> {
    let id = one.id.to_string();
    vec![
        Cell::code(id.as_str()).to(below(LIST, &id)),
        state(one.state),
        Cell::text(spoken_kind(&one.kind)),
        Cell::text(one.pair.as_str()),
        Cell::code(shortened(one.key.clone())),
        Cell::at(one.first_seen_at),
        Cell::at(one.last_seen_at),
    ]
}

fn gateway_row(one: &Discrepancy) -> Vec<Cell> {
    let id = one.id.to_string();
    let payment = one.payment.map(|payment| payment.to_string());
    vec![
        Cell::code(id.as_str()).to(below(LIST, &id)),
        open_or_closed(one),
        Cell::text(one.kind.name().replace('_', " ")),
        Cell::text(one.gateway.as_str()),
        Cell::code(one.object.as_str()),
        payment.map_or_else(|| Cell::text("–"), |id| Cell::code(id.as_str()).to(below("/dashboard/payments", &id))),
        Cell::at(one.opened_at),
    ]
}

fn open_or_closed(one: &Discrepancy) -> Cell {
    match one.closed_at {
        None => Cell::state("open", Tone::Bad),
        Some(_) => Cell::state("closed", Tone::Good),
    }
}

fn state(state: FindingState) -> Cell {
    let tone = match state {
        FindingState::Confirmed => Tone::Bad,
        FindingState::Suspect | FindingState::Resolving => Tone::Warn,
        FindingState::Resolved => Tone::Good,
        FindingState::Ignored => Tone::Plain,
    };
    Cell::state(state.name(), tone)
}

fn spoken_kind(kind: &str) -> String {
    kind.replace('_', " ")
}

/// `GET /dashboard/discrepancies/{id}`
pub(super) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor, Path(id): Path<String>) -> Response {
    visitor.answer(show_page(&dashboard.handle, &visitor, id).await)
}

async fn show_page(handle: &Handle, visitor: &Visitor, id: String) -> Result<Page, Problem> {
    let not_found = || Problem::new(&catalogue::NOT_FOUND, "no discrepancy has this id");
    let id: DiscrepancyId = checked(id)?.parse().map_err(|_| not_found())?;
    let sections = match discrepancies::find(handle, &visitor.caller, id).await?.ok_or_else(not_found)? {
        Found::AtGateway(one) => vec![Section::Facts("Facts".to_owned(), gateway_facts(&one))],
        Found::OfPair(detail) => {
            let mut sections = told(&detail);
            sections.extend(decide::choices(&detail));
            sections
        }
    };
    Ok(Page::new(Part::Discrepancies, format!("Discrepancy {id}"), sections))
}

fn gateway_facts(one: &Discrepancy) -> Vec<(String, Cell)> {
    let columns = ["Discrepancy", "State", "Kind", "Gateway", "At the gateway", "Payment", "Opened"];
    let mut facts: Vec<(String, Cell)> = columns.map(str::to_owned).into_iter().zip(gateway_row(one)).skip(1).collect();
    facts.push(("Seen last".to_owned(), Cell::at(one.last_seen_at)));
    facts.push(("Closed".to_owned(), Cell::maybe_at(one.closed_at)));
    facts.push(("What is told".to_owned(), Cell::text(one.detail.as_str())));
    facts
}

/// What is known of a discrepancy of a pair.
pub(super) fn told(detail: &Detail) -> Vec<Section> {
    let one = &detail.finding;
    let mut facts = vec![
        ("State".to_owned(), state(one.state)),
        ("Kind".to_owned(), Cell::text(spoken_kind(&one.kind))),
        ("Pair".to_owned(), Cell::text(one.pair.as_str()).to(below("/dashboard/pairs", &one.pair))),
        ("Key".to_owned(), Cell::code(one.key.as_str())),
        ("Seen first".to_owned(), Cell::at(one.first_seen_at)),
        ("Seen last".to_owned(), Cell::at(one.last_seen_at)),
        ("Resolved".to_owned(), Cell::maybe_at(one.closed_at)),
        ("Seen by run".to_owned(), Cell::code(one.run.to_string())),
    ];
    if let Some(by) = &one.ignored_by {
        let why = one.ignored_reason.as_deref().unwrap_or_default();
        facts.push(("Ignored".to_owned(), Cell::text(format!("by {by}: {why}"))));
    }
    let mut sections = vec![Section::Facts("Facts".to_owned(), facts), Section::Table(versions(one))];
    if !detail.repairs.is_empty() {
        sections.push(Section::Table(repairs(&detail.repairs)));
    }
    if !detail.decisions.is_empty() {
        sections.push(Section::Table(decisions(detail)));
    }
    sections
}

/// Both versions side by side.
fn versions(one: &PairFinding) -> Table {
    let lines: Vec<Value> = serde_json::from_str(&one.told).unwrap_or_default();
    let row = |line: &Value| {
        let value = |name: &str| Cell::code(shown(&line[name]));
        vec![Cell::text(shown(&line["field"])), value("left"), value("right"), value("left_time"), value("right_time")]
    };
    Table {
        title: "Both versions".to_owned(),
        caption: "As the last comparison saw them; a field that is not named stands for the whole record".to_owned(),
        columns: vec!["Field", "Left", "Right", "Time of left", "Time of right"],
        rows: lines.iter().take(FIELDS_MAX).map(row).collect(),
        empty: "Nothing was kept of what it saw.".to_owned(),
        next: None,
    }
}

fn repairs(made: &[Made]) -> Table {
    let row = |made: &Made| {
        vec![
            Cell::code(format!("{}/{}", made.repair.run, made.repair.no)),
            Cell::text(made.repair.state.name().replace('_', " ")),
            Cell::text(made.plan.side.as_str()),
            Cell::code(changes(&made.plan)),
            Cell::code(made.by.as_deref().unwrap_or("–")),
            Cell::at(made.repair.changed_at),
        ]
    };
    Table {
        title: "Repairs of this record".to_owned(),
        caption: "The newest first".to_owned(),
        columns: vec!["Repair", "State", "Side", "What it sets", "By", "Changed"],
        rows: made.iter().map(row).collect(),
        ..Table::default()
    }
}

fn decisions(detail: &Detail) -> Table {
    let rows = detail.decisions.iter().map(|one| {
        vec![
            Cell::text(one.action.as_str()),
            Cell::code(one.by.as_str()),
            Cell::at(one.at),
            Cell::text(one.reason.as_str()),
            one.run.map_or_else(|| Cell::text("–"), |run| Cell::code(run.to_string())),
        ]
    });
    Table {
        title: "What people decided".to_owned(),
        caption: "The newest first".to_owned(),
        columns: vec!["Decision", "By", "When", "Why", "Run"],
        rows: rows.collect(),
        ..Table::default()
    }
}

/// What a repair sets, and what it expects to find there.
pub(super) fn changes(plan: &RepairPlan) -> String {
    let expected = |column: &str| {
        let known = plan.expected.iter().find(|(name, _)| name == column);
        known.map_or_else(|| "?".to_owned(), |(_, value)| shown(&whole_json(value)))
    };
    let one = |(column, value): &(String, quittance_core::record::value::Value<'static>)| {
        format!("{column}: {} → {}", expected(column), shown(&whole_json(value)))
    };
    plan.set.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// A value of a record, as much of it as is read.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => shortened(text.clone()),
        other => shortened(other.to_string()),
    }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(VALUE_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
