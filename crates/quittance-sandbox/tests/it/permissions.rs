//! Owns: restricted keys. Does not own: keys that nobody knows (`lifecycle`).

use quittance_sandbox::{Config, RestrictedKey};
use reqwest::Method;
use serde_json::json;

use crate::shop::{Answer, Shop, read};

async fn ask(shop: &Shop, key: &str, method: Method, path: &str, form: &str) -> Answer {
    let request = shop.client.request(method, format!("{}{path}", shop.base)).bearer_auth(key).body(form.to_owned());
    read(request.header("idempotency-key", "key-1").send().await.expect("an answer")).await
}

#[tokio::test]
async fn a_reader_may_not_write_and_leaves_nothing_under_its_key() {
    let reader = RestrictedKey { key: "rk_test_reader_12".to_owned(), may_write: false, may_not_read: Vec::new() };
    let api_keys = Some(vec!["sk_test_shop".to_owned()]);
    let shop = Shop::open(Config { restricted_keys: vec![reader], api_keys, ..Config::default() }).await;
    let refused = ask(&shop, "rk_test_reader_12", Method::POST, "/v1/customers", "colour=red").await;
    assert_eq!((refused.status, refused.text("/error/type")), (403, "invalid_request_error".to_owned()));
    let message = refused.text("/error/message");
    assert!(message.contains("'rk_test_*****r_12'"), "{message}");
    assert!(message.contains("'rak_customer_write'") && !message.contains("rk_test_reader_12"), "{message}");
    assert_eq!(refused.body["error"].get("code"), None);
    assert_eq!(ask(&shop, "rk_test_reader_12", Method::GET, "/v1/customers", "").await.status, 200);
    let deleted = ask(&shop, "rk_test_reader_12", Method::DELETE, "/v1/customers/cus_no", "").await;
    assert_eq!(deleted.status, 403, "before anybody looks whether it is there");
    let made = ask(&shop, "sk_test_shop", Method::POST, "/v1/customers", "name=Ada").await;
    assert_eq!((made.status, made.is_replayed), (200, false));
    assert_eq!(ask(&shop, "rk_test_stranger", Method::GET, "/v1/customers", "").await.status, 401);
}

#[tokio::test]
async fn a_key_may_be_blind_for_some_objects() {
    let shop = Shop::open(Config::default()).await;
    let blind = json!({"key": "rk_test_blind", "may_not_read": ["subscriptions", "subscription_items"]});
    assert_eq!(shop.control("keys", blind).await.status, 200);
    for (path, status) in [
        ("/v1/subscriptions", 403),
        ("/v1/subscriptions/sub_no", 403),
        ("/v1/subscription_items?subscription=sub_no", 403),
        ("/v1/customers", 200),
        ("/v1/invoices", 200),
        ("/v1/nothing", 404),
    ] {
        let answer = ask(&shop, "rk_test_blind", Method::GET, path, "").await;
        assert_eq!(answer.status, status, "{path}");
        let message = answer.body.pointer("/error/message").and_then(|message| message.as_str()).unwrap_or_default();
        assert_eq!(message.contains("'rak_subscription_read'"), status == 403, "{path}: {message}");
    }
    // Other keys see all, and so does this one when it is told so.
    assert_eq!(shop.get("/v1/subscriptions").await.status, 200);
    shop.control("keys", json!({"key": "rk_test_blind", "may_write": true})).await;
    assert_eq!(ask(&shop, "rk_test_blind", Method::GET, "/v1/subscriptions", "").await.status, 200);
    assert_eq!(ask(&shop, "rk_test_blind", Method::POST, "/v1/customers", "name=Ada").await.status, 200);
    for wrong in [json!({"key": ""}), json!({"key": "rk", "may_not_read": ["moons"]}), json!({})] {
        assert_eq!(shop.control("keys", wrong).await.status, 400);
    }
}
