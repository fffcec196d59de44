//! Lists inside objects: Stripe sends the first elements of one, and says that there are more.
//!
//! A column that points into such a list needs all of it: an invoice with 25 lines of which ten came along has not lost
//! fifteen. Does not own the requests' way, nor how many there may be.

use serde_json::Value as Json;

use super::Page;
use crate::record::elements;

/// The rest of a list inside an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Where in the object the list is.
    pub at: String,
    /// Where it goes on, as it says itself; empty where it does not.
    pub url: String,
    /// The last element that is there.
    pub after: Option<String>,
}

/// A page of the rest of a list that brings nothing new and says that there is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoProgress;

/// The first list that is not whole and that one of these places needs. A place is a name or a pointer, and perhaps a
/// pointer into what is there.
#[must_use]
pub fn rest<'a>(object: &Json, places: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Option<Rest> {
    places.into_iter().find_map(|(place, pointer)| {
        let tail = pointer.unwrap_or_default();
        if place.starts_with('/') {
            return walk(object, String::new(), &format!("{place}{tail}"));
        }
        walk(object.get(place)?, format!("/{}", escaped(place)), tail)
    })
}

fn walk(document: &Json, path: String, pointer: &str) -> Option<Rest> {
    let token = split_first(pointer);
    if elements(document).is_some() && document["has_more"] == true && needs_elements(token.map(|(token, _)| token)) {
        let url = document["url"].as_str().unwrap_or_default().to_owned();
        let last = document["data"].as_array().and_then(|elements| elements.last());
        return Some(Rest { at: path, url, after: last.and_then(|last| last["id"].as_str()).map(str::to_owned) });
    }
    let Some((token, after)) = token else {
        return children(document).find_map(|(name, child)| walk(child, format!("{path}/{name}"), ""));
    };
    // As in `value_in`, positions and `*` of a list are those of its elements.
    let (document, path) = match elements(document) {
        Some(inner) if is_position(token) => (inner, format!("{path}/data")),
        _ => (document, path),
    };
    if token == "*" && document.is_array() {
        return children(document).find_map(|(name, child)| walk(child, format!("{path}/{name}"), after));
    }
    let child = document.pointer(&format!("/{token}"))?;
    walk(child, format!("{path}/{token}"), after)
}

/// The first token of a pointer, still escaped, and the pointer after it.
fn split_first(pointer: &str) -> Option<(&str, &str)> {
    let begun = pointer.strip_prefix('/')?;
    Some(begun.split_at(begun.find('/').unwrap_or(begun.len())))
}

/// Whether what is pointed to is the list or in its elements, and not another member of it, as `total_count`.
fn needs_elements(token: Option<&str>) -> bool {
    token.is_none_or(|token| token == "data" || is_position(token))
}

fn is_position(token: &str) -> bool {
    token == "*" || token.bytes().all(|byte| byte.is_ascii_digit())
}

fn children(document: &Json) -> Box<dyn Iterator<Item = (String, &Json)> + '_> {
    match document {
        Json::Array(elements) => Box::new(elements.iter().enumerate().map(|(at, child)| (at.to_string(), child))),
        Json::Object(members) => Box::new(members.iter().map(|(name, child)| (escaped(name), child))),
        _ => Box::new(std::iter::empty()),
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Appends a page to the list at this place of the object; how many elements it has now.
///
/// # Errors
///
/// [`NoProgress`], which would go on for ever.
///
/// # Panics
///
/// When there is no list at this place.
pub fn extend(object: &mut Json, at: &str, page: Page) -> Result<usize, NoProgress> {
    let list = object.pointer_mut(at).expect("the list was found there");
    let Some(Json::Array(elements)) = list.get_mut("data") else { panic!("{at} is no list") };
    let before = elements.len();
    for (id, element) in page.objects {
        if !elements[..before].iter().any(|known| known["id"] == id.as_str()) {
            elements.push(element);
        }
    }
    if page.has_more && elements.len() == before {
        return Err(NoProgress);
    }
    let after = elements.len();
    list["has_more"] = Json::Bool(page.has_more);
    Ok(after)
}
