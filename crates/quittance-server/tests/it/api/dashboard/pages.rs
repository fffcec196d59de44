//! What pages show: to whom, how strictly, and that nothing in them is anybody's markup.

use super::super::app::{ADMIN, App, READER, STRANGER, payment};
use super::super::call::{Answer, Call};
use super::super::pairs::Stage;
use super::{Browser, html};
use std::fmt::Write as _;

/// Longest page, in bytes.
const PAGE_BYTES_MAX: usize = 100_000;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Holds an answer to what is promised of all pages.
fn hold(path: &str, answer: &Answer) {
    assert_eq!(answer.header("content-security-policy"), Some(POLICY), "{path}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    assert!(answer.body.len() < PAGE_BYTES_MAX, "{path} has {} bytes", answer.body.len());
    let text = html(answer);
    for inline in ["<style", "style=", "onclick", "onload", "javascript:", "http://", "https://"] {
        let text = text.replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains(inline), "{path} has {inline}");
    }
    if answer.header("content-type") == Some("text/html; charset=utf-8") && path != "/dashboard/fragment" {
        for part in ["<html lang=\"en\">", "<main", "<h1>", "name=\"viewport\"", "<title>"] {
            assert!(text.contains(part), "{path} has no {part}");
        }
        assert_eq!(text.matches("<table>").count(), text.matches("<caption>").count(), "{path}");
    }
}

/// The first address on a page that begins so.
fn link(page: &Answer, start: &str) -> String {
    let text = html(page);
    let at = text.find(&format!("href=\"{start}")).unwrap_or_else(|| panic!("no link to {start} in {text}"));
    text[at + 6..].split('"').next().expect("an end").replace("&#38;", "&")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_strict_and_small_however_much_there_is() {
    let stage = Stage::open().await;
    let mut rows = String::new();
    for number in 0..1_000 {
        write!(rows, "INSERT INTO accounts VALUES ('n{number}', '{}', 'x');", "long ".repeat(60)).expect("written");
    }
    stage.change("app.db", &rows);
    stage.change("billing.db", &rows.replace("long", "other"));
    stage.compare();
    let mut browser = Browser::logged_in(&stage.app, ADMIN).await;
    let list = browser.get("/dashboard/discrepancies?limit=100").await;
    let one = link(&list, "/dashboard/discrepancies/dsc_");
    let next = link(&list, "/dashboard/discrepancies?limit=100&#38;cursor=");
    for path in [
        "/dashboard",
        "/dashboard/fragment",
        "/dashboard/payments",
        "/dashboard/discrepancies?limit=100",
        "/dashboard/discrepancies?source=gateway",
        &next,
        &one,
        &format!("{one}/decide?choice=right"),
        "/dashboard/pairs",
        "/dashboard/pairs/accounts",
        "/dashboard/trace",
        "/dashboard/ledger",
        "/dashboard/settings",
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", html(&answer));
        hold(path, &answer);
    }
    let overview = html(&browser.get("/dashboard").await);
    assert!(overview.contains("1000+ confirmed") && overview.contains("Differs"), "{overview}");
    assert!(overview.find("Differs") < overview.find("Balanced"), "what is wrong comes first");
    for (path, status) in [
        ("/dashboard/nowhere", 404),
        ("/dashboard/pairs/none", 404),
        ("/dashboard/payments/pay_x", 404),
        ("/dashboard/discrepancies/dsc_x", 404),
        ("/dashboard/trace?id=nobody", 404),
        ("/dashboard/payments?status=odd", 400),
        ("/dashboard/payments?cursor=c1_00", 400),
        ("/dashboard/discrepancies?source=both", 400),
        ("/dashboard/assets/style-0.css", 404),
        ("/dashboard/login", 200),
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        hold(path, &answer);
    }
    let turned = Call::new("GET", "/dashboard").send(&stage.app.router).await;
    hold("/dashboard without a session", &turned);
}

#[tokio::test(flavor = "multi_thread")]
async fn style_and_script_are_kept_for_ever_under_the_digest_in_their_names() {
    let app = App::start().await;
    let mut browser = Browser::logged_in(&app, READER).await;
    let page = browser.get("/dashboard").await;
    for (start, kind) in [("style-", "text/css; charset=utf-8"), ("icon-", "image/svg+xml")] {
        let asset = browser.get(&link(&page, &format!("/dashboard/assets/{start}"))).await;
        assert_eq!((asset.status, asset.header("content-type")), (200, Some(kind)));
        assert_eq!(asset.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(asset.header("content-security-policy"), Some(POLICY));
    }
    assert!(html(&page).contains("<script src=\"/dashboard/assets/live-"), "{}", html(&page));
    assert!(!html(&browser.get("/dashboard/payments").await).contains("<script"), "only where something is live");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_said_is_shown_and_is_nobodys_markup() {
    let app = App::start().await.with_alice().await;
    let evil = r#"\"><script>alert(1)</script>\u202e"#;
    let body = payment("order-1", "pm_card_visa")
        .replace("\"metadata\"", &format!("\"description\": \"{evil}\", \"metadata\""));
    let made = app.post("/v1/payments", "key-1", &body).await.expect(201, "");
    let id = made.text("/id");
    let mut browser = Browser::logged_in(&app, READER).await;
    for path in [format!("/dashboard/payments/{id}"), format!("/dashboard/trace?id={id}")] {
        let page = browser.get(&path).await;
        let text = html(&page);
        assert_eq!(page.status, 200, "{text}");
        assert!(!text.contains("<script>") && !text.contains('\u{202e}'), "{path}: {text}");
        hold(&path, &page);
    }
    let page = html(&browser.get(&format!("/dashboard/payments/{id}")).await);
    assert!(page.contains("&#60;script&#62;alert(1)") && page.contains("19.99 USD"), "{page}");
    assert!(page.contains("payment accepted") && page.contains("answer given"), "{page}");
    let story = html(&browser.get("/dashboard/trace?id=order-1").await);
    assert!(story.contains("<svg class=\"sequence\"") && story.contains("ticket issued: create"), "{story}");
    let listed = html(&browser.get("/dashboard/payments?status=succeeded&customer=&reference=order-1").await);
    assert!(listed.contains(&id), "{listed}");
    assert!(html(&browser.get("/dashboard/ledger").await).contains("Debits are credits in every currency"));
    for path in ["/dashboard/trace?id=%3Cscript%3E", "/dashboard/payments?reference=%22%3E%3Cscript%3E"] {
        assert!(!html(&browser.get(path).await).contains("<script>"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_anothers_is_as_what_never_was() {
    let stage = Stage::open().await;
    stage.change("billing.db", "UPDATE accounts SET status = 'ended' WHERE id = 'a'");
    stage.compare();
    let app = &stage.app;
    app.post("/v1/customers", "alice", r#"{"external_id": "alice"}"#).await.expect(201, "");
    let made = app.post("/v1/payments", "key-1", &payment("order-1", "pm_card_visa")).await.expect(201, "");
    let finding = stage.found("").await[0]["id"].as_str().expect("an id").to_owned();
    let mut stranger = Browser::logged_in(app, STRANGER).await;
    for path in [
        format!("/dashboard/payments/{}", made.text("/id")),
        format!("/dashboard/trace?id={}", made.text("/id")),
        "/dashboard/trace?id=order-1".to_owned(),
        format!("/dashboard/discrepancies/{finding}"),
    ] {
        assert_eq!(stranger.get(&path).await.status, 404, "{path}");
    }
    assert!(html(&stranger.get("/dashboard/payments").await).contains("No payment is like that."));
    let mut reader = Browser::logged_in(app, READER).await;
    assert_eq!(reader.get(&format!("/dashboard/discrepancies/{finding}")).await.status, 404);
    for path in [
        "/dashboard/pairs".to_owned(),
        "/dashboard/pairs/accounts".to_owned(),
        "/dashboard/discrepancies?source=pair".to_owned(),
        format!("/dashboard/discrepancies/{finding}/decide?choice=ignore"),
    ] {
        assert_eq!(reader.get(&path).await.status, 403, "{path}");
    }
    let settings = html(&reader.get("/dashboard/settings").await);
    assert!(settings.contains("Gateways") && !settings.contains("API keys"), "{settings}");
    let mut admin = Browser::logged_in(app, ADMIN).await;
    let settings = html(&admin.get("/dashboard/settings").await);
    assert!(settings.contains("API keys") && settings.contains("Alert channels"), "{settings}");
    assert!(!settings.contains("whsec_") && !settings.contains("sk_test_"), "no secret");
}
