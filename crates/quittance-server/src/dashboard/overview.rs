//! The first page: whether money and records agree, at a glance. What is wrong comes before what is well.
//!
//! Each tile reads what the API reads, within limits; one that cannot be read says so and leaves the others alone.

use super::Dashboard;
use super::page::{Page, Part};
use super::view::{Cell, Section, Table, Tile, Tone, address, age, counted, span};
use super::visitor::Visitor;
use crate::api::discrepancies;
use crate::api::ledger::{self, Chart};
use crate::api::pairs;
use crate::api::query::Parameters;
use crate::problem::Problem;
use crate::runtime::Handle;
use crate::switches;
use axum::extract::State;
use axum::response::Response;
use http::Uri;
use quittance_core::alert::{Alert, Severity, Standing};
use quittance_core::money::decimal;
use quittance_core::time::Timestamp;
use quittance_store::records::Switch;
use std::collections::BTreeMap;

/// Books that are summed for the overview, at most.
const BOOKS_MAX: usize = 1_000;

/// Findings of one kind that are counted, at most.
const COUNTED_MAX: usize = 1_000;

/// Alerts that are listed; the API lists all.
const ALERTS_MAX: usize = 50;

/// Pairs that are shown; the list of pairs shows all.
const PAIRS_MAX: usize = 20;

/// `GET /dashboard`
pub(super) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    let sections = sections(&dashboard.handle, &visitor).await;
    let page = Page::new(Part::Overview, "Overview", sections);
    visitor.answer(Ok(Page { is_live: true, ..page }))
}

/// All of it, as this visitor may see it.
pub(super) async fn sections(handle: &Handle, visitor: &Visitor) -> Vec<Section> {
    let now = handle.now();
    let mut tiles = process(handle, now);
    tiles.push(or_unread("Pauses", handle.read(switches::paused).await.map_err(Problem::from).map(|all| pauses(&all))));
    tiles.extend(money(handle, visitor).await);
    tiles.push(or_unread("Differences at gateways", at_gateways(handle, visitor).await));
    let mut sections = Vec::new();
    if visitor.is_admin() {
        match handle.alerts().await.map_err(Problem::from) {
            Ok(book) => {
                let open: Vec<&Alert> = book.alerts.iter().filter(|alert| alert.standing == Standing::Open).collect();
                tiles.push(alert_tile(&open));
                sections.extend((!open.is_empty()).then(|| Section::Table(alert_table(open, now))));
            }
            Err(problem) => tiles.push(unread("Alerts", &problem)),
        }
        match pair_tiles(handle, now).await {
            Ok(of_pairs) => tiles.extend(of_pairs),
            Err(problem) => tiles.push(unread("Pairs", &problem)),
        }
    }
    // Stable: what is equally bad stays in the order it was put together.
    tiles.sort_by_key(|tile| tile.tone);
    sections.insert(0, Section::Tiles("State".to_owned(), tiles));
    sections
}

fn or_unread(name: &str, tile: Result<Tile, Problem>) -> Tile {
    tile.unwrap_or_else(|problem| unread(name, &problem))
}

/// What cannot be known now is no good news.
fn unread(name: &str, problem: &Problem) -> Tile {
    Tile {
        name: name.to_owned(),
        value: "Not known".to_owned(),
        detail: problem.said().join("; "),
        tone: Tone::Bad,
        href: None,
    }
}

/// What this process knows by itself: its queue, and how gateways fare.
fn process(handle: &Handle, now: Timestamp) -> Vec<Tile> {
    let readiness = handle.readiness();
    let unknown = readiness.backlog.iter().filter_map(|(name, backlog)| Some((backlog.unknown_since?, name))).min();
    let due = readiness.backlog.iter().filter_map(|(name, backlog)| Some((backlog.due_since?, name))).min();
    let waiting = |name: &str, since: Option<(Timestamp, &String)>| Tile {
        name: name.to_owned(),
        value: since.map_or_else(|| "None".to_owned(), |(since, _)| age(since, now)),
        detail: since.map_or_else(String::new, |(_, gateway)| format!("at {gateway}")),
        tone: if since.is_some() { Tone::Warn } else { Tone::Good },
        href: Some(address("/dashboard/payments", &[("status", Some("unknown"))])),
    };
    let troubles = readiness.degraded.iter().map(|(gateway, complaint)| {
        let of = if complaint.operations.is_empty() { String::new() } else { complaint.operations.join(", ") + ": " };
        format!("{gateway}: {of}{}", complaint.reason)
    });
    let troubles: Vec<String> = troubles.collect();
    let mut tiles = vec![
        waiting("Oldest unknown outcome", unknown),
        Tile { tone: Tone::Plain, href: None, ..waiting("Oldest due at a gateway", due) },
        Tile {
            name: "Gateways".to_owned(),
            value: match troubles.len() {
                0 => "All answer".to_owned(),
                count => format!("{count} in trouble"),
            },
            detail: troubles.join("; "),
            tone: if troubles.is_empty() { Tone::Good } else { Tone::Bad },
            href: Some("/dashboard/settings".to_owned()),
        },
        Tile {
            name: "Commands that wait".to_owned(),
            value: readiness.queue_depth.to_string(),
            detail: match readiness.queue_depth {
                0 => String::new(),
                _ => format!("the oldest for {}", span(readiness.queue_age_ms)),
            },
            tone: if readiness.takes_commands { Tone::Good } else { Tone::Bad },
            href: None,
        },
    ];
    tiles.extend(readiness.risks.iter().map(|risk| Tile {
        name: "Risk".to_owned(),
        value: risk.code.replace('_', " "),
        detail: format!("{}; {}", risk.what, risk.remedy),
        tone: if risk.is_grave { Tone::Bad } else { Tone::Warn },
        href: None,
    }));
    tiles
}

fn pauses(switches: &[Switch]) -> Tile {
    let name = |switch: &Switch| match switch.name.as_str() {
        Switch::EVERYTHING => "everything".to_owned(),
        name => switch.recovers().unwrap_or(name).to_owned(),
    };
    let told = switches.iter().map(|switch| match &switch.reason {
        Some(reason) => format!("{}: {reason}", name(switch)),
        None => name(switch),
    });
    Tile {
        name: "Pauses".to_owned(),
        value: if switches.is_empty() { "None".to_owned() } else { format!("{} in force", switches.len()) },
        detail: told.collect::<Vec<_>>().join("; "),
        tone: if switches.is_empty() { Tone::Good } else { Tone::Warn },
        href: Some("/dashboard/settings".to_owned()),
    }
}

/// Whether the tenant's books balance, and what is held in them.
async fn money(handle: &Handle, visitor: &Visitor) -> Vec<Tile> {
    let (chart, is_whole) = match ledger::chart(handle, visitor.caller.tenant.id, BOOKS_MAX).await {
        Ok(chart) => chart,
        Err(problem) => return vec![unread("Books", &problem)],
    };
    let of = if is_whole { "all books".to_owned() } else { format!("the first {BOOKS_MAX} books") };
    let href = Some("/dashboard/ledger".to_owned());
    let (totals, is_balanced) = (totals(&chart), is_balanced(&chart));
    let held: Vec<String> = totals
        .iter()
        .filter(|(_, total)| total.held_debits > 0)
        .map(|(currency, total)| format!("{} {currency}", decimal(total.held_debits, *currency)))
        .collect();
    vec![
        Tile {
            name: "Books".to_owned(),
            value: if is_balanced { "Balanced" } else { "Not balanced" }.to_owned(),
            detail: format!("debits and credits of {of}; currencies: {}", totals.len()),
            tone: if is_balanced { Tone::Good } else { Tone::Bad },
            href: href.clone(),
        },
        Tile {
            name: "In flight".to_owned(),
            value: if held.is_empty() { "Nothing".to_owned() } else { held.join(", ") },
            detail: format!("held and not yet posted, in {of}"),
            tone: Tone::Plain,
            href,
        },
    ]
}

/// The sums of each currency.
pub(super) fn totals(chart: &Chart) -> BTreeMap<quittance_core::currency::Currency, ledger::Sums> {
    let mut totals = BTreeMap::new();
    for ((_, currency), sums) in chart {
        let total: &mut ledger::Sums = totals.entry(*currency).or_default();
        total.add_sums(sums);
    }
    totals
}

/// Whether debits are credits in every currency, of what is posted and of what is held.
pub(super) fn is_balanced(chart: &Chart) -> bool {
    totals(chart).values().all(|total| total.debits == total.credits && total.held_debits == total.held_credits)
}

async fn at_gateways(handle: &Handle, visitor: &Visitor) -> Result<Tile, Problem> {
    let query = Uri::from_static("/?status=open&limit=100");
    let parameters = Parameters::of(&query, &["status", "limit"])?;
    let page = discrepancies::page(handle, &visitor.caller, &parameters).await?;
    let count = page.data.len();
    let oldest = page.data.iter().map(|one| one.opened_at).min();
    Ok(Tile {
        name: "Differences at gateways".to_owned(),
        value: if page.has_more { format!("{count}+ open") } else { format!("{count} open") },
        detail: oldest.map_or_else(String::new, |at| format!("the oldest of these for {}", age(at, handle.now()))),
        tone: if count == 0 && !page.has_more { Tone::Good } else { Tone::Bad },
        href: Some(address("/dashboard/discrepancies", &[("source", Some("gateway")), ("status", Some("open"))])),
    })
}

fn alert_tile(open: &[&Alert]) -> Tile {
    let worst = open.iter().map(|alert| alert.severity).max();
    Tile {
        name: "Alerts".to_owned(),
        value: if open.is_empty() { "None open".to_owned() } else { format!("{} open", open.len()) },
        detail: worst.map_or_else(String::new, |worst| format!("the worst is {}", worst.name())),
        tone: worst.map_or(Tone::Good, tone_of),
        href: None,
    }
}

const fn tone_of(severity: Severity) -> Tone {
    match severity {
        Severity::Critical => Tone::Bad,
        Severity::Warning | Severity::Info => Tone::Warn,
    }
}

fn alert_table(mut open: Vec<&Alert>, now: Timestamp) -> Table {
    open.sort_by_key(|alert| (std::cmp::Reverse(alert.severity), alert.since));
    let row = |alert: &&Alert| {
        let amounts =
            alert.amounts.iter().map(|(currency, sum)| format!("{} {currency}", decimal(i128::from(*sum), *currency)));
        vec![
            Cell::text(alert.subject.clone()),
            Cell::state(alert.severity.name(), tone_of(alert.severity)),
            Cell::text(alert.kind.name()),
            Cell::text(alert.what.clone()),
            Cell::text(amounts.collect::<Vec<_>>().join(", ")),
            Cell::at(alert.since),
            Cell::text(age(alert.since, now)),
        ]
    };
    Table {
        title: "Open alerts".to_owned(),
        caption: format!("The worst first, then the oldest; {ALERTS_MAX} at most"),
        columns: vec!["Subject", "Severity", "Kind", "What is wrong", "At stake", "Since", "For"],
        rows: open.iter().take(ALERTS_MAX).map(row).collect(),
        ..Table::default()
    }
}

/// How each pair stands, and the age of its last proof.
async fn pair_tiles(handle: &Handle, now: Timestamp) -> Result<Vec<Tile>, Problem> {
    let names: Vec<String> = handle.config().pairs.keys().take(PAIRS_MAX).cloned().collect();
    let standings = pairs::standings(handle, names, COUNTED_MAX).await?;
    let tile = |pair: pairs::Standing| {
        let open = pair.unsettled();
        let is_paused = pair.state.as_ref().is_some_and(|state| state.pause.is_some());
        let failing = pair.state.as_ref().and_then(|state| state.failing_since);
        let proof = pair.last_proof.as_ref().map(|run| run.ended_at);
        let mut detail: Vec<String> = pair
            .open
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(state, count)| format!("{} {state}", counted(*count, COUNTED_MAX)))
            .collect();
        detail.extend(pair.oldest.map(|at| format!("the oldest for {}", age(at, now))));
        detail.extend(failing.map(|since| format!("cannot be compared for {}", age(since, now))));
        detail.extend(is_paused.then(|| "paused".to_owned()));
        detail.push(match proof {
            Some(at) => format!("last proof {} ago", age(at, now)),
            None => "never compared".to_owned(),
        });
        Tile {
            name: format!("Pair {}", pair.name),
            value: match (open, failing, proof) {
                (1.., ..) => "Differs",
                (0, Some(_), _) => "Cannot be compared",
                (0, None, None) => "Never compared",
                (0, None, Some(_)) => "Agrees",
            }
            .to_owned(),
            detail: detail.join("; "),
            tone: match (open > 0 || failing.is_some(), is_paused || proof.is_none()) {
                (true, _) => Tone::Bad,
                (false, true) => Tone::Warn,
                (false, false) => Tone::Good,
            },
            href: Some(super::view::below("/dashboard/pairs", &pair.name)),
        }
    };
    Ok(standings.into_iter().map(tile).collect())
}
