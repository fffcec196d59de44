//! What a request has to look like before anybody reads it, and what every answer carries.
//!
//! What hyper refuses itself (no HTTP, a head that is too long, framing that contradicts itself) is answered with a bare
//! status and the end of the connection. Here is refused what hyper would let through and two programs in a row may
//! read differently. After a refusal the connection is closed: what follows on it is never taken for a request.

use crate::api;
use crate::problem::{Problem, catalogue};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Version};

/// Longest target of a request, in bytes: a path and the longest query that any list takes.
const TARGET_BYTES_MAX: usize = 8 * 1024;

/// Puts it around a whole API.
pub(crate) fn around(router: Router, is_encrypted: bool) -> Router {
    router.layer(from_fn_with_state(is_encrypted, mind))
}

async fn mind(State(is_encrypted): State<bool>, request: Request, next: Next) -> Response {
    let mut response = match check(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => api::named(problem.with_header(header::CONNECTION, "close").into_response()),
    };
    dress(response.headers_mut(), is_encrypted);
    response
}

fn check(request: &Request) -> Result<(), Problem> {
    let malformed = |what: &str| Err(Problem::new(&catalogue::MALFORMED_REQUEST, what));
    let headers = request.headers();
    let target = request.uri();
    let length = target.path_and_query().map_or(0, |target| target.as_str().len());
    if length > TARGET_BYTES_MAX {
        let detail = format!("at most {TARGET_BYTES_MAX} bytes of path and query are taken");
        return Err(Problem::new(&catalogue::URI_TOO_LONG, detail));
    }
    let hosts = headers.get_all(header::HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        return malformed("one header Host is needed");
    }
    if request.method() == Method::CONNECT || !target.path().starts_with('/') {
        return malformed("the target of a request is a path, or a whole address with one");
    }
    check_framing(headers)?;
    match headers.get(header::CONTENT_ENCODING) {
        Some(coding) if !coding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            Err(Problem::new(&catalogue::CONTENT_ENCODING, "the header Content-Encoding names a coding")
                .with_header(header::ACCEPT_ENCODING, "identity"))
        }
        _ => Ok(()),
    }
}

/// Of a body that comes in chunks hyper checks that this is the last coding; it has to be the only one. A length beside it
/// is left out by hyper, which closes the connection after the answer (RFC 9112, section 6.1).
fn check_framing(headers: &HeaderMap) -> Result<(), Problem> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(()) };
    let is_chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    if is_chunked && codings.next().is_none() {
        return Ok(());
    }
    Err(Problem::new(&catalogue::MALFORMED_REQUEST, "the only Transfer-Encoding that is taken is one `chunked`"))
}

/// What is said to programs that show or keep answers: believe the media type, keep nothing, show nothing in a frame,
/// and come back encrypted.
fn dress(headers: &mut HeaderMap, is_encrypted: bool) {
    let mut say = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    say(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    say(header::CACHE_CONTROL, "no-store");
    say(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    say(header::REFERRER_POLICY, "no-referrer");
    if is_encrypted {
        say(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}
