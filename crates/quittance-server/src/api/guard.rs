//! What surrounds every request: its id, limits on number and duration, and a last net for panics.

use crate::config::Config;
use crate::ids;
use crate::problem::{Problem, catalogue};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::Semaphore;
use tracing::Instrument;

/// How much longer than the longest wait a request may take.
const SLACK: Duration = Duration::from_secs(30);

/// Limits on requests that do work; health and metrics are always answered.
#[derive(Clone)]
pub(super) struct Guard {
    permits: Arc<Semaphore>,
    patience: Duration,
}

impl Guard {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(config.server.connections_max)),
            patience: Duration::from_millis(config.server.wait_max_ms).saturating_add(SLACK),
        }
    }
}

/// Refuses requests above the limit, and gives up those that take too long. What they submitted goes on.
pub(super) async fn limit(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let Ok(_permit) = guard.permits.try_acquire() else {
        return Problem::new(&catalogue::OVERLOADED, "too many requests at once").retry_after(1).into_response();
    };
    match tokio::time::timeout(guard.patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(&catalogue::REQUEST_TIMEOUT, "it was given up").into_response(),
    }
}

/// Names the request, answers panics, and puts the name on the answer.
pub(super) async fn protect(request: Request, next: Next) -> Response {
    let id = request_id();
    // Method and path alone: headers, query and body may hold what must not be logged.
    let span = tracing::info_span!("request", id = %id, method = %request.method());
    let mut answer = Box::pin(next.run(request).instrument(span));
    let answered = poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(response)) => Poll::Ready(Ok(response)),
        Err(_) => Poll::Ready(Err(())),
    });
    let response = answered.await.unwrap_or_else(|()| Problem::internal(&"the handler panicked").into_response());
    with_name(response, &id)
}

/// An answer that was given before the request came as far as here, named as all are.
pub(crate) fn named(response: Response) -> Response {
    with_name(response, &request_id())
}

fn with_name(mut response: Response, id: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(id) {
        response.headers_mut().insert(HeaderName::from_static("request-id"), value);
    }
    response
}

fn request_id() -> String {
    format!("req_{:032x}", u128::from_be_bytes(ids::random()))
}

/// The answer to paths that do not exist.
pub(super) async fn not_found() -> Problem {
    Problem::new(&catalogue::NOT_FOUND, "no resource has this path")
}

/// The answer to methods that a resource does not take.
pub(super) async fn method_not_allowed() -> Problem {
    Problem::new(&catalogue::METHOD_NOT_ALLOWED, "see the header Allow")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt;

    async fn broken() -> &'static str {
        let amounts: [i64; 0] = [];
        assert!(!amounts.is_empty(), "4242424242424242");
        ""
    }

    #[tokio::test]
    async fn a_panic_is_answered_with_an_id_and_without_a_word_about_it() {
        let router = Router::new().route("/", get(broken)).layer(from_fn(protect));
        let request = Request::builder().uri("/").body(Body::empty()).expect("a request");
        let response = router.oneshot(request).await.expect("answered");
        assert_eq!(response.status(), 500);
        assert!(response.headers().contains_key("request-id"));
        let body = to_bytes(response.into_body(), 10_000).await.expect("a body");
        let text = String::from_utf8_lossy(&body);
        assert!(text.contains("\"code\":\"internal\"") && !text.contains("4242"), "{text}");
    }
}
