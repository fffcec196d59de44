//! What an answer to a reading says: a page, an object, a refusal, or nothing that can be read.
//!
//! Strict about the frame, since a page that is not whole would pass for the end of a list; objects are taken as they
//! are.

use serde_json::Value as Json;

use super::Kind;
use crate::json;
use crate::message::Response;

/// Longest text of a refusal that is kept, in characters.
const MESSAGE_CHARS_MAX: usize = 400;

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Its objects, in its order, each with its id.
    pub objects: Vec<(String, Json)>,
    /// Whether another page follows.
    pub has_more: bool,
}

/// One object.
#[derive(Clone, Debug, PartialEq)]
pub enum One {
    /// It is there.
    There(Json),
    /// It was deleted; Stripe does not say when.
    Deleted,
    /// There is none under this id.
    Absent,
}

/// Why an answer is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Stripe says no.
    Refused(Refusal),
    /// It is no answer of Stripe's: what came, for people.
    Unreadable(String),
}

/// What Stripe says when it says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Stripe's word for the reason.
    pub code: Option<String>,
    /// The parameter it is about.
    pub parameter: Option<String>,
    /// Stripe's explanation, for people; empty where there is none.
    pub message: String,
}

impl Refusal {
    /// Whether there is no object under an id that was given.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.code.as_deref() == Some("resource_missing")
    }

    /// The permission that a restricted key lacks, as the explanation names it (`rak_subscription_read`).
    #[must_use]
    pub fn permission(&self) -> Option<&str> {
        let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        self.message.split(|letter| !is_of_name(letter)).find(|word| word.starts_with("rak_"))
    }
}

/// Reads a page of a list of this kind, or of a list inside an object, whose elements may be of any.
///
/// # Errors
///
/// [`Failure`]; a page with one object that cannot be told apart is none.
pub fn decode_page(kind: Option<&Kind>, response: &Response) -> Result<Page, Failure> {
    let mut list = success(response)?;
    let is_list = list["object"] == "list" || list["object"].is_null();
    let data = list.get_mut("data").map(Json::take);
    let (Some(has_more), true, Some(Json::Array(elements))) = (list["has_more"].as_bool(), is_list, data) else {
        return Err(Failure::Unreadable(format!("{} where a list was asked for", shape(&list))));
    };
    let objects = elements.into_iter().enumerate().map(|(at, object)| identified(kind, at, object));
    Ok(Page { objects: objects.collect::<Result<_, _>>()?, has_more })
}

fn identified(kind: Option<&Kind>, at: usize, object: Json) -> Result<(String, Json), Failure> {
    let Some(id) = json::short_text(&object["id"]) else {
        return Err(Failure::Unreadable(format!("{} without an id, at {at} of a list", shape(&object))));
    };
    match (kind, object["object"].as_str()) {
        (Some(kind), Some(word)) if word != kind.name => {
            Err(Failure::Unreadable(format!("a list with an object `{word}` where each was to be a `{}`", kind.name)))
        }
        _ => Ok((id, object)),
    }
}

/// Reads one object of this kind.
///
/// # Errors
///
/// [`Failure`]; a 404 in Stripe's words is no failure.
pub fn decode_one(kind: &Kind, response: &Response) -> Result<One, Failure> {
    let object = match success(response) {
        Ok(object) => object,
        Err(Failure::Refused(refusal)) if refusal.status == 404 => return Ok(One::Absent),
        Err(failure) => return Err(failure),
    };
    if object["object"] != kind.name || json::short_text(&object["id"]).is_none() {
        return Err(Failure::Unreadable(format!("{} where one `{}` was asked for", shape(&object), kind.name)));
    }
    Ok(if object["deleted"] == true { One::Deleted } else { One::There(object) })
}

/// The body of a 200.
fn success(response: &Response) -> Result<Json, Failure> {
    if response.status != 200 {
        return Err(refusal(response).map_or_else(|| Failure::Unreadable(described(response)), Failure::Refused));
    }
    serde_json::from_slice(&response.body).map_err(|error| {
        let media_type = response.header("Content-Type").unwrap_or("no media type");
        let media_type: String = media_type.chars().filter(|letter| !letter.is_control()).take(60).collect();
        Failure::Unreadable(format!("{} bytes of {media_type} that are not JSON ({error})", response.body.len()))
    })
}

/// A refusal counts as Stripe's word only in Stripe's form; else it is of something on the way.
fn refusal(response: &Response) -> Option<Refusal> {
    let body = json::body(response)?;
    let error = body.get("error").filter(|error| error.is_object())?;
    let message = error["message"].as_str().unwrap_or_default();
    Some(Refusal {
        status: response.status,
        code: json::short_text(&error["code"]),
        parameter: json::short_text(&error["param"]),
        message: message.chars().filter(|letter| !letter.is_control()).take(MESSAGE_CHARS_MAX).collect(),
    })
}

fn described(response: &Response) -> String {
    format!("status {} and nothing that Stripe would say", response.status)
}

/// What a document is, without what it says.
fn shape(document: &Json) -> String {
    match document {
        Json::Null => "null".to_owned(),
        Json::Bool(_) => "a boolean".to_owned(),
        Json::Number(_) => "a number".to_owned(),
        Json::String(_) => "a text".to_owned(),
        Json::Array(_) => "an array".to_owned(),
        Json::Object(members) => match members.get("object").and_then(json::short_text) {
            Some(word) => format!("an object `{word}`"),
            None => format!("an object with {} members and no word for what it is", members.len()),
        },
    }
}
