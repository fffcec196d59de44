//! The search for an object that a lost create may have made.

use super::gateways::GatewayState;
use super::jobs::{Budget, note, patience};
use quittance_connectors::connector::{self, ListFact, Unreadable};
use quittance_core::effect::Stimulus;
use quittance_core::fact::{Fact, Loss, ObjectKind, Sighting};
use quittance_core::id::EffectId;
use quittance_engine::submission;
use quittance_store::records::Lane;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// Pages that one search looks at: 5,000 objects. A list that is longer proves nothing.
const PAGES_MAX: usize = 50;

/// What is searched for.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) effect: EffectId,
    pub(super) kind: ObjectKind,
    pub(super) wanted: &'a submission::Find,
}

impl Search<'_> {
    /// Whether what carries these is ours.
    fn is_ours(&self, effect: Option<EffectId>, reference: Option<&String>) -> bool {
        let is_by_reference = reference.is_some() && reference == self.wanted.reference.as_ref();
        effect == Some(self.effect) || is_by_reference
    }
}

/// How narrow a list is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filters {
    /// By customer and time.
    Narrow,
    /// All there is: some peers refuse filters.
    None,
}

/// What the pages so far say.
enum Page {
    Found(Sighting),
    Next(String),
    Complete,
    Failed(Fact),
}

/// Pages through the list, newest first, until an object carries our effect id or the list ends.
///
/// Begins another page as long as the budget leaves time for one. A search that ends before the list does is not an
/// outage: [`Loss::Timeout`] says that no page may be asked for any more, [`Loss::Unclear`] that the list is too long.
pub(super) async fn find(gateway: &GatewayState, search: Search<'_>, budget: Budget) -> Stimulus {
    let mut filters = Filters::Narrow;
    let mut after: Option<String> = None;
    for pages in 0..PAGES_MAX {
        let Some(patience) = patience(gateway, budget, "find") else {
            if pages == 0 {
                gateway.health.withdraw(Lane::Read);
            }
            return Stimulus::FindFailed(cut_short(pages));
        };
        // The first was paid for when the search began.
        if pages > 0 {
            gateway.health.begin(Lane::Read);
        }
        match page(gateway, search, filters, after.as_deref(), patience).await {
            Page::Found(sighting) => return Stimulus::Found(Some(sighting)),
            Page::Complete => return Stimulus::Found(None),
            // A page that leads to itself would be read for ever, and its list proves nothing.
            Page::Next(next) if after.as_ref() == Some(&next) => {
                return Stimulus::FindFailed(Fact::Lost(Loss::Unclear));
            }
            Page::Next(next) => after = Some(next),
            Page::Failed(fact) if filters == Filters::Narrow && after.is_none() && is_refusal_of_filters(&fact) => {
                filters = Filters::None;
            }
            Page::Failed(fact) => return Stimulus::FindFailed(fact),
        }
    }
    tracing::warn!(gateway = gateway.name, effect = %search.effect, "the list is too long to be searched");
    Stimulus::FindFailed(Fact::Lost(Loss::Unclear))
}

/// Why a search ends before its list does: where nothing was asked, the gateway has no part in it.
const fn cut_short(pages: usize) -> Fact {
    if pages == 0 { Fact::NotSent } else { Fact::Lost(Loss::Timeout) }
}

/// A peer that does not know a filter says 400, or breaks.
const fn is_refusal_of_filters(fact: &Fact) -> bool {
    matches!(fact, Fact::Refused { .. } | Fact::Lost(Loss::ServerError | Loss::Unclear))
}

async fn page(
    gateway: &GatewayState,
    search: Search<'_>,
    filters: Filters,
    after: Option<&str>,
    patience: Duration,
) -> Page {
    let request = gateway.connector.page(&parameters(&search, filters), after);
    let delivery = gateway.transport.deliver(&request, patience).await;
    match gateway.connector.decode_page(search.kind, &delivery) {
        ListFact::Failed(fact) => {
            note(gateway, "find", &delivery, &fact);
            gateway.health.report(Lane::Read, &fact);
            Page::Failed(fact)
        }
        ListFact::Page { sightings, unreadable, next, .. } => {
            // That a page came is a good answer, whatever is on it.
            gateway.health.report(Lane::Read, &Fact::Absent);
            note(gateway, "find", &delivery, &Fact::Absent);
            let is_ours = |seen: &Sighting| search.is_ours(seen.effect_id, seen.reference.as_ref());
            if let Some(ours) = sightings.into_iter().find(is_ours) {
                return Page::Found(ours);
            }
            // What cannot be read and is not ours is no business of this search.
            let is_ours = |object: &&Unreadable| search.is_ours(object.effect_id, object.reference.as_ref());
            if let Some(ours) = unreadable.iter().find(is_ours) {
                tracing::error!(gateway = gateway.name, object = ours.id, "an object of ours cannot be read");
                return Page::Failed(Fact::Lost(Loss::Unreadable));
            }
            next.map_or(Page::Complete, Page::Next)
        }
    }
}

fn parameters<'a>(search: &Search<'a>, filters: Filters) -> connector::Search<'a> {
    let wanted = search.wanted;
    let is_narrow = filters == Filters::Narrow;
    connector::Search {
        kind: search.kind,
        parent: wanted.parent.as_ref().map(|(kind, id)| (*kind, id.as_str())),
        customer: wanted.customer.as_deref().filter(|_| is_narrow),
        reference: wanted.reference.as_deref(),
        created_from: wanted.created_from.filter(|_| is_narrow),
    }
}
