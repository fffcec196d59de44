//! Reads: one object, a page of a list, a page of the log of events. Pages are short, so that every list has several.

use super::form::{self, Fields};
use super::{Gateway, Reply, missing, shown};
use crate::plan::Profile;
use serde_json::{Value, json};

/// Most objects on a page, whatever was asked for.
const PAGE: usize = 3;

/// How long it takes until something is listed, where lists are late, in seconds.
const LATE_S: i64 = 86_400;

impl Gateway {
    pub(super) fn get(&self, target: &str) -> Reply {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = form::parse(query);
        if self.profile == Profile::Rail {
            return self.get_rail(path, &query);
        }
        match path.trim_start_matches("/v1/").split_once('/') {
            Some((kind, id)) => self.one(kind, id),
            None => self.page(path.trim_start_matches("/v1/"), &query),
        }
    }

    fn one(&self, kind: &str, id: &str) -> Reply {
        let books = &self.books;
        let found = match kind {
            "payment_intents" => books.intents.iter().find(|object| object.id == id).map(shown::intent),
            "charges" => books.charges.iter().find(|object| object.id == id).map(shown::charge),
            "refunds" => books.refunds.iter().find(|object| object.id == id).map(shown::refund),
            "disputes" => books.disputes.iter().find(|object| object.id == id).map(shown::dispute),
            _ => None,
        };
        found.map_or_else(missing, |object| (200, object))
    }

    fn page(&self, kind: &str, query: &Fields) -> Reply {
        let books = &self.books;
        let is_asked = |intent: Option<&String>, charge: &String| {
            query.get("payment_intent").is_none_or(|asked| Some(asked) == intent)
                && query.get("charge").is_none_or(|asked| asked == charge)
        };
        let objects: Vec<(&str, i64, Value)> = match kind {
            "payment_intents" => {
                books.intents.iter().map(|one| (one.id.as_str(), one.created_s, shown::intent(one))).collect()
            }
            "charges" => books.charges.iter().map(|one| (one.id.as_str(), one.created_s, shown::charge(one))).collect(),
            "refunds" => {
                let asked = books.refunds.iter().filter(|one| is_asked(one.intent.as_ref(), &one.charge));
                asked.map(|one| (one.id.as_str(), one.created_s, shown::refund(one))).collect()
            }
            "disputes" => {
                let asked = books.disputes.iter().filter(|one| is_asked(one.intent.as_ref(), &one.charge));
                asked.map(|one| (one.id.as_str(), one.created_s, shown::dispute(one))).collect()
            }
            "events" => return self.events_page(query),
            _ => return missing(),
        };
        let newest = if self.profile.has_late_lists() { self.now_s() - LATE_S } else { i64::MAX };
        let from = form::integer(query, "created[gte]").unwrap_or(i64::MIN);
        let mut listed: Vec<_> =
            objects.into_iter().rev().filter(|(_, created, _)| (from..newest).contains(created)).collect();
        if let Some(after) = query.get("starting_after") {
            let at = listed.iter().position(|(id, _, _)| id == after).map_or(0, |at| at + 1);
            listed.drain(..at);
        }
        let has_more = listed.len() > PAGE;
        let data: Vec<Value> = listed.into_iter().take(PAGE).map(|(_, _, object)| object).collect();
        (200, json!({"object": "list", "data": data, "has_more": has_more}))
    }

    fn events_page(&self, query: &Fields) -> Reply {
        let from = form::integer(query, "created[gte]").unwrap_or(i64::MIN);
        let mut listed: Vec<_> = self.events.iter().rev().filter(|event| event.created_s >= from).collect();
        if let Some(after) = query.get("starting_after") {
            let at = listed.iter().position(|event| event.id == *after).map_or(0, |at| at + 1);
            listed.drain(..at);
        }
        let has_more = listed.len() > PAGE * 2;
        let bodies = listed.into_iter().take(PAGE * 2).filter_map(|event| serde_json::from_str(&event.body).ok());
        let data: Vec<Value> = bodies.collect();
        (200, json!({"object": "list", "data": data, "has_more": has_more}))
    }

    fn get_rail(&self, path: &str, query: &Fields) -> Reply {
        let unknown = || (404, json!({"code": "transfer_not_found", "message": "there is no such transfer"}));
        match path.trim_start_matches("/rail/v1/").split_once('/') {
            Some((_, id)) => {
                let found = self.books.charges.iter().find(|charge| charge.id == id);
                found.map_or_else(unknown, |charge| (200, shown::transfer(charge)))
            }
            None if path.ends_with("/status") => (200, json!({"status": "ok"})),
            None => {
                let reference = query.get("reference");
                let is_asked = |charge: &&super::books::Charge| {
                    reference.is_none_or(|asked| charge.reference.as_ref() == Some(asked))
                };
                let mut listed: Vec<_> = self.books.charges.iter().rev().filter(is_asked).collect();
                if let Some(cursor) = query.get("cursor") {
                    let at = listed.iter().position(|charge| charge.id == *cursor).map_or(0, |at| at + 1);
                    listed.drain(..at);
                }
                let has_more = listed.len() > PAGE;
                let page: Vec<Value> = listed.iter().take(PAGE).map(|charge| shown::transfer(charge)).collect();
                let next = has_more.then(|| listed[PAGE - 1].id.clone());
                (200, json!({"transfers": page, "next": next}))
            }
        }
    }
}
