//! Endpoints over the API: made under a key, shown without their secrets, changed, deleted.

use super::{call, keyed, listen};
use crate::api::app::{App, Place};
use quittance_core::idempotency::Command;
use quittance_store::records::Entity;
use quittance_store::store::{Reader, Scan};

const ENDPOINTS: &str = "/v1/webhook_endpoints";

fn rows<E: Entity>(app: &App) -> Vec<E> {
    let Place::Memory(database) = &app.place else { panic!("the data is in memory") };
    let rows = database.reader().scan(&Scan::forward(E::table(), Vec::new(), 100)).expect("readable");
    rows.iter().map(|row| E::from_row(row).expect("sound")).collect()
}

#[tokio::test]
async fn a_secret_is_told_once() {
    let app = App::start().await;
    let (endpoint, secret) = listen(&app, "e", "https://example.com/hooks", r#"["*"]"#).await;
    let key = secret.strip_prefix("whsec_").expect("the prefix of the standard");
    assert_eq!(key.len(), 44, "32 bytes in Base64");
    let again = keyed(&app, ENDPOINTS, "e", r#"{"url": "https://example.com/hooks", "types": ["*"]}"#).await;
    assert_eq!((again.text("/id"), again.text("/secret")), (endpoint.clone(), secret), "a retry gets the same answer");
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let path = format!("{ENDPOINTS}/{endpoint}");
    for shown in [call(&app, "GET", &path, "").await, call(&app, "GET", ENDPOINTS, "").await] {
        let shown = shown.expect(200, "");
        assert!(!String::from_utf8_lossy(&shown.body).contains("whsec_"));
        assert!(String::from_utf8_lossy(&shown.body).contains(&endpoint));
    }
    let stored: Vec<Command> = rows(&app);
    let made = stored.iter().find(|command| command.subject.as_deref() == Some(&endpoint)).expect("it is stored");
    let looked = app.get(&format!("/v1/commands/{}", made.id)).await.expect(200, "");
    assert_eq!((looked.text("/outcome/http_status"), looked.text("/outcome/body")), ("201".into(), String::new()));
    let rotated = keyed(&app, &format!("{path}/rotate-secret"), "r", "{}").await.expect(200, "");
    assert!(rotated.text("/secret").starts_with("whsec_"));
    assert_ne!(rotated.text("/old_secret_until"), "");
    let dropped = keyed(&app, &format!("{path}/rotate-secret"), "r2", r#"{"old_secret": "drop"}"#).await;
    assert_eq!(dropped.expect(200, "").text("/old_secret_until"), "");
}

#[tokio::test]
async fn an_endpoint_is_changed_disabled_and_deleted() {
    let app = App::start().await;
    let (endpoint, _) = listen(&app, "e", "https://example.com/hooks", r#"["*"]"#).await;
    let path = format!("{ENDPOINTS}/{endpoint}");
    let body = r#"{"url": "https://example.org/", "types": ["dev.quittance.dispute.lost.v1"], "description": "shop"}"#;
    let changed = call(&app, "POST", &path, body).await.expect(200, "");
    assert_eq!(changed.text("/url"), "https://example.org/");
    assert_eq!(changed.text("/types/0"), "dev.quittance.dispute.lost.v1");
    let kept = call(&app, "POST", &path, r#"{"description": "the shop"}"#).await.expect(200, "");
    assert_eq!((kept.text("/url"), kept.text("/description")), ("https://example.org/".into(), "the shop".into()));
    let disabled = call(&app, "POST", &format!("{path}/disable"), r#"{"reason": "moving"}"#).await.expect(200, "");
    assert_eq!((disabled.text("/status"), disabled.text("/disabled/reason")), ("disabled".into(), "moving".into()));
    call(&app, "POST", &format!("{path}/disable"), "").await.expect(400, "invalid-body");
    assert_eq!(call(&app, "DELETE", &path, "").await.status, 204);
    call(&app, "GET", &path, "").await.expect(404, "not-found");
    call(&app, "DELETE", &path, "").await.expect(404, "not-found");
    assert_eq!(call(&app, "GET", ENDPOINTS, "").await.expect(200, "").text("/data"), "[]");
}

#[tokio::test]
async fn what_cannot_be_an_endpoint_is_refused_with_what_would_be_right() {
    let app = App::start().await;
    for (body, said) in [
        (r#"{}"#, "is required"),
        (r#"{"url": "example.com"}"#, "is no address"),
        (r#"{"url": "ftp://example.com/"}"#, "https://"),
        (r#"{"url": "https://user:pass@example.com/"}"#, "user's name or password"),
        (r#"{"url": "https://example.com/#part"}"#, "fragment"),
        (r#"{"url": "http://127.0.0.1:8080/"}"#, "not public"),
        (r#"{"url": "http://[::1]/"}"#, "not public"),
        (r#"{"url": "http://0x7f000001/"}"#, "not public"),
        (r#"{"url": "https://example.com/", "types": []}"#, "1 to 30 entries"),
        (r#"{"url": "https://example.com/", "types": ["payment.succeeded"]}"#, "dev.quittance."),
        (r#"{"url": "https://example.com/", "types": "*"}"#, "array of strings"),
        (r#"{"url": "https://example.com/", "secret": "whsec_x"}"#, "not known here"),
    ] {
        let problem = keyed(&app, ENDPOINTS, "e", body).await.expect(400, "invalid-body").problem();
        assert!(problem.contains(said), "{body}: {problem}");
    }
    keyed(&app, ENDPOINTS, "e", r#"{"url": "http://example.com/"}"#).await.expect(201, "");
    for number in 1..16 {
        listen(&app, &format!("e{number}"), "https://example.com/", r#"["*"]"#).await;
    }
    let body = r#"{"url": "https://example.com/"}"#;
    keyed(&app, ENDPOINTS, "one-more", body).await.expect(409, "too-many-endpoints");
}
