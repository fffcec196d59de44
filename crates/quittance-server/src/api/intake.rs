//! A request that changes something, checked in the order of the contract: size, credential, key, body.
//!
//! Whatever is refused here is refused before the claim: nothing is stored, and the same key may be used again.

use crate::auth::{Caller, authenticate};
use crate::json::Json;
use crate::problem::{Problem, catalogue};
use crate::runtime::Handle;
use axum::extract::Request;
use bytes::Bytes;
use http::{HeaderMap, header};
use quittance_core::idempotency::{Key, KeyError, Shape, fingerprint};
use quittance_core::pan::contains_card_number;
use quittance_core::tenant::Scope;
use std::error::Error;
use tower_http::timeout::TimeoutError;

use super::query::Parameters;

/// A request of a client that may become a command.
pub(super) struct Intake {
    /// Who sent it.
    pub(super) caller: Caller,
    /// Its idempotency key.
    pub(super) key: Key,
    /// Its headers.
    pub(super) headers: HeaderMap,
    /// Its body.
    pub(super) body: Json,
    /// What makes it the same as another request.
    pub(super) fingerprint: [u8; 32],
}

impl Intake {
    /// Reads a client's `POST` to a route without path parameters.
    pub(super) async fn read(handle: &Handle, request: Request, route: &str) -> Result<Self, Problem> {
        Self::read_as(handle, request, Scope::Write, route, &[]).await
    }

    /// Reads a `POST` that needs a scope, to a route with path parameters.
    pub(super) async fn read_as(
        handle: &Handle,
        request: Request,
        scope: Scope,
        route: &str,
        path: &[(&str, &str)],
    ) -> Result<Self, Problem> {
        let bytes_max = handle.config().server.body_bytes_max;
        check_announced_length(request.headers(), bytes_max)?;
        let (parts, body) = request.into_parts();
        let caller = authenticate(handle, &parts.headers, scope).await?;
        let key = key(&parts.headers)?;
        Parameters::of(&parts.uri, &[])?;
        check_media_type(&parts.headers)?;
        let body = Json::read(&bounded(body, bytes_max).await?)?;
        let shape = Shape {
            method: "POST",
            route,
            path,
            query: &[],
            media_type: "application/json",
            // The body as it came: a later change of defaults cannot make an old key mismatch.
            canonical_body: &body.canonical(),
        };
        let fingerprint = fingerprint(&caller.tenant.fingerprint_secret, &shape);
        Ok(Self { caller, key, headers: parts.headers, body, fingerprint })
    }
}

/// A request that means the same however often it comes: it needs no key, and one that it carries is not looked at.
pub(super) struct KeylessIntake {
    /// Who sent it.
    pub(super) caller: Caller,
    /// Its body; one that is empty counts as an object without members.
    pub(super) body: Json,
}

impl KeylessIntake {
    /// Reads a `POST` to a route without path parameters.
    pub(super) async fn read(handle: &Handle, request: Request, scope: Scope) -> Result<Self, Problem> {
        let bytes_max = handle.config().server.body_bytes_max;
        check_announced_length(request.headers(), bytes_max)?;
        let (parts, body) = request.into_parts();
        let caller = authenticate(handle, &parts.headers, scope).await?;
        Parameters::of(&parts.uri, &[])?;
        let bytes = bounded(body, bytes_max).await?;
        if bytes.is_empty() {
            return Ok(Self { caller, body: Json::Object(Vec::new()) });
        }
        check_media_type(&parts.headers)?;
        Ok(Self { caller, body: Json::read(&bytes)? })
    }
}

/// Refuses by `Content-Length`, before anything is read.
pub(super) fn check_announced_length(headers: &HeaderMap, bytes_max: usize) -> Result<(), Problem> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match announced {
        Some(length) if length > bytes_max as u64 => Err(too_large(bytes_max)),
        _ => Ok(()),
    }
}

/// Reads a body of at most so many bytes.
pub(crate) async fn bounded(body: axum::body::Body, bytes_max: usize) -> Result<Bytes, Problem> {
    axum::body::to_bytes(body, bytes_max).await.map_err(|error| unread(&error, bytes_max))
}

/// Why a body was not read to its end. What is left of it is not read: the connection cannot be used again.
fn unread(error: &axum::Error, bytes_max: usize) -> Problem {
    let first: &(dyn Error + 'static) = error;
    let problem = std::iter::successors(Some(first), |cause| (**cause).source()).find_map(|cause| {
        if cause.is::<TimeoutError>() {
            return Some(Problem::new(&catalogue::REQUEST_TIMEOUT, "the body stood still"));
        }
        // Framing that is broken, or a client that went away, which reads no answer.
        let broken = || Problem::new(&catalogue::MALFORMED_REQUEST, "the body cannot be read to its end");
        cause.is::<hyper::Error>().then(broken)
    });
    problem.map_or_else(|| too_large(bytes_max), |problem| problem.with_header(header::CONNECTION, "close"))
}

fn too_large(bytes_max: usize) -> Problem {
    // What is left of the body is not read: the connection cannot be used again.
    Problem::new(&catalogue::BODY_TOO_LARGE, format!("at most {bytes_max} bytes are taken"))
        .with_header(header::CONNECTION, "close")
}

fn key(headers: &HeaderMap) -> Result<Key, Problem> {
    let mut lines = headers.get_all("idempotency-key").iter();
    let line = lines.next().ok_or_else(Problem::key_missing)?;
    let invalid = |why: &str| Problem::new(&catalogue::KEY_INVALID, why);
    if lines.next().is_some() {
        return Err(invalid("the header is given more than once"));
    }
    let text = line.to_str().map_err(|_| invalid(&KeyError::BadCharacter.to_string()))?;
    let key = Key::parse(text).map_err(|error| invalid(&error.to_string()))?;
    if contains_card_number(key.as_str()) {
        return Err(Problem::card_number_in("Idempotency-Key"));
    }
    Ok(key)
}

/// JSON, in UTF-8 where it says so.
fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = text.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    if is_json && is_utf8 {
        return Ok(());
    }
    Err(Problem::new(&catalogue::UNSUPPORTED_MEDIA_TYPE, "expected `Content-Type: application/json`"))
}
