//! Providers to read from: the sandbox, and one whose answers a test writes itself. Each serves on a thread of its own,
//! since systems block the thread that reads.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use quittance_sandbox::{Config, Sandbox};
use serde_json::Value as Json;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::thread;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// Serves until it is dropped.
pub struct Provider {
    pub base: String,
    _stop: oneshot::Sender<()>,
}

impl Provider {
    pub fn sandbox(config: Config) -> Self {
        Self::start(|listener, stopped| async move { Sandbox::new(config).serve(listener, stopped).await.unwrap() })
    }

    /// A provider that answers what this says to a request: method and target, and its headers as text.
    pub fn canned(answer: impl Fn(&str, &str) -> Canned + Send + Sync + 'static) -> Self {
        let answer = Arc::new(answer);
        let handle = move |request: Request| {
            let target = request.uri().path_and_query().unwrap().to_string();
            let headers =
                request.headers().iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()));
            let Canned { status, headers, body } = answer(&target, &headers.collect::<String>());
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            std::future::ready(response.body(Body::from(body)).unwrap())
        };
        let router = Router::new().fallback(handle);
        Self::start(|listener, stopped| async move {
            axum::serve(listener, router).with_graceful_shutdown(stopped).await.unwrap();
        })
    }

    /// A provider that answers what this says to a whole request; none is a connection that breaks in the middle of an answer.
    pub fn scripted(answer: impl Fn(&Call) -> Option<Canned> + Send + Sync + 'static) -> Self {
        let answer = Arc::new(answer);
        let handle = move |request: Request| {
            let answer = Arc::clone(&answer);
            async move {
                let (head, body) = request.into_parts();
                let headers = head.headers.iter();
                let headers = headers.map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()));
                let call = Call {
                    method: head.method.to_string(),
                    target: head.uri.path_and_query().unwrap().to_string(),
                    headers: headers.collect(),
                    body: String::from_utf8(axum::body::to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap(),
                };
                let Some(Canned { status, headers, body }) = answer(&call) else {
                    let broken = Err::<&[u8], _>(std::io::Error::other("the connection breaks"));
                    let body = Body::from_stream(futures_util::stream::iter([Ok(&b"{"[..]), broken]));
                    return Response::builder().status(200).header("content-length", "1000").body(body).unwrap();
                };
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                response.body(Body::from(body)).unwrap()
            }
        };
        let router = Router::new().fallback(handle);
        Self::start(|listener, stopped| async move {
            axum::serve(listener, router).with_graceful_shutdown(stopped).await.unwrap();
        })
    }

    fn start<F>(serve: impl FnOnce(TcpListener, Stopped) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()>,
    {
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            let runtime = Runtime::new().unwrap();
            runtime.block_on(async {
                let stopped: Stopped = Box::pin(async {
                    let _ = stopped.await;
                });
                serve(TcpListener::from_std(listener).unwrap(), stopped).await;
            });
            runtime.shutdown_background();
        });
        Self { base, _stop: stop }
    }

    /// Tells the sandbox something, or asks it.
    pub fn control(&self, method: &str, what: &str, body: &Json) -> Json {
        self.call(method, &format!("/_sandbox/{what}"), "application/json", body.to_string())
    }

    /// A form, as Stripe's clients send it.
    pub fn post(&self, path: &str, form: &str) -> Json {
        self.call("POST", path, "application/x-www-form-urlencoded", form.to_owned())
    }

    pub fn get(&self, path: &str) -> Json {
        self.call("GET", path, "application/json", String::new())
    }

    /// On a thread of its own, so that it can be called while a system is read on this one.
    fn call(&self, method: &str, path: &str, media_type: &str, body: String) -> Json {
        quittance_server::transport::ensure_cryptography();
        let request = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = request.request(method.parse().unwrap(), format!("{}{path}", self.base));
        let request = request.bearer_auth("sk_test_1").header("content-type", media_type).body(body);
        let call = async {
            let answer = request.send().await.unwrap();
            let (status, text) = (answer.status(), answer.text().await.unwrap());
            assert!(status.is_success(), "{method} {path}: {status} {text}");
            serde_json::from_str(&text).unwrap()
        };
        thread::scope(|scope| scope.spawn(|| Runtime::new().unwrap().block_on(call)).join().unwrap())
    }
}

type Stopped = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// A whole request.
pub struct Call {
    pub method: String,
    pub target: String,
    /// A line each, with names in lower case.
    pub headers: String,
    pub body: String,
}

/// An answer.
pub struct Canned {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Canned {
    pub fn json(body: &Json) -> Self {
        Self::text(200, "application/json", &body.to_string())
    }

    pub fn text(status: u16, media_type: &str, body: &str) -> Self {
        Self { status, headers: vec![("content-type", media_type.to_owned())], body: body.to_owned() }
    }
}

/// What a provider was asked.
#[derive(Clone, Default)]
pub struct Asked(Arc<Mutex<Vec<String>>>);

impl Asked {
    pub fn note(&self, target: &str) -> usize {
        let mut targets = self.0.lock().unwrap();
        targets.push(target.to_owned());
        targets.len()
    }

    pub fn targets(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}
