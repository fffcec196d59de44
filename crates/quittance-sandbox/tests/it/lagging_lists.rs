//! Owns: lists that show late what was created. Does not own: pages that repeat or break off (`list_faults`).

use quittance_sandbox::Config;
use serde_json::json;

use crate::catalogue::Catalogue;
use crate::shop::Shop;

#[tokio::test]
async fn what_is_created_is_there_at_once_and_listed_some_requests_later() {
    let shop = Shop::open(Config::default()).await;
    let old = shop.post("/v1/customers", "name=Old").await.id();
    assert_eq!(shop.control("visibility", json!({"requests": 2})).await.status, 200);
    let new = shop.post("/v1/customers", "name=New").await.id();
    assert_eq!(shop.get(&format!("/v1/customers/{new}")).await.status, 200);
    let list = async || shop.ids("/v1/customers").await;
    assert_eq!(list().await, [&*old]);
    assert_eq!(list().await, [&*new, &old]);
    shop.post(&format!("/v1/customers/{new}"), "name=Newer").await;
    assert_eq!(list().await, [&*new, &old], "only what is created is late");
    shop.post("/v1/customers", "name=Newest").await;
    assert_eq!(list().await.len(), 2);
    assert_eq!(shop.control("visibility", json!({})).await.status, 200);
    assert_eq!(list().await.len(), 3, "all lists have caught up");
}

#[tokio::test]
async fn some_lists_can_be_late_by_the_gateways_clock() {
    let shop = Shop::open(Config::default()).await;
    let catalogue = Catalogue::of(&shop).await;
    let lag = json!({"seconds": 3_600, "lists": ["subscriptions"]});
    assert_eq!(shop.control("visibility", lag).await.status, 200);
    let made = shop.post("/v1/subscriptions", &catalogue.subscription()).await.id();
    assert!(shop.ids("/v1/subscriptions").await.is_empty());
    assert_eq!(shop.ids("/v1/events?type=customer.subscription.created").await.len(), 1);
    let query = format!("/v1/subscriptions?customer={}&status=all", catalogue.customer);
    assert!(shop.ids(&query).await.is_empty());
    // What is seeded has been there for long.
    let seed = json!({"subscriptions": [{"id": "sub_old", "customer": catalogue.customer, "price": catalogue.yearly}]});
    assert_eq!(shop.control("seed", seed).await.status, 200);
    assert_eq!(shop.ids(&query).await, ["sub_old"]);
    shop.control("clock", json!({"advance_s": 3_600})).await;
    assert_eq!(shop.ids(&query).await, ["sub_old".to_owned(), made]);
    for wrong in [json!({"lists": ["moons"]}), json!({"minutes": 1})] {
        assert_eq!(shop.control("visibility", wrong).await.status, 400);
    }
}
