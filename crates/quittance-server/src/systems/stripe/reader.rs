//! One reading of a list, or of objects by their ids: several requests under way, rows as they come.

use super::Credential;
use super::refusal::refused;
use crate::systems::SystemError;
use crate::systems::objects::Objects;
use crate::systems::web::{Fetched, IN_FLIGHT_MAX, Line, path};
use quittance_connectors::message::{Request, Response};
use quittance_connectors::stripe::API_VERSION;
use quittance_connectors::stripe::listing::plan::{Ask, Plan, Shown};
use quittance_connectors::stripe::listing::{
    Failure, Kind, One, Page, Refusal, decode_one, decode_page, nested, nested_request, one_request, page_request,
};
use quittance_core::pair::Side;
use serde_json::Value as Json;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Most elements of a list inside an object.
const NESTED_MAX: usize = 10_000;

/// What is to be read.
pub(super) enum Work {
    /// Objects of these ids.
    Ids(VecDeque<String>),
    /// The list of all (none), or of those with a value of a filter.
    Lists(Vec<Option<(&'static str, String)>>),
}

/// One list that is being read.
struct List {
    parameters: Vec<(&'static str, String)>,
    /// Whether it is of one value only.
    is_filtered: bool,
    plan: Plan,
}

/// What one task brought.
enum Done {
    Page {
        list: usize,
        ask: Ask,
        request: Request,
        fetched: Result<Fetched<Result<Page, Refusal>>, SystemError>,
    },
    One {
        id: String,
        request: Request,
        fetched: Fetched<Result<One, Refusal>>,
    },
    /// An object with all that belongs to it; none when it was deleted meanwhile.
    Whole(String, Option<Json>),
}

type Places = Arc<[(String, Option<String>)]>;

/// Reads one kind of object.
pub(super) struct Reader<'a, 's> {
    line: Line,
    kind: &'static Kind,
    places: Places,
    credential: Credential<'a>,
    objects: Objects<'a, 's>,
    bound: Option<i64>,
    lists: Vec<List>,
    ids: VecDeque<String>,
    /// Objects that lack a part of a list inside them.
    incomplete: VecDeque<(String, Json)>,
    deleted: Vec<String>,
    date: Option<i64>,
}

impl<'a, 's> Reader<'a, 's> {
    pub(super) fn new(
        line: Line,
        kind: &'static Kind,
        side: &Side,
        credential: Credential<'a>,
        objects: Objects<'a, 's>,
        bound: Option<i64>,
    ) -> Self {
        let places = side.columns.iter().map(|column| (column.name.clone(), column.pointer.clone())).collect();
        let (lists, ids, incomplete) = (Vec::new(), VecDeque::new(), VecDeque::new());
        Self { line, kind, places, credential, objects, bound, lists, ids, incomplete, deleted: Vec::new(), date: None }
    }

    /// What was handed over, the account's time at the beginning, and the ids of what was deleted.
    pub(super) fn into_parts(self) -> (Objects<'a, 's>, Option<i64>, Vec<String>) {
        (self.objects, self.date, self.deleted)
    }

    /// Reads all of it, or until no more is wanted.
    pub(super) async fn read(&mut self, work: Work) -> Result<(), SystemError> {
        match work {
            Work::Ids(ids) => self.ids = ids,
            Work::Lists(filters) => self.lists = filters.into_iter().flat_map(|filter| self.passes(filter)).collect(),
        }
        let mut tasks = JoinSet::new();
        loop {
            while tasks.len() < IN_FLIGHT_MAX && self.begin(&mut tasks) {}
            let Some(done) = tasks.join_next().await else { return Ok(()) };
            let done = done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
            self.take(done)?;
            if self.objects.is_over() {
                return Ok(());
            }
        }
    }

    /// The lists that together hide nothing.
    fn passes(&self, filter: Option<(&'static str, String)>) -> Vec<List> {
        let pass = |pass: &&[(&'static str, &'static str)]| List {
            parameters: pass.iter().map(|(name, value)| (*name, (*value).to_owned())).chain(filter.clone()).collect(),
            is_filtered: filter.is_some(),
            plan: if filter.is_some() || !self.kind.is_dated {
                Plan::paged()
            } else {
                Plan::new(IN_FLIGHT_MAX, self.bound)
            },
        };
        self.kind.passes.iter().map(pass).collect()
    }

    /// Begins one more task, if there is one. What was begun is completed first, so that little is kept.
    fn begin(&mut self, tasks: &mut JoinSet<Result<Done, SystemError>>) -> bool {
        let (line, kind) = (self.line.clone(), self.kind);
        if let Some((id, object)) = self.incomplete.pop_front() {
            tasks.spawn(complete(line, Arc::clone(&self.places), id, object));
            return true;
        }
        while let Some(id) = self.ids.pop_front() {
            // What cannot be an id is nobody's.
            let Some(request) = one_request(kind, API_VERSION, &id) else { continue };
            tasks.spawn(async move {
                let fetched = line.fetch(&request, |response| readable(decode_one(kind, response))).await?;
                Ok(Done::One { id, request, fetched })
            });
            return true;
        }
        let ask = self.lists.iter_mut().enumerate().find_map(|(at, list)| Some((at, list.plan.ask()?)));
        let Some((list, ask)) = ask else { return false };
        let parameters = &self.lists[list].parameters;
        let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request = page_request(kind, API_VERSION, &parameters, ask.span, ask.after.as_deref());
        tasks.spawn(async move {
            let fetched = line.fetch(&request, |response| readable(decode_page(Some(kind), response))).await;
            Ok(Done::Page { list, ask, request, fetched })
        });
        true
    }

    fn take(&mut self, done: Done) -> Result<(), SystemError> {
        match done {
            Done::Page { list, ask, request, fetched: Ok(fetched) } => {
                self.date = self.date.or(fetched.date);
                match fetched.answer {
                    Ok(page) => self.page(list, &ask, &request, page),
                    Err(refusal) => self.refused_page(list, &ask, &request, &refusal),
                }
            }
            // Some peers cannot select by time, and fail instead of saying so.
            Done::Page { list, ask, fetched: Err(error), .. } => {
                if self.lists[list].plan.refuse_span(&ask) {
                    Ok(())
                } else {
                    Err(error)
                }
            }
            Done::One { id, request, fetched } => {
                self.date = self.date.or(fetched.date);
                match fetched.answer {
                    Ok(One::There(object)) => {
                        self.objects.sight(id.as_bytes(), 0);
                        self.hand_over(id, object);
                    }
                    Ok(One::Deleted) => self.deleted.push(id),
                    Ok(One::Absent) => {}
                    Err(refusal) => return Err(self.refused(&request, &refusal)),
                }
                Ok(())
            }
            Done::Whole(id, Some(object)) => {
                self.objects.hand_over(id.as_bytes(), &object);
                Ok(())
            }
            Done::Whole(_, None) => Ok(()),
        }
    }

    fn page(&mut self, list: usize, ask: &Ask, request: &Request, page: Page) -> Result<(), SystemError> {
        let List { plan, is_filtered, .. } = &mut self.lists[list];
        if let Some(date) = self.date.filter(|_| !*is_filtered) {
            plan.set_bound(date);
        }
        let mut shown = Shown { objects: Vec::new(), fresh: 0, has_more: page.has_more };
        let mut wanted = Vec::new();
        for (id, object) in page.objects {
            let created = object["created"].as_i64();
            shown.fresh += usize::from(self.objects.sight(id.as_bytes(), list as u32 + 1));
            if plan.wants(created) {
                wanted.push((id.clone(), object));
            }
            shown.objects.push((id, created));
        }
        plan.page(ask, &shown).map_err(|stuck| {
            let what =
                format!("GET {} of system `{}` cannot be read to its end: {stuck}", path(request), self.line.name);
            SystemError::outside(what, "try again; a list that does so again is the provider's to mend")
        })?;
        wanted.into_iter().for_each(|(id, object)| self.hand_over(id, object));
        Ok(())
    }

    fn hand_over(&mut self, id: String, object: Json) {
        if object["deleted"] == true {
            self.deleted.push(id);
        } else if missing_part(&object, &self.places).is_some() {
            self.incomplete.push_back((id, object));
        } else {
            self.objects.hand_over(id.as_bytes(), &object);
        }
    }

    /// Some refusals are about how the list was read, and it can be read otherwise.
    fn refused_page(
        &mut self,
        list: usize,
        ask: &Ask,
        request: &Request,
        refusal: &Refusal,
    ) -> Result<(), SystemError> {
        let List { plan, is_filtered, .. } = &mut self.lists[list];
        let is_about_us = matches!(refusal.status, 400 | 404 | 422);
        if is_about_us && ask.after.is_some() && refusal.parameter.as_deref() == Some("starting_after") {
            return plan.lose_cursor(ask).map_err(|stuck| {
                SystemError::outside(format!("GET {} of system `{}`: {stuck}", path(request), self.line.name), "")
            });
        }
        if is_about_us && *is_filtered && (refusal.is_missing() || refusal.status == 404) {
            // Nobody has this value: there is not even such an object.
            let nothing = Shown { objects: Vec::new(), fresh: 0, has_more: false };
            return plan.page(ask, &nothing).map_err(|_| self.refused(request, refusal));
        }
        if is_about_us && refusal.status != 404 && plan.refuse_span(ask) {
            return Ok(());
        }
        Err(self.refused(request, refusal))
    }

    fn refused(&self, request: &Request, refusal: &Refusal) -> SystemError {
        let place = format!("{} {}", request.method.as_str(), path(request));
        refused(&self.line.name, self.kind, &place, refusal, self.credential)
    }
}

/// What cannot be read is asked again; what is refused is an answer.
fn readable<T>(decoded: Result<T, Failure>) -> Result<Result<T, Refusal>, String> {
    match decoded {
        Ok(answer) => Ok(Ok(answer)),
        Err(Failure::Refused(refusal)) => Ok(Err(refusal)),
        Err(Failure::Unreadable(what)) => Err(format!("it answers with {what}")),
    }
}

fn missing_part(object: &Json, places: &[(String, Option<String>)]) -> Option<nested::Rest> {
    nested::rest(object, places.iter().map(|(name, pointer)| (name.as_str(), pointer.as_deref())))
}

/// Reads the lists inside an object to their ends.
async fn complete(line: Line, places: Places, id: String, mut object: Json) -> Result<Done, SystemError> {
    while let Some(rest) = missing_part(&object, &places) {
        let broken = |what: &str| {
            let what = format!("the list at {} of {id} in system `{}` {what}", rest.at, line.name);
            SystemError::outside(what, "leave its column out of the comparison")
        };
        let request = nested_request(&rest.url, API_VERSION, rest.after.as_deref())
            .ok_or_else(|| broken("has more elements and does not say where"))?;
        let decode = |response: &Response| readable(decode_page(None, response));
        let page = match line.fetch(&request, decode).await?.answer {
            Ok(page) => page,
            Err(refusal) if refusal.is_missing() => return Ok(Done::Whole(id, None)),
            Err(refusal) => return Err(broken(&format!("cannot be read: {}", refusal.message))),
        };
        let elements = nested::extend(&mut object, &rest.at, page).map_err(|_| broken("repeated a cursor"))?;
        if elements > NESTED_MAX {
            return Err(broken(&format!("has more than {NESTED_MAX} elements")));
        }
    }
    Ok(Done::Whole(id, Some(object)))
}
