//! Reads of refunds: one by its id, lists with filters and pages, and nothing of another tenant's.

use super::app::{STRANGER, bearer};
use super::call::{Answer, Call};
use super::reads::pages;
use super::shop::{REFUNDS, Shop};

async fn as_stranger(shop: &Shop, path: &str) -> Answer {
    shop.app.send(Call::new("GET", path).header("authorization", &bearer(STRANGER))).await
}

/// Two payments, with refunds `a` to `e`; `c` is pending, and `a` is of both.
async fn shop() -> (Shop, [Answer; 2]) {
    let shop = Shop::open().await;
    let paid = [shop.pay("order-1").await, shop.pay_with("order-2", "pm_card_pendingRefund").await];
    for (number, of, reference) in [(1, 0, "a"), (2, 0, "b"), (3, 1, "c"), (4, 0, "d"), (5, 1, "a"), (6, 0, "e")] {
        let members = format!(r#""amount": {number}, "reference": "{reference}""#);
        shop.refund(&paid[of], &format!("r{number}"), &members).await.expect(201, "");
    }
    (shop, paid)
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_are_listed_newest_first_under_every_filter() {
    let (shop, [first, second]) = shop().await;
    let (first, second) = (first.text("/id"), second.text("/id"));
    for (filter, expected) in [
        ("limit=2".to_owned(), vec!["e", "a", "d", "c", "b", "a"]),
        ("limit=6".to_owned(), vec!["e", "a", "d", "c", "b", "a"]),
        (format!("limit=1&payment={first}"), vec!["e", "d", "b", "a"]),
        (format!("limit=3&payment={second}"), vec!["a", "c"]),
        ("limit=1&status=pending".to_owned(), vec!["a", "c"]),
        ("limit=5&status=review".to_owned(), vec![]),
        ("limit=1&reference=a".to_owned(), vec!["a", "a"]),
        ("limit=1&reference=a&status=pending".to_owned(), vec!["a"]),
        (format!("limit=1&reference=a&payment={first}"), vec!["a"]),
        (format!("limit=1&status=pending&payment={first}"), vec![]),
        ("limit=5&reference=nothing".to_owned(), vec![]),
    ] {
        assert_eq!(pages(&shop.app, &format!("{REFUNDS}?{filter}"), "reference").await, expected, "{filter}");
    }
    let cursor = shop.app.get(&format!("{REFUNDS}?limit=1")).await.text("/next_cursor");
    for other in ["refunds?status=pending&", "payments?", &format!("refunds?payment={first}&")] {
        shop.app.get(&format!("/v1/{other}limit=1&cursor={cursor}")).await.expect(400, "cursor-invalid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_of_other_tenants_are_not_found() {
    let (shop, [first, _]) = shop().await;
    let refund = shop.app.get(&format!("{REFUNDS}?limit=1")).await.text("/data/0/id");
    let command = shop.app.get(&format!("{REFUNDS}/{refund}")).await.expect(200, "").text("/command_id");
    as_stranger(&shop, &format!("{REFUNDS}/{refund}")).await.expect(404, "not-found");
    as_stranger(&shop, &format!("{REFUNDS}?payment={}", first.text("/id"))).await.expect(404, "not-found");
    as_stranger(&shop, &format!("/v1/commands/{command}")).await.expect(404, "not-found");
    for id in [refund.as_str(), "a", "r1"] {
        as_stranger(&shop, &format!("/v1/trace/{id}")).await.expect(404, "not-found");
    }
    for filter in ["", "?reference=a", "?status=pending"] {
        assert_eq!(as_stranger(&shop, &format!("{REFUNDS}{filter}")).await.expect(200, "").text("/data"), "[]");
    }
}
