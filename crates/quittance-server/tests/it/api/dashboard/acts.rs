//! What is done from the dashboard: a decision about a discrepancy, a pair that is paused.

use super::super::app::{ADMIN, READER};
use super::super::call::Answer;
use super::super::pairs::Stage;
use super::{Browser, form, hidden, html};

/// A pair with one discrepancy of the field whose right side is believed, and its page.
async fn differing() -> (Stage, Browser, String) {
    let stage = Stage::open().await;
    stage.change("billing.db", "UPDATE accounts SET plan = 'team' WHERE id = 'a'");
    stage.compare();
    let browser = Browser::logged_in(&stage.app, ADMIN).await;
    let id = stage.found("").await[0]["id"].as_str().expect("an id").to_owned();
    (stage, browser, format!("/dashboard/discrepancies/{id}"))
}

/// Sends the form of a confirmation.
async fn confirm(browser: &mut Browser, asked: &Answer, place: &str, word: &str, reason: &str) -> Answer {
    let key = hidden(&html(asked), "key");
    browser.submit(asked, &format!("{place}/decide"), &[("choice", word), ("key", &key), ("reason", reason)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discrepancy_is_resolved_after_a_look_and_once() {
    let (stage, mut browser, place) = differing().await;
    let page = html(&browser.get(&place).await);
    assert!(page.contains("<code>pro</code>") && page.contains("<code>team</code>"), "both versions: {page}");
    assert!(
        page.contains("choice=left") && page.contains("choice=ignore") && !page.contains("choice=approve"),
        "{page}"
    );
    let asked = browser.get(&format!("{place}/decide?choice=right")).await;
    assert!(html(&asked).contains("plan: pro → team"), "{}", html(&asked));
    assert_eq!(stage.value("app.db", "plan", "a"), "pro", "looking writes nothing");
    assert_eq!(stage.get("/v1/runs").await.json()["data"].as_array().map(Vec::len), Some(1), "and keeps nothing");

    let missing = confirm(&mut browser, &asked, &place, "right", "").await;
    assert_eq!(missing.status, 400, "{}", html(&missing));
    let token = hidden(&html(&asked), "key");
    let forged =
        browser.send(form(&format!("{place}/decide"), &[("choice", "right"), ("key", &token), ("reason", "x")])).await;
    assert_eq!((forged.status, stage.value("app.db", "plan", "a").as_str()), (403, "pro"));

    let done = confirm(&mut browser, &asked, &place, "right", "they upgraded").await;
    let text = html(&done);
    assert_eq!((done.status, stage.value("app.db", "plan", "a").as_str()), (200, "team"), "{text}");
    assert!(text.contains("written, and was read back") && text.contains("they upgraded"), "{text}");
    assert!(text.contains("quittance undo run_"), "{text}");
    let again = confirm(&mut browser, &asked, &place, "right", "they upgraded").await;
    assert_eq!(again.status, 200, "{}", html(&again));
    let other = confirm(&mut browser, &asked, &place, "right", "another reason").await;
    assert_eq!(other.status, 422, "the key stands for the first: {}", html(&other));
    let shown = stage.get(&place.replace("/dashboard", "/v1")).await.json();
    assert_eq!(shown["decisions"].as_array().map(Vec::len), Some(1), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_approved_and_what_is_good_is_ignored() {
    let stage = Stage::open().await;
    stage.change(
        "billing.db",
        "UPDATE accounts SET status = 'ended' WHERE id = 'a'; UPDATE accounts SET plan = 'team' WHERE id = 'b'",
    );
    stage.repair();
    let mut browser = Browser::logged_in(&stage.app, ADMIN).await;
    let id_of =
        async |key: &str| stage.found(&format!("&key={key}")).await[0]["id"].as_str().expect("an id").to_owned();
    let place = format!("/dashboard/discrepancies/{}", id_of("a").await);
    let asked = browser.get(&format!("{place}/decide?choice=approve")).await;
    let text = html(&asked);
    assert!(text.contains("status: active → ended") && text.contains("takes something away"), "{text}");
    let done = confirm(&mut browser, &asked, &place, "approve", "I asked them").await;
    assert_eq!((done.status, stage.value("app.db", "status", "a").as_str()), (200, "ended"), "{}", html(&done));
    assert!(html(&done).contains("written, and was read back"), "{}", html(&done));

    let place = format!("/dashboard/discrepancies/{}", id_of("b").await);
    let asked = browser.get(&format!("{place}/decide?choice=ignore")).await;
    let done = confirm(&mut browser, &asked, &place, "ignore", "a gift").await;
    assert!(html(&done).contains("opens again by itself"), "{}", html(&done));
    assert_eq!(stage.found("&key=b").await[0]["status"], "ignored");
    let nothing = browser.get(&format!("{place}/decide?choice=approve")).await;
    assert_eq!(nothing.status, 409, "{}", html(&nothing));
    assert_eq!(browser.get(&format!("{place}/decide?choice=both")).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_is_paused_with_a_reason_and_resumed_by_administrators_alone() {
    let (stage, mut browser, _) = differing().await;
    let place = "/dashboard/pairs/accounts";
    let page = browser.get(place).await;
    let paused = browser.submit(&page, &format!("{place}/pause"), &[("reason", "a migration")]).await;
    assert_eq!((paused.status, paused.header("location")), (303, Some(place)), "{}", html(&paused));
    let page = browser.get(place).await;
    assert!(html(&page).contains(": a migration") && html(&page).contains("Resume this pair"), "{}", html(&page));
    assert!(html(&page).contains("1 open</") && html(&page).contains("Proofs of completeness"), "{}", html(&page));
    let mut reader = Browser::logged_in(&stage.app, READER).await;
    let own = reader.get("/dashboard").await;
    assert_eq!(reader.submit(&own, &format!("{place}/resume"), &[]).await.status, 403);
    assert_eq!(browser.submit(&page, &format!("{place}/resume"), &[]).await.status, 303);
    assert!(html(&browser.get(place).await).contains("Pause this pair"));
}
