//! One request in the making, and its answer.

use super::contract;
use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Method, Request};
use serde_json::Value;
use std::fmt::Write as _;
use tower::ServiceExt;

/// A request.
#[derive(Clone)]
pub struct Call {
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Call {
    pub fn new(method: &str, path: &str) -> Self {
        let method = method.parse().expect("a method");
        Self { method, path: path.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub async fn send(self, router: &Router) -> Answer {
        let (method, path) = (self.method.as_str().to_ascii_lowercase(), self.path.clone());
        let mut request = Request::builder().method(self.method).uri(self.path);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(self.body)).expect("a request");
        let response = router.clone().oneshot(request).await.expect("a router always answers");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 10_000_000).await.expect("a body").to_vec();
        let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, body };
        contract::hold(&method, &path, &answer);
        answer
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {} {text}", self.status))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a readable header"))
    }

    /// A member of the body, as text; empty where there is none.
    pub fn text(&self, pointer: &str) -> String {
        match self.json().pointer(pointer) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    /// Status, code and mistakes of a problem, after checking that it is a proper one.
    pub fn problem(&self) -> String {
        let json = self.json();
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{json}");
        assert_eq!(json["status"], self.status);
        let code = json["code"].as_str().expect("a code");
        assert_eq!(json["type"], format!("urn:quittance:problem:{code}"));
        assert!(self.header("request-id").is_some_and(|id| id.starts_with("req_")));
        let mut text = format!("{} {code}: {}", self.status, json["detail"].as_str().expect("a detail"));
        for mistake in json["errors"].as_array().into_iter().flatten() {
            let place = mistake.get("pointer").or(mistake.get("parameter")).expect("a place");
            let _ = write!(text, "\n    {place} {}", mistake["detail"].as_str().expect("a detail"));
        }
        text
    }

    /// Checks status and code.
    #[track_caller]
    pub fn expect(self, status: u16, code: &str) -> Self {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        assert_eq!(self.text("/code"), code, "{text}");
        self
    }
}
