//! What an answer says: a page and how it goes on, a record, a refusal, or nothing that can be read.

use serde_json::Value as Json;

use super::{Paging, Shape};
use crate::message::Response;

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its records, in its order.
    pub records: Vec<Json>,
    /// How it goes on.
    pub next: Next,
}

/// How a list goes on after a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// With this word, or at this address.
    At(String),
    /// The page says that there is no more.
    End,
    /// The page says that there is more.
    More,
    /// The page says nothing.
    Unsaid,
}

/// Why an answer is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It answers with another status than 200.
    Status {
        /// The status.
        status: u16,
        /// Where it says that what was asked for is instead, in its own words: not for people as it is ([`printable`]).
        location: Option<String>,
    },
    /// What came is no JSON: what it is, for people.
    Unreadable(String),
    /// What came is JSON, and of another shape than is configured.
    Shape(String),
}

/// Reads a page.
///
/// # Errors
///
/// [`Failure`]; a page with one record that cannot be told apart is none.
pub fn decode_page(shape: &Shape, response: &Response) -> Result<Listed, Failure> {
    let mut body = success(response)?;
    let next = next(shape, &body, response)?;
    let Some(Json::Array(records)) = body.pointer_mut(&shape.records).map(Json::take) else {
        let at = if shape.records.is_empty() { "the answer".to_owned() } else { format!("`{}`", shape.records) };
        return Err(Failure::Shape(format!("{at} is no array of records")));
    };
    match records.iter().position(|record| !record.is_object()) {
        Some(at) => Err(Failure::Shape(format!("record {at} of a page is no object"))),
        None => Ok(Listed { records, next }),
    }
}

/// Reads one record; none where there is none (404, 410).
///
/// # Errors
///
/// [`Failure`].
pub fn decode_record(shape: &Shape, response: &Response) -> Result<Option<Json>, Failure> {
    let mut body = match success(response) {
        Err(Failure::Status { status: 404 | 410, .. }) => return Ok(None),
        other => other?,
    };
    match body.pointer_mut(&shape.record).map(Json::take) {
        Some(record) if record.is_object() => Ok(Some(record)),
        _ => Err(Failure::Shape(format!("`{}` of the answer is no record", shape.record))),
    }
}

/// What an answer that refuses says for people, of a line at most and without what is not to be said; empty where it says nothing
/// in a usual place of JSON.
#[must_use]
pub fn said(response: &Response, unsaid: &[String]) -> String {
    const PLACES: [&str; 9] = [
        "/error/message",
        "/detail",
        "/message",
        "/error_description",
        "/error",
        "/errors/0/message",
        "/errors/0/detail",
        "/errors/0",
        "/title",
    ];
    let body: Json = serde_json::from_slice(&response.body).unwrap_or_default();
    let said = PLACES.iter().find_map(|place| body.pointer(place)?.as_str());
    said.map(|said| printable(said, unsaid)).unwrap_or_default()
}

fn success(response: &Response) -> Result<Json, Failure> {
    if response.status != 200 {
        let location = response.header("Location").map(str::to_owned);
        return Err(Failure::Status { status: response.status, location });
    }
    serde_json::from_slice(&response.body).map_err(|error| {
        let media_type =
            response.header("Content-Type").map_or("no media type".to_owned(), |text| printable(text, &[]));
        Failure::Unreadable(format!("{} bytes of {media_type} that are not JSON ({error})", response.body.len()))
    })
}

/// A text of the other side for people: a line of at most 200 characters, in which dots stand for each credential, of which no piece is
/// left where the line ends.
#[must_use]
pub fn printable(text: &str, unsaid: &[String]) -> String {
    let line: String = text.chars().filter(|letter| !letter.is_control()).collect();
    let secrets = unsaid.iter().filter(|secret| !secret.is_empty());
    secrets.fold(line, |line, secret| line.replace(secret, "…")).chars().take(200).collect()
}

fn next(shape: &Shape, body: &Json, response: &Response) -> Result<Next, Failure> {
    match &shape.paging {
        Paging::None => Ok(Next::End),
        Paging::Link { next: None } => Ok(response.header("Link").map_or(Next::Unsaid, link)),
        Paging::Cursor { next: pointer, .. } | Paging::Link { next: Some(pointer) } => at(body, pointer),
        Paging::Page { more, .. } | Paging::Offset { more, .. } => match more {
            None => Ok(Next::Unsaid),
            Some(pointer) => match body.pointer(pointer) {
                Some(Json::Bool(true)) => Ok(Next::More),
                Some(Json::Bool(false)) => Ok(Next::End),
                _ => Err(Failure::Shape(format!("`{pointer}` does not say whether there is more"))),
            },
        },
    }
}

fn at(body: &Json, pointer: &str) -> Result<Next, Failure> {
    Ok(match body.pointer(pointer) {
        None => Next::Unsaid,
        Some(Json::Null | Json::Bool(false)) => Next::End,
        Some(Json::String(word)) if word.is_empty() => Next::End,
        Some(Json::String(word)) => Next::At(word.clone()),
        Some(Json::Number(number)) => Next::At(number.to_string()),
        Some(_) => return Err(Failure::Shape(format!("`{pointer}` is nothing that leads to a next page"))),
    })
}

/// The target of the relation `next` (RFC 8288, section 3). A header without it is that of the last page.
fn link(header: &str) -> Next {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((target, after)) = after.split_once('>') else { return Next::End };
        let end = after.find(",<").or_else(|| after.find(", <")).unwrap_or(after.len());
        let (parameters, after) = after.split_at(end);
        let relations = parameters.split(';').filter_map(|parameter| parameter.trim().split_once('='));
        let mut relations = relations.filter(|(name, _)| name.trim().eq_ignore_ascii_case("rel"));
        let is_next =
            |value: &str| value.trim().trim_matches('"').split(' ').any(|word| word.eq_ignore_ascii_case("next"));
        if relations.any(|(_, value)| is_next(value)) {
            return Next::At(target.to_owned());
        }
        rest = after;
    }
    Next::End
}
