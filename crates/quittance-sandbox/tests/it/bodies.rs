//! Owns: answers that arrive and say nothing, or the same again. Does not own: answers that never arrive (`faults`).

use std::collections::BTreeSet;

use quittance_sandbox::{Config, FaultProfile, FaultRates};

use crate::shop::{Answer, CHARGE, PATIENCE, Shop, try_read};

const INTENTS: &str = "/v1/payment_intents";

/// The first answer is no JSON; the money is taken, and the key brings the answer.
async fn check_unreadable(kind: &str, rates: FaultRates, status: u16, content_type: &str) {
    let shop = Shop::open_with(1, rates).await;
    let first = shop.keyed(INTENTS, "key-1", CHARGE).send().await.expect("an answer");
    assert_eq!(first.status(), status, "{kind}");
    assert_eq!(first.headers()["content-type"], content_type, "{kind}");
    assert_eq!(try_read(first).await, None, "{kind}");
    assert_eq!(shop.charges_succeeded().await, 1, "{kind}");
    let second = shop.post_keyed(INTENTS, "key-1", CHARGE).await;
    assert_eq!(
        (second.status, second.is_replayed, second.text("/status")),
        (200, true, "succeeded".to_owned()),
        "{kind}"
    );
    assert_eq!((shop.fault(kind).await, shop.charges_succeeded().await), (1, 1), "{kind}");
    if status == 200 {
        // Refusals are left alone.
        assert_eq!(shop.post_keyed("/v1/refunds", "refund-1", "charge=ch_no").await.status, 400, "{kind}");
        assert_eq!(shop.fault(kind).await, 1, "{kind}");
    }
}

#[tokio::test]
async fn a_body_may_be_cut_off_or_be_another() {
    let truncated = FaultRates { truncated_json: 1000, ..FaultRates::default() };
    check_unreadable("truncated_json", truncated, 200, "application/json").await;
    let html = FaultRates { html_200: 1000, ..FaultRates::default() };
    check_unreadable("html_200", html, 200, "text/html; charset=utf-8").await;
    let proxy = FaultRates { bad_gateway_502: 1000, ..FaultRates::default() };
    check_unreadable("bad_gateway_502", proxy, 502, "text/html; charset=utf-8").await;
}

#[tokio::test]
async fn reads_can_be_unreadable_too() {
    let shop = Shop::open_with(1, FaultRates { html_200: 1000, reads: 1000, ..FaultRates::default() }).await;
    let request = || shop.request(reqwest::Method::GET, "/v1/charges");
    assert_eq!(try_read(request().send().await.expect("an answer")).await, None);
    assert_eq!(shop.get("/v1/charges").await.text("/object"), "list");
}

fn last_id(page: &Answer) -> String {
    let rows = page.body["data"].as_array().expect("a list");
    rows.last().and_then(|row| row["id"].as_str()).expect("a page with an entry").to_owned()
}

#[tokio::test]
async fn a_cursor_may_repeat() {
    let rates = FaultRates { cursor_repeats: 1000, reads: 1000, ..FaultRates::default() };
    let faults = FaultProfile::Custom(rates);
    let shop = Shop::open(Config { faults, faults_per_key_max: 1, ..Config::default() }).await;
    for _ in 0..7 {
        shop.charge_with("pm_card_visa").await;
    }
    let path = "/v1/charges?limit=3";
    // Without a cursor there is nothing to repeat.
    let first = shop.get(path).await;
    assert_eq!(shop.fault("cursor_repeats").await, 0);
    let next = format!("{path}&starting_after={}", last_id(&first));
    let repeated = shop.get(&next).await;
    assert_eq!((last_id(&repeated), &repeated.body["has_more"]), (last_id(&first), &true.into()));
    assert_eq!(repeated.body["data"], first.body["data"]);
    assert_eq!(shop.fault("cursor_repeats").await, 1);
    // Whoever asks again gets on.
    assert_ne!(last_id(&shop.get(&next).await), last_id(&first));
}

#[tokio::test]
async fn a_client_that_notices_repetition_sees_every_row() {
    let faults = FaultProfile::Custom(FaultRates { cursor_repeats: 500, reads: 1000, ..FaultRates::default() });
    let shop = Shop::open(Config { faults, ..Config::default() }).await;
    let mut made = BTreeSet::new();
    for _ in 0..20 {
        made.insert(shop.charge_with("pm_card_visa").await.text("/latest_charge"));
    }
    let (mut seen, mut after) = (BTreeSet::new(), String::new());
    let all = async {
        loop {
            let page = shop.get(&format!("/v1/charges?limit=2{after}")).await;
            let next = format!("&starting_after={}", last_id(&page));
            let rows = page.body["data"].as_array().into_iter().flatten();
            seen.extend(rows.filter_map(|row| row["id"].as_str()).map(str::to_owned));
            if page.body["has_more"] == false {
                break;
            }
            // The same cursor again: ask again.
            after = next;
        }
    };
    tokio::time::timeout(PATIENCE, all).await.expect("an end in time");
    assert_eq!(seen, made);
    assert!(shop.fault("cursor_repeats").await > 0);
}
