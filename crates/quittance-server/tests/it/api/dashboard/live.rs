//! The overview that keeps itself current.

use super::super::app::{ADMIN, App, key_id, submit};
use super::{Browser, html};
use axum::body::Body;
use futures_util::StreamExt;
use http::Request;
use quittance_engine::submission::Submission;
use quittance_store::records::Switch;
use std::time::Duration;
use tower::ServiceExt;

/// Longer than any look takes; reached only when something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_told_when_something_else_is_to_be_seen_until_its_key_ends() {
    let app = App::start().await;
    let mut browser = Browser::logged_in(&app, ADMIN).await;
    assert!(html(&browser.get("/dashboard/fragment").await).contains("All answer"));
    let cookie = format!("quittance_session={}", browser.cookies["quittance_session"]);
    let request = Request::get("/dashboard/live").header("cookie", cookie).body(Body::empty()).expect("a request");
    let response = app.router.clone().oneshot(request).await.expect("answered");
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut words = response.into_body().into_data_stream();
    let mut until = async |wanted: Option<&str>| {
        let heard = async {
            loop {
                let word =
                    words.next().await.map(|word| String::from_utf8(word.expect("a word").to_vec()).expect("UTF-8"));
                match (word, wanted) {
                    (None, None) => return,
                    (Some(word), Some(wanted)) if word.starts_with(wanted) => return,
                    (None, Some(_)) => panic!("it ended"),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, heard).await.expect("it comes");
    };
    until(Some(": ")).await;
    let (name, reason, by) = ("stripe".to_owned(), Some("a look".to_owned()), "operator".to_owned());
    let switch = Switch { name, is_paused: true, reason, by, changed_at: app.handle.now() };
    submit(&app.handle, Submission::SetSwitch(Box::new(switch))).await;
    until(Some("event: look")).await;
    assert!(html(&browser.get("/dashboard/fragment").await).contains("stripe: a look"));
    submit(&app.handle, Submission::RevokeKey { id: key_id(4), at: app.handle.now() }).await;
    until(None).await;
}
