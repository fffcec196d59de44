//! The search for an object that a lost create may have made.

use super::gateways::GatewayState;
use super::jobs::{Budget, note, patience};
use quittance_connectors::stripe::{ListFact, ListParameters, PAGE_LIMIT_MAX, decode_list};
use quittance_core::effect::Stimulus;
use quittance_core::fact::{Fact, Loss, Sighting};
use quittance_core::id::EffectId;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// Pages that one search looks at: 5,000 objects. A list that is longer proves nothing.
const PAGES_MAX: usize = 50;

/// What is searched for.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) effect: EffectId,
    pub(super) customer: Option<&'a str>,
    pub(super) created_from: i64,
    pub(super) created_to: i64,
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
        let Some(patience) = patience(gateway, budget, "find") else { return Stimulus::FindFailed(cut_short(pages)) };
        match page(gateway, search, filters, after.as_deref(), patience).await {
            Page::Found(sighting) => return Stimulus::Found(Some(sighting)),
            Page::Complete => return Stimulus::Found(None),
            Page::Next(last_id) => after = Some(last_id),
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
    let request = gateway.stripe.list_intents(&parameters(search, filters, after));
    let delivery = gateway.transport.deliver(&request, patience).await;
    match decode_list(&delivery) {
        ListFact::Failed(fact) => {
            note(gateway, "find", &delivery, &fact);
            gateway.report(&fact);
            Page::Failed(fact)
        }
        ListFact::Page { sightings, unreadable, has_more, last_id } => {
            // That a page came is a good answer, whatever is on it.
            gateway.report(&Fact::Absent);
            note(gateway, "find", &delivery, &Fact::Absent);
            if let Some(ours) = sightings.into_iter().find(|sighting| sighting.effect_id == Some(search.effect)) {
                return Page::Found(ours);
            }
            // What cannot be read and is not ours is no business of this search.
            if let Some(ours) = unreadable.iter().find(|object| object.effect_id == Some(search.effect)) {
                tracing::error!(gateway = gateway.name, object = ours.id, "an object of ours cannot be read");
                return Page::Failed(Fact::Lost(Loss::Unreadable));
            }
            last_id.filter(|_| has_more).map_or(Page::Complete, Page::Next)
        }
    }
}

fn parameters<'a>(search: Search<'a>, filters: Filters, after: Option<&'a str>) -> ListParameters<'a> {
    let (customer, from, to) = match filters {
        Filters::Narrow => (search.customer, Some(search.created_from), Some(search.created_to)),
        Filters::None => (None, None, None),
    };
    ListParameters { customer, created_gte: from, created_lte: to, starting_after: after, limit: PAGE_LIMIT_MAX }
}
