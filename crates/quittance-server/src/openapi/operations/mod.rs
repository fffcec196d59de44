//! What can be asked: method, path, who may, what is sent, and every answer that there is.

mod books;
mod events;
mod money;
mod pairs;

use super::schema;
use crate::problem::catalogue::{self as code, Kind};
use quittance_core::tenant::Scope;
use serde_json::{Value, json};

/// Groups of operations.
pub(super) const TAGS: [(&str, &str); 9] = [
    ("customers", "Who pays."),
    ("payments", "Collecting money, once."),
    ("refunds", "Giving it back, once."),
    ("disputes", "What cardholders object to."),
    ("ledger", "Double-entry books, and how everything came about."),
    ("events", "Telling your systems of every change, signed."),
    ("pairs", "Two systems that should agree, and what is true of their records."),
    ("operations", "What people decide, and the brakes."),
    ("server", "Webhooks of gateways, health, metrics."),
];

/// One operation.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) id: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) needs: Needs,
    /// Query parameters, by the names under which they are declared.
    pub(super) query: &'static [&'static str],
    pub(super) body: Option<&'static str>,
    pub(super) answers: Vec<Answer>,
    /// Beside those that follow from what it needs.
    pub(super) problems: Vec<&'static Kind>,
}

/// What a caller needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    Nothing,
    /// A credential of this scope.
    Credential(Scope),
    /// The same, and an idempotency key.
    Key(Scope),
}

/// An answer that is no problem.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) description: &'static str,
    pub(super) media_type: &'static str,
    pub(super) schema: &'static str,
}

impl Answer {
    const fn json(status: u16, schema: &'static str, description: &'static str) -> Self {
        Self { status, description, media_type: "application/json", schema }
    }

    /// Its schema; a text has none of its own.
    pub(super) fn described_schema(&self) -> Value {
        if self.schema.is_empty() { json!({ "type": "string" }) } else { schema::reference(self.schema) }
    }
}

impl Needs {
    pub(super) const fn is_keyed(self) -> bool {
        matches!(self, Self::Key(_))
    }

    pub(super) const fn scope_name(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Credential(scope) | Self::Key(scope) => scope.name(),
        }
    }

    /// Problems of everybody who needs that.
    pub(super) fn problems(self) -> Vec<&'static Kind> {
        let mut problems: Vec<&'static Kind> = Vec::new();
        if self != Self::Nothing {
            problems.extend([&code::UNAUTHORISED, &code::FORBIDDEN, &code::TOO_MANY_REQUESTS]);
        }
        if self.is_keyed() {
            let of_key =
                [&code::KEY_MISSING, &code::KEY_INVALID, &code::KEY_IN_PROGRESS, &code::KEY_REUSED, &code::KEY_EXPIRED];
            problems.extend(of_key);
        }
        problems
    }
}

impl Operation {
    /// Problems that follow from what is sent, and from doing work at all.
    pub(super) fn usual_problems(&self) -> Vec<&'static Kind> {
        let mut problems: Vec<&'static Kind> = Vec::new();
        if self.path.starts_with("/v1/") || self.path.contains('{') {
            problems.extend([&code::INVALID_PARAMETER, &code::CARD_NUMBER]);
        }
        if self.path.starts_with("/v1/") {
            problems.extend([&code::REQUEST_TIMEOUT, &code::INTERNAL, &code::OVERLOADED, &code::STORAGE_UNAVAILABLE]);
        }
        if self.body.is_some() {
            problems.extend([&code::INVALID_BODY, &code::BODY_TOO_LARGE, &code::UNSUPPORTED_MEDIA_TYPE]);
            problems.extend([&code::STOPPING, &code::STORAGE_FULL]);
        }
        if self.query.contains(&"limit") {
            problems.extend([&code::PAGE_LIMIT, &code::CURSOR_INVALID]);
        }
        if self.path.contains('{') {
            problems.push(&code::NOT_FOUND);
        }
        problems
    }
}

const READ: Needs = Needs::Credential(Scope::Read);
const ADMIN: Needs = Needs::Credential(Scope::Admin);
const WRITE: Needs = Needs::Key(Scope::Write);

fn get(path: &'static str, id: &'static str, tag: &'static str, summary: &'static str) -> Operation {
    Operation {
        method: "get",
        path,
        id,
        tag,
        summary,
        needs: READ,
        query: &[],
        body: None,
        answers: Vec::new(),
        problems: Vec::new(),
    }
}

fn post(path: &'static str, id: &'static str, tag: &'static str, summary: &'static str) -> Operation {
    Operation { method: "post", needs: WRITE, ..get(path, id, tag, summary) }
}

const PENDING: &str = "Accepted, and not finished in the time that was waited.";

/// Every operation.
pub(super) fn all() -> Vec<Operation> {
    let mut all = Vec::new();
    all.extend(money::all());
    all.extend(books::all());
    all.extend(events::all());
    all.extend(pairs::all());
    all
}
