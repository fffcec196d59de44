//! Who gets in, for how long, and that no other site gets anything done.

use super::super::app::{ADMIN, App, Place, READER, WRITER, key_id, submit};
use super::super::call::Call;
use super::{Browser, form, hidden, html};
use quittance_engine::submission::Submission;
use quittance_store::memory::MemoryDatabase;

const LOCATION: &str = "/dashboard/login?next=%2Fdashboard%2Fpayments%3Fstatus%3Dunknown";

#[tokio::test(flavor = "multi_thread")]
async fn somebody_logs_in_with_a_key_sees_their_part_and_logs_out() {
    let app = App::start().await;
    for (key, role, sees_pairs) in [(READER, "viewer", false), (WRITER, "operator", false), (ADMIN, "admin", true)] {
        let mut browser = Browser::logged_in(&app, key).await;
        let page = browser.get("/dashboard").await;
        let text = html(&page);
        assert_eq!(page.status, 200, "{text}");
        assert!(text.contains(&format!("first · test · {role}")), "{text}");
        assert_eq!(text.contains("/dashboard/pairs"), sees_pairs, "{role}");
        assert!(!text.contains(key), "the key is in no page");
        let before = browser.cookies.clone();
        let out = browser.submit(&page, "/dashboard/logout", &[]).await;
        assert_eq!((out.status, out.header("location")), (303, Some("/dashboard/login")));
        browser.cookies = before;
        assert_eq!(browser.get("/dashboard").await.status, 303, "the cookie that somebody kept opens nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_good_opens_nothing_and_is_not_tried_without_end() {
    let app = App::start().await;
    let mut browser = Browser::new(&app);
    for key in ["qk_test_never", "", "something", "4242424242424242"] {
        let answer = browser.log_in(key, "/dashboard").await;
        assert!(matches!(answer.status, 400 | 401), "{key}: {}", answer.status);
        assert!(key.is_empty() || !html(&answer).contains(key), "it is not repeated");
        assert_eq!(browser.get("/dashboard").await.status, 303);
    }
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(browser.log_in("qk_test_never", "/dashboard").await.status);
    }
    assert!(statuses.contains(&401) && statuses.ends_with(&[429]), "{statuses:?}");
    let refused = browser.log_in("qk_test_never", "/dashboard").await;
    assert!(refused.status == 429 && refused.header("retry-after").is_some(), "{}", refused.status);
    // Whoever has a good key is not locked out by others.
    assert_eq!(browser.log_in(READER, "/dashboard").await.status, 303);
    assert_eq!(app.get("/v1/payments").await.status, 200, "the API goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_its_key_and_its_process_and_leads_back() {
    let app = App::start_on(Place::Memory(MemoryDatabase::new())).await;
    let path = "/dashboard/payments?status=unknown";
    let mut browser = Browser::logged_in(&app, READER).await;
    assert_eq!(browser.get(path).await.status, 200);
    submit(&app.handle, Submission::RevokeKey { id: key_id(2), at: app.handle.now() }).await;
    let turned = browser.get(path).await;
    assert_eq!((turned.status, turned.header("location")), (303, Some(LOCATION)));
    let form = browser.post("/dashboard/pairs/accounts/pause", &[]).await;
    assert_eq!(form.header("location"), Some("/dashboard/login?next=%2Fdashboard"), "a form is not sent again");
    for path in ["/dashboard/live", "/dashboard/fragment"] {
        assert_eq!(browser.get(path).await.status, 401, "{path}");
    }

    let mut other = Browser::logged_in(&app, WRITER).await;
    let app = app.restart().await;
    other.router = app.router.clone();
    let turned = other.get(path).await;
    assert_eq!(turned.header("location"), Some(LOCATION), "sessions are in the memory of a process");
    let door = other.get(LOCATION).await;
    assert_eq!(hidden(&html(&door), "next"), path);
    assert_eq!(other.log_in(WRITER, path).await.header("location"), Some(path));
    let elsewhere = other.log_in(WRITER, "https://evil.example/dashboard").await;
    assert_eq!(elsewhere.header("location"), Some("/dashboard"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_another_site_sends_does_nothing() {
    let app = App::start().await;
    let mut browser = Browser::logged_in(&app, READER).await;
    let page = browser.get("/dashboard").await;
    let token = hidden(&html(&page), "form_token");
    let mut other = Browser::logged_in(&app, READER).await;
    let others = hidden(&html(&other.get("/dashboard").await), "form_token");
    let good = [("form_token", token.as_str())];
    for (what, call) in [
        ("no token", form("/dashboard/logout", &[])),
        ("an empty one", form("/dashboard/logout", &[("form_token", "")])),
        ("a made-up one", form("/dashboard/logout", &[("form_token", "AAAA")])),
        ("that of another session", form("/dashboard/logout", &[("form_token", &others)])),
        ("another site", form("/dashboard/logout", &good).header("sec-fetch-site", "cross-site")),
        ("another origin", form("/dashboard/logout", &good).header("origin", "http://evil.example")),
        ("a log-in without its cookie", {
            browser.cookies.remove("quittance_login");
            form("/dashboard/login", &[("key", READER), ("form_token", &token)])
        }),
    ] {
        let answer = browser.send(call).await;
        assert_eq!(answer.status, 403, "{what}: {}", html(&answer));
    }
    let json = Call::new("POST", "/dashboard/logout").header("content-type", "application/json").body("{}");
    assert_eq!(browser.send(json).await.status, 415);
    assert_eq!(browser.get("/dashboard").await.status, 200, "still logged in");
    let call = form("/dashboard/logout", &good).header("sec-fetch-site", "same-origin").header("origin", "null");
    assert_eq!(browser.send(call).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_are_kept_from_the_clear_where_the_way_is_encrypted() {
    let app = App::start().await;
    let plain = Call::new("GET", "/dashboard/login").send(&app.router).await;
    let told = Call::new("GET", "/dashboard/login").header("x-forwarded-proto", "https").send(&app.router).await;
    let is_secure = |cookie: Option<&str>| cookie.expect("a cookie").ends_with("; Secure");
    assert_eq!((is_secure(plain.header("set-cookie")), is_secure(told.header("set-cookie"))), (false, true));
}
