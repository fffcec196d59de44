//! What the address of a request says: one name in its path, and query parameters, only known ones, each once.

use crate::problem::{Problem, catalogue};
use axum::extract::{FromRequestParts, Path, Query};
use http::Uri;
use http::request::Parts;
use quittance_core::pan::contains_card_number;
use quittance_core::time::Timestamp;
use std::collections::BTreeMap;

/// Items on a page unless the request says otherwise.
const LIMIT_DEFAULT: usize = 20;
/// Items on a page at most.
const LIMIT_MAX: usize = 100;
/// Longest value, in bytes.
const VALUE_BYTES_MAX: usize = 512;

/// The name in a path (`/v1/payments/{id}`), decoded.
pub(super) struct Name(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::parameter("id", "is not UTF-8, percent-encoded"))?;
        checked(text).map(Self)
    }
}

/// Two names in a path (`/v1/truth/{pair}/{key}`), decoded.
pub(super) struct TwoNames(pub(super) String, pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for TwoNames {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((first, second)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::parameter("id", "is not UTF-8, percent-encoded"))?;
        Ok(Self(checked(first)?, checked(second)?))
    }
}

pub(crate) fn checked(text: String) -> Result<String, Problem> {
    if contains_card_number(&text) {
        return Err(Problem::card_number_in("id"));
    }
    if text.len() > VALUE_BYTES_MAX || text.contains('\0') {
        return Err(Problem::parameter("id", format!("must be a text of at most {VALUE_BYTES_MAX} bytes")));
    }
    Ok(text)
}

/// The parameters of a request.
pub(crate) struct Parameters {
    given: BTreeMap<String, String>,
}

impl Parameters {
    /// Reads the query of a request.
    pub(crate) fn of(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        Self::of_pairs(pairs(uri)?, known)
    }

    /// As [`Parameters::of`], of what a browser sends of a form: fields that nobody filled in are as if they were not there.
    pub(crate) fn of_form(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let filled = pairs(uri)?.into_iter().filter(|(_, value)| !value.is_empty());
        Self::of_pairs(filled.collect(), known)
    }

    fn of_pairs(pairs: Vec<(String, String)>, known: &[&str]) -> Result<Self, Problem> {
        let mut given = BTreeMap::new();
        for (name, value) in pairs {
            if contains_card_number(&name) {
                return Err(Problem::card_number_in(""));
            }
            if !known.contains(&name.as_str()) {
                return Err(Problem::parameter(&shown(&name), unknown(known)));
            }
            if contains_card_number(&value) {
                return Err(Problem::card_number_in(&name));
            }
            // Percent-encoded bytes that are no UTF-8 arrive as replacement characters.
            if value.len() > VALUE_BYTES_MAX || value.contains(['\0', char::REPLACEMENT_CHARACTER]) {
                let detail = format!("must be a text of at most {VALUE_BYTES_MAX} bytes of UTF-8");
                return Err(Problem::parameter(&name, detail));
            }
            // Those two say in their own words what they are to be.
            if value.is_empty() && !matches!(name.as_str(), "limit" | "cursor") {
                return Err(Problem::parameter(&name, "is empty; leave it out or give it a value"));
            }
            if given.insert(name.clone(), value).is_some() {
                return Err(Problem::parameter(&name, "is given twice"));
            }
        }
        Ok(Self { given })
    }

    /// A parameter's text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }

    /// A parameter that means something.
    pub(crate) fn parsed<T>(
        &self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        read(text).map(Some).ok_or_else(|| Problem::parameter(name, format!("must be {wanted}")))
    }

    /// A time in RFC 3339.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        self.parsed(name, "a time like 2026-01-31T09:30:00Z (RFC 3339)", |text| {
            text.parse::<jiff::Timestamp>().ok().map(|at| Timestamp(at.as_microsecond()))
        })
    }

    /// How many items a page holds.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        let Some(text) = self.text("limit") else {
            return Ok(LIMIT_DEFAULT);
        };
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let limit = is_number.then(|| text.parse().ok()).flatten();
        limit.filter(|limit| (1..=LIMIT_MAX).contains(limit)).ok_or_else(|| {
            Problem::new(&catalogue::PAGE_LIMIT, format!("limit must be an integer from 1 to {LIMIT_MAX}"))
        })
    }

    /// Everything that decides what a list holds, as one text: a cursor is good for this alone.
    pub(super) fn filters(&self) -> String {
        let mut text = String::new();
        for (name, value) in self.given.iter().filter(|(name, _)| !matches!(name.as_str(), "limit" | "cursor")) {
            text.push_str(&format!("{name}={}:{value};", value.len()));
        }
        text
    }
}

fn pairs(uri: &Uri) -> Result<Vec<(String, String)>, Problem> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri);
    pairs.map(|pairs| pairs.0).map_err(|_| Problem::parameter("", "the query is not name=value&… in UTF-8"))
}

fn unknown(known: &[&str]) -> String {
    if known.is_empty() {
        return "is not known; no parameters are taken here".to_owned();
    }
    format!("is not known; known are: {}", known.join(", "))
}

fn shown(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(40).collect()
}
