//! Owns: subscriptions, through the API and by the provider's hand. Does not own: many of them at once (`seeding`).

use quittance_sandbox::Config;
use reqwest::Method;
use serde_json::{Value, json};

use crate::catalogue::Catalogue;
use crate::shop::{Shop, read};

const SUBSCRIPTIONS: &str = "/v1/subscriptions";

async fn delete(shop: &Shop, path: &str) -> crate::shop::Answer {
    read(shop.request(Method::DELETE, path).send().await.expect("an answer")).await
}

#[tokio::test]
async fn a_subscription_has_its_prices_and_its_period_in_its_items() {
    let shop = Shop::open(Config::default()).await;
    let catalogue = Catalogue::of(&shop).await;
    let form = format!("{}&items[0][quantity]=3&metadata[plan]=pro", catalogue.subscription());
    let made = shop.post_keyed(SUBSCRIPTIONS, "key-1", &form).await;
    assert_eq!((made.status, made.text("/status")), (200, "active".to_owned()), "{made:#?}");
    let item = &made.body["items"]["data"][0];
    assert_eq!((&item["quantity"], &item["price"]["unit_amount"]), (&json!(3), &json!(2_000)));
    assert_eq!(item["price"]["product"], catalogue.product.as_str());
    assert_eq!(item["subscription"], made.id());
    let days = item["current_period_end"].as_i64().expect("an end") - made.body["created"].as_i64().expect("a time");
    assert!((28 * 86_400..=31 * 86_400).contains(&days), "{days}");
    assert_eq!(shop.post_keyed(SUBSCRIPTIONS, "key-1", &form).await.body, made.body);
    assert_eq!(shop.get(&format!("{SUBSCRIPTIONS}/{}", made.id())).await.body, made.body);
    let events = shop.events().await;
    assert_eq!(events.last().map(String::as_str), Some("customer.subscription.created"), "{events:?}");
    for (wrong, status) in [
        ("customer=cus_no&items[0][price]=price_no".to_owned(), 400),
        (format!("customer={}", catalogue.customer), 400),
        (format!("customer={}&items[0][price]=price_no", catalogue.customer), 400),
        (format!("{form}&colour=red"), 400),
        (format!("{form}&expand[]=customer"), 400),
    ] {
        assert_eq!(shop.post(SUBSCRIPTIONS, &wrong).await.status, status, "{wrong}");
    }
}

#[tokio::test]
async fn items_beyond_ten_have_a_list_of_their_own() {
    let shop = Shop::open(Config::default()).await;
    let catalogue = Catalogue::of(&shop).await;
    let items: Vec<String> = (0..12).map(|n| format!("items[{n}][price]={}", catalogue.monthly)).collect();
    let form = format!("customer={}&{}", catalogue.customer, items.join("&"));
    let made = shop.post(SUBSCRIPTIONS, &form).await;
    assert_eq!(made.body["items"]["has_more"], true);
    let nested: Vec<Value> = made.body["items"]["data"].as_array().cloned().unwrap_or_default();
    assert_eq!(nested.len(), 10);
    let url = made.text("/items/url");
    let first = shop.ids(&format!("{url}&limit=10")).await;
    assert_eq!(first.last().map(String::as_str), nested[9]["id"].as_str());
    let rest = shop.get(&format!("{url}&limit=10&starting_after={}", first[9])).await;
    assert_eq!((rest.body["data"].as_array().map(Vec::len), &rest.body["has_more"]), (Some(2), &json!(false)));
    let first = shop.ids(&format!("{url}&ending_before={}", rest.text("/data/0/id"))).await;
    assert_eq!(first.len(), 10);
    for wrong in ["/v1/subscription_items", "/v1/subscription_items?subscription=sub_no"] {
        assert_eq!(shop.get(wrong).await.status, 400, "{wrong}");
    }
    assert_eq!(shop.get(&format!("{url}&created=1")).await.status, 400);
}

#[tokio::test]
async fn a_merchant_changes_and_cancels() {
    let shop = Shop::open(Config::default()).await;
    let catalogue = Catalogue::of(&shop).await;
    let made = shop.post(SUBSCRIPTIONS, &catalogue.subscription()).await;
    let path = format!("{SUBSCRIPTIONS}/{}", made.id());
    let item = made.text("/items/data/0/id");
    let form = format!("items[0][id]={item}&items[0][price]={}&metadata[plan]=yearly", catalogue.yearly);
    let changed = shop.post(&path, &form).await;
    assert_eq!(changed.text("/items/data/0/price/id"), catalogue.yearly);
    assert_eq!((changed.text("/items/data/0/id"), changed.text("/metadata/plan")), (item, "yearly".to_owned()));
    let ending = shop.post(&path, "cancel_at_period_end=true").await;
    assert_eq!(ending.body["cancel_at"], ending.body["items"]["data"][0]["current_period_end"]);
    assert!(ending.body["canceled_at"].is_i64() && ending.body["status"] == "active", "{ending:#?}");
    let going_on = shop.post(&path, "cancel_at_period_end=false").await;
    assert!(going_on.body["cancel_at"].is_null() && going_on.body["canceled_at"].is_null());
    let paused = shop.post(&path, "pause_collection[behavior]=void").await;
    assert_eq!((paused.text("/pause_collection/behavior"), paused.text("/status")), ("void".into(), "active".into()));
    assert!(shop.post(&path, "pause_collection=").await.body["pause_collection"].is_null());
    let ended = delete(&shop, &path).await;
    assert_eq!((ended.text("/status"), ended.body["ended_at"].is_i64()), ("canceled".to_owned(), true));
    // The end is for ever, but it can be told why.
    assert_eq!(delete(&shop, &path).await.status, 404);
    assert_eq!(shop.post(&path, "cancel_at_period_end=true").await.status, 400);
    assert_eq!(shop.post(&path, "metadata[why]=moved").await.text("/metadata/why"), "moved");
    assert_eq!(shop.get(&path).await.text("/status"), "canceled");
    let events = shop.ids("/v1/events?type=customer.subscription.deleted").await;
    let event = shop.get(&format!("/v1/events/{}", events[0])).await;
    assert_eq!((events.len(), event.text("/data/object/status")), (1, "canceled".to_owned()));
}

#[tokio::test]
async fn lists_hide_what_is_canceled_unless_they_are_asked() {
    let shop = Shop::open(Config::default()).await;
    let catalogue = Catalogue::of(&shop).await;
    let active = shop.post(SUBSCRIPTIONS, &catalogue.subscription()).await.id();
    let form = format!("customer={}&items[0][price]={}", catalogue.customer, catalogue.yearly);
    let yearly = shop.post(SUBSCRIPTIONS, &format!("{form}&trial_period_days=7")).await.id();
    let incomplete = shop.post(SUBSCRIPTIONS, &format!("{form}&payment_behavior=default_incomplete")).await.id();
    let canceled = shop.post(SUBSCRIPTIONS, &catalogue.subscription()).await.id();
    delete(&shop, &format!("{SUBSCRIPTIONS}/{canceled}")).await;
    let list = async |query: &str| shop.ids(&format!("{SUBSCRIPTIONS}?{query}")).await;
    assert_eq!(list("").await, [&*incomplete, &yearly, &active]);
    assert_eq!(list("status=all").await, [&*canceled, &incomplete, &yearly, &active]);
    assert_eq!(list("status=canceled").await, [&*canceled]);
    assert_eq!(list("status=ended").await, [&*canceled]);
    assert_eq!(list("status=trialing").await, [&*yearly]);
    assert_eq!(list(&format!("price={}", catalogue.yearly)).await, [&*incomplete, &yearly]);
    assert_eq!(list(&format!("customer={}&limit=1", catalogue.customer)).await, [&*incomplete]);
    assert!(list("customer=cus_no").await.is_empty());
    let page = shop.get(&format!("{SUBSCRIPTIONS}?limit=1&starting_after={incomplete}")).await;
    assert_eq!((page.text("/data/0/id"), &page.body["has_more"]), (yearly, &json!(true)));
    for wrong in ["status=great", "limit=0", "starting_after=sub_no", "created[around]=1"] {
        assert_eq!(shop.get(&format!("{SUBSCRIPTIONS}?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn the_subscriptions_of_a_deleted_customer_are_canceled() {
    let shop = Shop::open(Config::default()).await;
    let catalogue = Catalogue::of(&shop).await;
    let theirs = shop.post(SUBSCRIPTIONS, &catalogue.subscription()).await.id();
    let path = format!("/v1/customers/{}", catalogue.customer);
    let deleted = json!({"id": catalogue.customer, "object": "customer", "deleted": true});
    assert_eq!(delete(&shop, &path).await.body, deleted);
    assert_eq!(shop.get(&path).await.body, deleted);
    assert!(shop.ids("/v1/customers").await.is_empty());
    assert_eq!(shop.get(&format!("{SUBSCRIPTIONS}/{theirs}")).await.text("/status"), "canceled");
    assert_eq!(shop.ids(&format!("{SUBSCRIPTIONS}?status=canceled")).await, [theirs]);
    let events = shop.events().await;
    assert_eq!(events[events.len() - 2..], ["customer.subscription.deleted", "customer.deleted"]);
    assert_eq!(shop.post(SUBSCRIPTIONS, &catalogue.subscription()).await.status, 400);
}

#[tokio::test]
async fn the_provider_moves_a_subscription_and_tells_of_it() {
    let shop = Shop::open(Config::default()).await;
    let catalogue = Catalogue::of(&shop).await;
    let id = shop.post(SUBSCRIPTIONS, &catalogue.subscription()).await.id();
    let change = async |body: Value| shop.control(&format!("subscriptions/{id}"), body).await;
    for status in ["trialing", "incomplete", "past_due", "unpaid", "paused", "active"] {
        assert_eq!(change(json!({"status": status})).await.text("/status"), status);
        assert_eq!(shop.ids(&format!("{SUBSCRIPTIONS}?status={status}")).await, [&*id]);
    }
    let renewed = json!({"current_period_start": 100, "current_period_end": 200, "price": catalogue.yearly});
    let renewed = change(renewed).await;
    assert_eq!(renewed.body["items"]["data"][0]["current_period_end"], 200);
    assert_eq!(renewed.text("/items/data/0/price/id"), catalogue.yearly);
    let ended = change(json!({"status": "canceled", "metadata": {"why": "dunning"}})).await;
    assert_eq!(
        (ended.text("/status"), ended.text("/cancellation_details/reason")),
        ("canceled".into(), "payment_failed".into())
    );
    let events = shop.events().await;
    let count = |wanted: &str| events.iter().filter(|kind| *kind == wanted).count();
    assert_eq!(count("customer.subscription.updated"), 7, "{events:?}");
    assert_eq!((count("customer.subscription.paused"), count("customer.subscription.resumed")), (1, 1));
    assert_eq!(events.last().map(String::as_str), Some("customer.subscription.deleted"));
    let event = shop.get("/v1/events?limit=1").await;
    // Nobody asked for it.
    assert!(event.body["data"][0]["request"]["id"].is_null());
    for wrong in [json!({"status": "active"}), json!({"status": "late"}), json!({"price": "price_no"}), json!({"x": 1})]
    {
        assert_eq!(change(wrong).await.status, 400);
    }
    assert_eq!(shop.control("subscriptions/sub_no", json!({"status": "active"})).await.status, 404);
}

#[tokio::test]
async fn products_and_prices_change() {
    let shop = Shop::open(Config::default()).await;
    let catalogue = Catalogue::of(&shop).await;
    let product = format!("/v1/products/{}", catalogue.product);
    let form = format!("active=false&metadata[tier]=1&default_price={}", catalogue.yearly);
    let changed = shop.post(&product, &form).await;
    assert_eq!((&changed.body["active"], changed.text("/metadata/tier")), (&json!(false), "1".to_owned()));
    assert_eq!(shop.get(&product).await.body, changed.body);
    assert!(shop.ids("/v1/products?active=true").await.is_empty());
    assert_eq!(shop.ids("/v1/products?active=false").await, [&*catalogue.product]);
    shop.post(&format!("/v1/prices/{}", catalogue.monthly), "active=false&nickname=old").await;
    let query = format!("/v1/prices?product={}", catalogue.product);
    assert_eq!(shop.ids(&query).await, [&*catalogue.yearly, &catalogue.monthly]);
    assert_eq!(shop.ids(&format!("{query}&active=true")).await, [&*catalogue.yearly]);
    assert!(shop.ids("/v1/prices?product=prod_no").await.is_empty());
    assert_eq!(shop.post(SUBSCRIPTIONS, &catalogue.subscription()).await.status, 400);
    let once = shop.post("/v1/prices", "currency=eur&unit_amount=5&product_data[name]=Sticker").await;
    assert_eq!((once.text("/type"), once.body["recurring"].is_null()), ("one_time".to_owned(), true));
    assert_eq!(shop.ids("/v1/prices?type=one_time").await, [once.id()]);
    let form = format!("customer={}&items[0][price]={}", catalogue.customer, once.id());
    assert_eq!(shop.post(SUBSCRIPTIONS, &form).await.status, 400);
    for (path, wrong) in [
        ("/v1/products", "description=nameless"),
        ("/v1/prices", "currency=usd&unit_amount=1&product=prod_no"),
        ("/v1/prices", "currency=usd&unit_amount=-1&product_data[name]=x"),
        (
            "/v1/prices",
            "currency=usd&unit_amount=1&product_data[name]=x&recurring[interval]=month&recurring[interval_count]=37",
        ),
    ] {
        assert_eq!(shop.post(path, wrong).await.status, 400, "{wrong}");
    }
}
