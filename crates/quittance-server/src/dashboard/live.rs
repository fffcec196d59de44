//! The overview keeps itself current: a stream that says when it shows something else, and the part of the page that changes.
//!
//! Nothing here counts as use of a session: a page that is left open does not keep anybody logged in.

use super::Dashboard;
use super::overview;
use super::page::fragment;
use super::sessions::Use;
use super::visitor::{Turned, Visitor};
use crate::problem::{Problem, catalogue};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// Streams at once; who gets none has a page that stays as it was loaded.
pub(super) const STREAMS_MAX: usize = 8;

/// How often a stream looks.
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);

/// Looks of one stream; the browser then asks for another, and is known anew.
const LOOKS_MAX: u32 = 180;

/// `GET /dashboard/fragment`
pub(super) async fn part(State(dashboard): State<Dashboard>, headers: HeaderMap, uri: Uri) -> Response {
    match Visitor::of(&dashboard, &headers, &uri, Use::Page).await {
        Ok(visitor) => {
            let html = fragment(&visitor, &overview::sections(&dashboard.handle, &visitor).await);
            axum::response::Html(html).into_response()
        }
        Err(_) => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// `GET /dashboard/live`
pub(super) async fn stream(State(dashboard): State<Dashboard>, headers: HeaderMap, uri: Uri) -> Response {
    if let Err(turned) = Visitor::of(&dashboard, &headers, &uri, Use::Page).await {
        return match turned {
            Turned::ToDoor(_) => StatusCode::UNAUTHORIZED.into_response(),
            away => away.into_response(),
        };
    }
    let Ok(place) = dashboard.streams.clone().try_acquire_owned() else {
        return Problem::new(&catalogue::OVERLOADED, "too many pages keep themselves current").into_response();
    };
    let watcher = Watcher { dashboard, headers, uri, shown: None, looks: 0, _place: place };
    let mut response = Response::new(Body::from_stream(stream::unfold(watcher, Watcher::next)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}

/// Who looks for a page, and what it showed last.
struct Watcher {
    dashboard: Dashboard,
    headers: HeaderMap,
    uri: Uri,
    shown: Option<String>,
    looks: u32,
    _place: OwnedSemaphorePermit,
}

impl Watcher {
    /// The next word of the stream, which is none when nothing has changed; the stream ends with the session and the server.
    async fn next(mut self) -> Option<(Result<String, Infallible>, Self)> {
        if self.looks > 0 {
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        self.looks += 1;
        if self.looks > LOOKS_MAX || !self.dashboard.handle.readiness().takes_commands {
            return None;
        }
        let visitor = Visitor::of(&self.dashboard, &self.headers, &self.uri, Use::Page).await.ok()?;
        let shown = fragment(&visitor, &overview::sections(&self.dashboard.handle, &visitor).await);
        let is_news = self.shown.as_ref().is_some_and(|before| *before != shown);
        self.shown = Some(shown);
        // A comment keeps the connection, and shows whether anybody is still there.
        let word =
            if is_news { format!("event: look\ndata: {}\n\n", self.looks) } else { ": nothing new\n\n".to_owned() };
        Some((Ok(word), self))
    }
}
