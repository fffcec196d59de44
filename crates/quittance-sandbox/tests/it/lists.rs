//! Owns: paging and filters of the lists. Does not own: the objects in them.

use quittance_sandbox::Config;
use serde_json::Value;

use crate::shop::{Answer, CHARGE, Shop};

fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{answer:#?}");
    assert_eq!(answer.text("/object"), "list");
    let data = answer.body["data"].as_array().into_iter().flatten();
    data.filter_map(|object| object["id"].as_str()).map(str::to_owned).collect()
}

#[tokio::test]
async fn intents_page_newest_first_without_gaps() {
    let shop = Shop::open(Config::default()).await;
    let mut made = Vec::new();
    for _ in 0..25 {
        made.push(shop.post("/v1/payment_intents", CHARGE).await.id());
    }
    made.reverse();
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = shop.get(&format!("/v1/payment_intents?limit=10{after}")).await;
        seen.extend(ids(&page));
        after = format!("&starting_after={}", seen.last().expect("a page with an entry"));
        if page.body["has_more"] == Value::Bool(false) {
            break;
        }
    }
    assert_eq!(seen, made);
    let before = shop.get(&format!("/v1/payment_intents?limit=3&ending_before={}", made[10])).await;
    assert_eq!(ids(&before), made[7..10]);
    assert_eq!(before.body["has_more"], true);
    for wrong in ["limit=0", "limit=101", "limit=x", "starting_after=pi_no", "colour=red"] {
        assert_eq!(shop.get(&format!("/v1/payment_intents?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn lists_filter_by_customer_intent_time_and_type() {
    let shop = Shop::open(Config::default()).await;
    let customer = shop.post("/v1/customers", "email=a@example.com").await.id();
    let theirs = shop.post("/v1/payment_intents", &format!("{CHARGE}&customer={customer}")).await;
    let other = shop.post("/v1/payment_intents", CHARGE).await;
    let created = theirs.body["created"].as_i64().expect("a time");
    let list = async |path: String| ids(&shop.get(&path).await);
    assert_eq!(list(format!("/v1/payment_intents?customer={customer}")).await, [theirs.id()]);
    assert_eq!(list(format!("/v1/charges?customer={customer}")).await, [theirs.text("/latest_charge")]);
    assert_eq!(list(format!("/v1/charges?payment_intent={}", other.id())).await, [other.text("/latest_charge")]);
    assert!(list(format!("/v1/payment_intents?created[lt]={created}")).await.is_empty());
    assert!(list(format!("/v1/payment_intents?created[gte]={created}")).await.contains(&theirs.id()));
    assert!(list(format!("/v1/payment_intents?created[gt]={}", created + 600)).await.is_empty());
    assert!(list(format!("/v1/payment_intents?created={created}")).await.contains(&theirs.id()));
    assert_eq!(list("/v1/customers?email=a@example.com".to_owned()).await, [customer]);
    assert_eq!(list("/v1/events?type=charge.succeeded".to_owned()).await.len(), 2);
    assert_eq!(list("/v1/events?type=payment_intent.*".to_owned()).await.len(), 4);
    let types = "types[]=customer.created&types[]=payment_intent.created";
    assert_eq!(list(format!("/v1/events?{types}&limit=100")).await.len(), 3);
    let event = list("/v1/events?limit=1".to_owned()).await;
    let event = shop.get(&format!("/v1/events/{}", event[0])).await;
    assert_eq!(event.text("/data/object/id"), other.id());
}
