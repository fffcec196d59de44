//! Owns: the two sides that are compared: subscriptions at a sandbox gateway, which sends no webhook anywhere, and their copy
//! in a table. Does not own: what is measured.

use crate::demo::api;
use crate::demo::gateway::{API_KEY, Gateway};
use anyhow::{Context, Result};
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// When the first subscription was made: 2026-01-01.
const BEGIN_S: u64 = 1_767_225_600;

/// Subscriptions that are handed to the gateway at once.
const PORTION: u64 = 10_000;

/// Both sides; the gateway ends when this is dropped.
pub(super) struct Shop {
    gateway: Gateway,
    table: Connection,
    folder: PathBuf,
}

impl Shop {
    /// Two sides that agree, with so many subscriptions.
    pub(super) async fn open(folder: &Path, records: u64) -> Result<Self> {
        let gateway = Gateway::start(api::client()?, 1).await?;
        let table = Connection::open(folder.join("app.db")).context("the table cannot be made")?;
        let shop = Self { gateway, table, folder: folder.to_owned() };
        shop.gateway
            .hand(
                "seed",
                &json!({
                    "products": [{"id": "prod_bench"}],
                    "prices": [{"id": "price_bench", "product": "prod_bench", "currency": "usd", "unit_amount": 900}],
                }),
            )
            .await?;
        for from in (0..records).step_by(PORTION as usize) {
            shop.seed(from..records.min(from + PORTION)).await?;
        }
        shop.fill(records)?;
        Ok(shop)
    }

    async fn seed(&self, numbers: std::ops::Range<u64>) -> Result<()> {
        let customer = |number: u64| json!({"id": format!("cus_{number:06}"), "created": BEGIN_S});
        let subscription = |number: u64| {
            json!({
                "id": id(number), "customer": format!("cus_{number:06}"), "price": "price_bench", "status": "active",
                "created": BEGIN_S + number,
            })
        };
        let customers: Vec<Value> = numbers.clone().map(customer).collect();
        let subscriptions: Vec<Value> = numbers.map(subscription).collect();
        self.gateway.hand("seed", &json!({"customers": customers, "subscriptions": subscriptions})).await
    }

    fn fill(&self, records: u64) -> Result<()> {
        self.table.execute_batch(
            "PRAGMA journal_mode = WAL;
             CREATE TABLE accounts (id TEXT PRIMARY KEY, status TEXT NOT NULL);
             BEGIN",
        )?;
        let mut insert = self.table.prepare("INSERT INTO accounts VALUES (?1, 'active')")?;
        for number in 0..records {
            insert.execute(params![id(number)])?;
        }
        Ok(self.table.execute_batch("COMMIT")?)
    }

    /// A pair that is compared again so many seconds after the last time.
    pub(super) fn configuration(&self, every_s: u64) -> Result<String> {
        let key = self.folder.join("key");
        std::fs::write(&key, API_KEY).context("the gateway's key cannot be written")?;
        Ok(format!(
            r#"
[systems.app]
kind = "sqlite"
path = "{app}"
writable = true
[systems.billing]
kind = "stripe"
api_base = "{base}"
api_key = "file:{key}"
requests_per_second_max = 1000
[pairs.bench]
schedule = "every {every_s}s"
settle = "100ms"
apply = "auto"
take_away = "apply"
silence = "off"
left = {{ system = "app", table = "accounts" }}
right = {{ system = "billing", object = "subscription" }}
match = [ {{ left = "id", right = "id" }} ]
fields = [ {{ left = "status", right = "status", authority = "right" }} ]
"#,
            app = self.folder.join("app.db").display(),
            base = self.gateway.base,
            key = key.display(),
        ))
    }

    /// Changes a subscription at the gateway.
    pub(super) async fn change(&self, number: u64) -> Result<()> {
        self.gateway.hand(&format!("subscriptions/{}", id(number)), &json!({"status": "past_due"})).await
    }

    /// Whether the table holds what was changed.
    pub(super) fn says(&self, number: u64) -> Result<bool> {
        let mut query = self.table.prepare_cached("SELECT status = 'past_due' FROM accounts WHERE id = ?1")?;
        Ok(query.query_row(params![id(number)], |row| row.get(0))?)
    }
}

fn id(number: u64) -> String {
    format!("sub_{number:06}")
}
