//! Owns: the gateway beside the demo, seeded with subscriptions, and what its other customers, banks and clock do. Does
//! not own: what happens to which subscription (`script`).

use super::script::{Change, PRICES, Script, customer, id};
use crate::demo::api;
use crate::demo::gateway::Gateway;
use anyhow::Result;
use serde_json::{Value, json};
use std::ops::Deref;

/// The variable that holds the gateway's credential for our program.
pub(super) const API_KEY_VARIABLE: &str = "QUITTANCE_DEMO_STRIPE_KEY";

/// When the first subscription was made: 2026-01-01.
const BEGIN_S: u64 = 1_767_225_600;

/// A running gateway.
pub(super) struct Provider {
    gateway: Gateway,
}

impl Deref for Provider {
    type Target = Gateway;

    fn deref(&self) -> &Gateway {
        &self.gateway
    }
}

impl Provider {
    /// Starts a gateway that behaves.
    pub(super) async fn start(seed: u64) -> Result<Self> {
        Ok(Self { gateway: Gateway::start(api::client()?, seed).await? })
    }

    /// Gives it its customers and their subscriptions.
    pub(super) async fn seed(&self, script: &Script) -> Result<()> {
        let prices = PRICES
            .map(|(id, amount)| json!({"id": id, "product": "prod_app", "currency": "usd", "unit_amount": amount}));
        let numbers = script.subscriptions().iter().map(|one| one.number);
        let customers: Vec<Value> = numbers
            .map(|number| json!({"id": customer(number), "email": format!("customer{number}@example.org"), "created": BEGIN_S}))
            .collect();
        let subscription = |one: &super::script::Subscription| {
            json!({
                "id": id(one.number), "customer": customer(one.number), "price": one.price, "status": one.status,
                "created": BEGIN_S + one.number * 60,
            })
        };
        let subscriptions: Vec<Value> = script.subscriptions().iter().map(subscription).collect();
        let body = json!({
            "products": [{"id": "prod_app"}], "prices": prices, "customers": customers, "subscriptions": subscriptions,
        });
        self.hand("seed", &body).await
    }

    /// Makes changes happen, one after the other.
    pub(super) async fn change(&self, changes: &[Change]) -> Result<()> {
        for change in changes {
            match change {
                Change::Status { id, status } => {
                    self.hand(&format!("subscriptions/{id}"), &json!({"status": status})).await?;
                }
                Change::Price { id, price } => {
                    self.hand(&format!("subscriptions/{id}"), &json!({"price": price})).await?;
                }
                Change::New { number } => {
                    let body = json!({
                        "customers": [{"id": customer(*number)}],
                        "subscriptions": [{"id": id(*number), "customer": customer(*number), "price": PRICES[0].0}],
                        "events": true,
                    });
                    self.hand("seed", &body).await?;
                }
            }
        }
        Ok(())
    }

    /// From now on webhooks are lost, or not any more.
    pub(super) async fn lose_webhooks(&self, lose: bool) -> Result<()> {
        self.hand("webhooks", &json!({"lose": lose})).await
    }

    /// Lets time go by.
    pub(super) async fn advance(&self, seconds: u64) -> Result<()> {
        self.hand("clock", &json!({"advance_s": seconds})).await
    }
}
