//! The requests: one page of a list, one object, the rest of a list inside an object. The same arguments give the same
//! bytes; brackets are encoded, for they have no place in a query (RFC 3986, section 3.4).

use super::Kind;
use super::plan::Span;
use crate::form::{Form, encoded};
use crate::message::{Method, Request};

/// Most objects that Stripe returns on one page.
const PAGE_LIMIT: &str = "100";

/// Longest id that is asked for, in bytes. Stripe documents 255; ids that merchants choose may be longer.
const ID_BYTES_MAX: usize = 1_024;

/// The request for one page of a list: with these parameters, of this span, after this object.
#[must_use]
pub fn page_request(
    kind: &Kind,
    api_version: &str,
    parameters: &[(&str, &str)],
    span: Span,
    after: Option<&str>,
) -> Request {
    let mut query = Form::default();
    query.add("limit", PAGE_LIMIT);
    for (name, value) in parameters {
        query.add(name, value);
    }
    query.add_some("created%5Bgte%5D", span.from.map(|second| second.to_string()).as_deref());
    query.add_some("created%5Blte%5D", span.to.map(|second| second.to_string()).as_deref());
    query.add_some("starting_after", after);
    get(format!("{}?{}", kind.path, query.into_text()), api_version)
}

/// The request for one object; none for what cannot be an id and would be another path.
#[must_use]
pub fn one_request(kind: &Kind, api_version: &str, id: &str) -> Option<Request> {
    let is_id = !matches!(id, "" | "." | "..") && id.len() <= ID_BYTES_MAX;
    is_id.then(|| get(format!("{}/{}", kind.path, encoded(id)), api_version))
}

/// The request for the rest of a list inside an object, which says itself where it is. None where that is no path of
/// the API.
#[must_use]
pub fn nested_request(url: &str, api_version: &str, after: Option<&str>) -> Option<Request> {
    let is_path = url.starts_with("/v1/") && url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    let mut query = Form::default();
    query.add("limit", PAGE_LIMIT);
    query.add_some("starting_after", after);
    let joint = if url.contains('?') { '&' } else { '?' };
    is_path.then(|| get(format!("{url}{joint}{}", query.into_text()), api_version))
}

fn get(target: String, api_version: &str) -> Request {
    let api_version = api_version.to_owned();
    Request { method: Method::Get, target, body: Vec::new(), idempotency_key: None, api_version }
}
