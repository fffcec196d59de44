//! The search for an object that a lost create may have made.

use super::gateways::GatewayState;
use super::jobs::{Budget, ask, note};
use quittance_connectors::stripe::{ListFact, ListParameters, PAGE_LIMIT_MAX, decode_list, decode_read};
use quittance_core::effect::Stimulus;
use quittance_core::fact::{Fact, Loss, Sighting};
use quittance_core::id::EffectId;

/// Pages that one search looks at: 5,000 objects. A list that is longer proves nothing, and the search is repeated.
const PAGES_MAX: usize = 50;

/// Objects on one page that could not be read from it and are read one by one.
const SINGLE_READS_MAX: usize = 20;

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
pub(super) async fn find(gateway: &GatewayState, search: Search<'_>, budget: Budget) -> Stimulus {
    let mut filters = Filters::Narrow;
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        match page(gateway, search, filters, after.as_deref(), budget).await {
            Page::Found(sighting) => return Stimulus::Found(Some(sighting)),
            Page::Complete => return Stimulus::Found(None),
            Page::Next(last_id) => after = Some(last_id),
            Page::Failed(fact) if filters == Filters::Narrow && after.is_none() && is_refusal_of_filters(&fact) => {
                filters = Filters::None;
            }
            Page::Failed(fact) => return Stimulus::FindFailed(fact),
        }
    }
    Stimulus::FindFailed(Fact::Lost(Loss::Unclear))
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
    budget: Budget,
) -> Page {
    let Some(patience) = budget.patience() else { return Page::Failed(Fact::NotSent) };
    let delivery =
        gateway.transport.deliver(&gateway.stripe.list_intents(&parameters(search, filters, after)), patience).await;
    match decode_list(&delivery) {
        ListFact::Failed(fact) => {
            note(gateway, "find", &delivery, &fact);
            gateway.report(&fact);
            Page::Failed(fact)
        }
        ListFact::Page { sightings, unreadable_ids, has_more, last_id } => {
            // That a page came is a good answer, whatever is on it.
            gateway.report(&Fact::Absent);
            note(gateway, "find", &delivery, &Fact::Absent);
            if let Some(ours) = sightings.into_iter().find(|sighting| sighting.effect_id == Some(search.effect)) {
                return Page::Found(ours);
            }
            match look_closer(gateway, search, &unreadable_ids, budget).await {
                Some(result) => result,
                None => last_id.filter(|_| has_more).map_or(Page::Complete, Page::Next),
            }
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

/// Reads the objects that could not be read from the page: absence is only proven when none of them is ours.
async fn look_closer(gateway: &GatewayState, search: Search<'_>, ids: &[String], budget: Budget) -> Option<Page> {
    if ids.len() > SINGLE_READS_MAX {
        return Some(Page::Failed(Fact::Lost(Loss::Unreadable)));
    }
    for id in ids {
        match ask(gateway, &gateway.stripe.read_intent(id), budget, "read", decode_read).await {
            Fact::Seen(sighting) if sighting.effect_id == Some(search.effect) => return Some(Page::Found(sighting)),
            Fact::Seen(_) | Fact::Absent => {}
            fact => return Some(Page::Failed(fact)),
        }
    }
    None
}
