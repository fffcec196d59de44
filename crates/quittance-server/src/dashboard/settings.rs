//! What is set up, and how it fares: gateways, pauses, and for keys of scope `admin` the tenant's API keys and the channels of
//! alerts. Never a secret.

use super::Dashboard;
use super::page::{Page, Part};
use super::view::{Cell, Section, Table, Tone, age};
use super::visitor::Visitor;
use crate::alerts::{ChannelView, channel_views};
use crate::api::rows;
use crate::problem::Problem;
use crate::runtime::{Handle, Readiness};
use crate::switches;
use axum::extract::State;
use axum::response::Response;
use quittance_core::tenant::ApiKey;
use quittance_core::time::Timestamp;
use quittance_store::records::Switch;
use quittance_store::store::Scan;
use quittance_store::tables::API_KEYS;

/// Rows of each table.
const SHOWN_MAX: usize = 200;

/// `GET /dashboard/settings`
pub(super) async fn show(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    visitor.answer(page(&dashboard.handle, &visitor).await)
}

async fn page(handle: &Handle, visitor: &Visitor) -> Result<Page, Problem> {
    let now = handle.now();
    let paused = handle.read(switches::paused).await?;
    let mut sections =
        vec![Section::Table(gateways(handle, &handle.readiness(), now)), Section::Table(pauses(&paused))];
    if visitor.is_admin() {
        let tenant = visitor.caller.tenant.id;
        let read = handle.read(move |reader| {
            let scan = Scan::forward(&API_KEYS, vec![tenant.bytes().into()], SHOWN_MAX);
            rows::page::<ApiKey>(reader, &Scan { index: Some(&API_KEYS.indexes[1]), ..scan })
        });
        sections.push(Section::Table(keys(&read.await?, now)));
        sections.push(Section::Table(channels(&channel_views(handle.config(), &handle.alerts().await?))));
    }
    Ok(Page::new(Part::Settings, "Settings", sections))
}

fn gateways(handle: &Handle, readiness: &Readiness, now: Timestamp) -> Table {
    let row = |name: &String| {
        let of = |known: &&(String, crate::runtime::Complaint)| known.0 == *name;
        let wrong: Vec<&str> = readiness.degraded.iter().filter(of).map(|(_, complaint)| complaint.reason).collect();
        let backlog = readiness.backlog.iter().find(|(known, _)| known == name).map(|(_, backlog)| *backlog);
        let for_how_long =
            |since: Option<Timestamp>| Cell::text(since.map_or_else(|| "–".to_owned(), |at| age(at, now)));
        vec![
            Cell::text(name.as_str()),
            if wrong.is_empty() { Cell::state("well", Tone::Good) } else { Cell::state(wrong.join("; "), Tone::Bad) },
            Cell::text(handle.gateway_mode(name).map_or("not known", |mode| mode.name())),
            for_how_long(backlog.and_then(|backlog| backlog.due_since)),
            for_how_long(backlog.and_then(|backlog| backlog.unknown_since)),
        ]
    };
    Table {
        title: "Gateways".to_owned(),
        caption: format!("As this process sees them; {SHOWN_MAX} at most"),
        columns: vec!["Gateway", "State", "Mode", "Oldest due", "Oldest unknown"],
        rows: handle.config().gateways.keys().take(SHOWN_MAX).map(row).collect(),
        empty: "No gateway is configured.".to_owned(),
        next: None,
    }
}

fn pauses(paused: &[Switch]) -> Table {
    let row = |switch: &Switch| {
        let name =
            if switch.name == Switch::EVERYTHING { "everything" } else { switch.recovers().unwrap_or(&switch.name) };
        vec![
            Cell::text(name),
            Cell::text(switch.reason.as_deref().unwrap_or("–")),
            Cell::code(switch.by.as_str()),
            Cell::at(switch.changed_at),
        ]
    };
    Table {
        title: "Pauses".to_owned(),
        caption: "What nothing is sent to; `quittance resume` lifts it".to_owned(),
        columns: vec!["Gateway", "Why", "By", "Since"],
        rows: paused.iter().take(SHOWN_MAX).map(row).collect(),
        empty: "Nothing is paused.".to_owned(),
        next: None,
    }
}

fn keys(keys: &[ApiKey], now: Timestamp) -> Table {
    let row = |key: &ApiKey| {
        let state = match (key.revoked_at, key.is_good(now), key.ends_at) {
            (Some(_), ..) => Cell::state("revoked", Tone::Plain),
            (None, false, _) => Cell::state("over", Tone::Plain),
            (None, true, Some(_)) => Cell::state("replaced, still good", Tone::Warn),
            (None, true, None) => Cell::state("good", Tone::Good),
        };
        vec![
            Cell::text(key.name.as_str()),
            Cell::code(key.id.to_string()),
            Cell::text(key.scope.name()),
            state,
            Cell::text(age(key.created_at, now)),
            Cell::maybe_at(key.last_used_at),
        ]
    };
    Table {
        title: "API keys".to_owned(),
        caption: format!("Those of this tenant, {SHOWN_MAX} at most; their secrets are kept nowhere"),
        columns: vec!["Name", "Key", "Scope", "State", "Age", "Last used"],
        rows: keys.iter().map(row).collect(),
        empty: "There is none.".to_owned(),
        next: None,
    }
}

fn channels(channels: &[ChannelView]) -> Table {
    let row = |channel: &ChannelView| {
        let state = match &channel.failing_since {
            Some(since) => Cell::state(format!("takes no messages since {since}"), Tone::Bad),
            None => Cell::state("well", Tone::Good),
        };
        vec![
            Cell::text(channel.name.as_str()),
            Cell::text(channel.kind),
            state,
            Cell::text(channel.error.as_deref().unwrap_or("–")),
            Cell::number(channel.sent),
            Cell::number(channel.given_up),
        ]
    };
    Table {
        title: "Alert channels".to_owned(),
        caption: "Where alerts are told".to_owned(),
        columns: vec!["Channel", "Kind", "State", "Last error", "Taken", "Given up"],
        rows: channels.iter().take(SHOWN_MAX).map(row).collect(),
        empty: "No channel is configured: nobody is told of alerts.".to_owned(),
        next: None,
    }
}
