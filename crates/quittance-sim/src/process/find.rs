//! The search for an object that a lost request may have made, page by page.

use super::{Died, Origin, Process};
use crate::plan::Point;
use crate::world::{Purpose, World};
use quittance_connectors::connector::{ListFact, Search};
use quittance_connectors::message::{Delivery, Request};
use quittance_core::effect::Stimulus;
use quittance_core::fact::{Fact, Loss, Sighting};
use quittance_core::id::EffectId;
use quittance_engine::submission::{Find, Job, Plan, Submission};
use quittance_store::records::Lane;

/// Pages that one search looks at.
const PAGES_MAX: u32 = 50;

/// A page that could take less time than this is not asked for, in milliseconds.
const LEAST_MS: u64 = 500;

/// A search under way.
#[derive(Debug)]
pub(crate) struct Searching {
    pub(crate) job: Job,
    is_narrow: bool,
    after: Option<String>,
    pages: u32,
}

impl World {
    pub(super) fn begin_search(&mut self, process: &mut Process, gateway: usize, job: Job) {
        let searching = Searching { job, is_narrow: true, after: None, pages: 0 };
        self.ask_page(process, gateway, searching);
    }

    fn ask_page(&mut self, process: &mut Process, gateway: usize, searching: Searching) {
        let request = self.page_of(gateway, &searching);
        let deadline = Some(searching.job.deadline);
        let purpose = Purpose::Page(Box::new(searching));
        self.begin(process, gateway, Lane::Read, (request, purpose), deadline, LEAST_MS);
    }

    fn page_of(&self, gateway: usize, searching: &Searching) -> Request {
        let wanted = wanted(&searching.job);
        let search = Search {
            kind: searching.job.kind,
            parent: wanted.parent.as_ref().map(|(kind, id)| (*kind, id.as_str())),
            customer: wanted.customer.as_deref().filter(|_| searching.is_narrow),
            reference: wanted.reference.as_deref(),
            created_from: wanted.created_from.filter(|_| searching.is_narrow),
        };
        self.connector_of(gateway).page(&search, searching.after.as_deref())
    }

    /// A page has come: the object, the next page, or the end.
    pub(super) fn searched(
        &mut self,
        process: &mut Process,
        gateway: usize,
        mut searching: Searching,
        delivery: &Delivery,
    ) -> Result<Option<(Submission, Origin)>, Died> {
        let page = self.connector_of(gateway).decode_page(searching.job.kind, delivery);
        let stimulus = match page {
            ListFact::Failed(fact) => {
                self.heed(process, gateway, Lane::Read, delivery, &fact);
                let is_of_filters =
                    matches!(fact, Fact::Refused { .. } | Fact::Lost(Loss::ServerError | Loss::Unclear));
                if searching.is_narrow && searching.after.is_none() && is_of_filters {
                    searching.is_narrow = false;
                    self.ask_page(process, gateway, searching);
                    return Ok(None);
                }
                let is_withdrawn = matches!(delivery, Delivery::NotSent { reason } if reason == super::jobs::WITHDRAWN);
                let is_cut_short = is_withdrawn && searching.pages > 0;
                Stimulus::FindFailed(if is_cut_short { Fact::Lost(Loss::Timeout) } else { fact })
            }
            ListFact::Page { sightings, unreadable, next, .. } => {
                self.heed(process, gateway, Lane::Read, delivery, &Fact::Absent);
                let wanted = wanted(&searching.job);
                let is_ours = |effect: Option<EffectId>, reference: Option<&String>| {
                    effect == Some(searching.job.effect.effect)
                        || reference.is_some() && reference == wanted.reference.as_ref()
                };
                let found = |seen: &Sighting| is_ours(seen.effect_id, seen.reference.as_ref());
                if let Some(ours) = sightings.into_iter().find(found) {
                    Stimulus::Found(Some(ours))
                } else if unreadable.iter().any(|one| is_ours(one.effect_id, one.reference.as_ref())) {
                    Stimulus::FindFailed(Fact::Lost(Loss::Unreadable))
                } else if let Some(next) = next {
                    return self.next_page(process, gateway, searching, next);
                } else {
                    Stimulus::Found(None)
                }
            }
        };
        self.coverage.count("search", search_word(&stimulus));
        Ok(Some(Self::search_ended(searching, stimulus)))
    }

    fn next_page(
        &mut self,
        process: &mut Process,
        gateway: usize,
        mut searching: Searching,
        next: String,
    ) -> Result<Option<(Submission, Origin)>, Died> {
        self.pass(Point::BetweenPages)?;
        searching.pages += 1;
        if searching.after.as_ref() == Some(&next) || searching.pages == PAGES_MAX {
            let stimulus = Stimulus::FindFailed(Fact::Lost(Loss::Unclear));
            return Ok(Some(Self::search_ended(searching, stimulus)));
        }
        searching.after = Some(next);
        self.ask_page(process, gateway, searching);
        Ok(None)
    }
}

fn wanted(job: &Job) -> &Find {
    match &job.plan {
        Plan::Find(find) => find,
        Plan::Send(_) | Plan::Read(_) => unreachable!("only searches are searched"),
    }
}

const fn search_word(stimulus: &Stimulus) -> &'static str {
    match stimulus {
        Stimulus::Found(Some(_)) => "found",
        Stimulus::Found(None) => "nothing",
        _ => "failed",
    }
}
