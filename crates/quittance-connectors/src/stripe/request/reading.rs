//! The requests that only look: one object, a page of a list, a page of events, and the probe.

use quittance_core::fact::ObjectKind;

use super::{Form, object_path, parameter, path};
use crate::connector::Search;
use crate::message::Request;
use crate::stripe::Stripe;

/// Most objects that Stripe returns on one page of a list.
const PAGE_LIMIT: &str = "100";

impl Stripe {
    pub(in crate::stripe) fn read_request(&self, kind: ObjectKind, object_id: &str) -> Request {
        self.get(object_path(kind, object_id, ""))
    }

    /// Builds the reading of one page, newest first. Filters that are not given are not sent.
    pub(in crate::stripe) fn page_request(&self, search: &Search<'_>, after: Option<&str>) -> Request {
        let mut query = Form::default();
        query.add("limit", PAGE_LIMIT);
        let parent = search.parent.and_then(|(kind, id)| parameter(kind).map(|name| (name, id)));
        match (search.kind, parent) {
            (ObjectKind::Payment | ObjectKind::Charge, _) => {
                query.add_some("customer", search.customer);
                add_beginning(&mut query, search);
            }
            // A payment has few refunds, and not every peer knows how to narrow them by time.
            (ObjectKind::Refund, Some((name, id))) => query.add(name, id),
            (ObjectKind::Refund, None) => add_beginning(&mut query, search),
            (ObjectKind::Dispute, parent) => {
                if let Some((name, id)) = parent {
                    query.add(name, id);
                }
                add_beginning(&mut query, search);
            }
        }
        query.add_some("starting_after", after);
        self.list(path(search.kind), query)
    }

    /// Builds the reading of one page of the log of events, newest first; Stripe keeps 30 days of them.
    pub(in crate::stripe) fn events_request(&self, created_from: i64, after: Option<&str>, limit: usize) -> Request {
        let mut query = Form::default();
        query.add("limit", &limit.to_string());
        query.add(CREATED_FROM, &created_from.to_string());
        query.add_some("starting_after", after);
        self.list("/v1/events", query)
    }

    /// Builds the reading of one page of the endpoints of the account.
    pub(in crate::stripe) fn endpoints_request(&self, after: Option<&str>) -> Request {
        let mut query = Form::default();
        query.add("limit", "100");
        query.add_some("starting_after", after);
        self.list("/v1/webhook_endpoints", query)
    }

    /// Builds the reading of one object of the kind that payments are.
    pub(in crate::stripe) fn probe_request(&self) -> Request {
        let mut query = Form::default();
        query.add("limit", "1");
        self.list(path(self.flow.kind()), query)
    }

    fn list(&self, path: &str, query: Form) -> Request {
        self.get(format!("{path}?{}", query.into_text()))
    }
}

// Brackets have no place in a query (RFC 3986, section 3.4).
const CREATED_FROM: &str = "created%5Bgte%5D";

fn add_beginning(query: &mut Form, search: &Search<'_>) {
    query.add_some(CREATED_FROM, search.created_from.map(|seconds| seconds.to_string()).as_deref());
}
