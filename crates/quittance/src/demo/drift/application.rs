//! Owns: the application whose database drifts: a table of subscriptions in SQLite, and the endpoint that changes it when
//! a webhook comes. Does not own: anything of Quittance; it is what a shop would have written.

use super::script::{ORPHANS, Script, customer, here, id, orphan};
use crate::demo::gateway::WEBHOOK_PATH;
use anyhow::{Context, Result, bail};
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use rusqlite::{Connection, params};
use serde_json::Value;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long the webhooks may take that are not lost.
const HEARING_MAX: Duration = Duration::from_secs(60);

/// The application; it ends when this is dropped.
pub(super) struct Application {
    table: Table,
    heard: watch::Sender<usize>,
}

#[derive(Clone)]
struct Table(Arc<Mutex<Connection>>);

#[derive(Clone)]
struct Endpoint {
    table: Table,
    heard: watch::Sender<usize>,
}

impl Application {
    /// An application that knows every subscription as it began.
    pub(super) fn open(file: &Path, script: &Script) -> Result<Self> {
        let mut connection = Connection::open(file).context("the application's database cannot be made")?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL;
             CREATE TABLE customer_accounts (
                 id INTEGER PRIMARY KEY,
                 email TEXT NOT NULL,
                 stripe_customer_id TEXT NOT NULL,
                 stripe_subscription_id TEXT,
                 subscription_status TEXT,
                 price TEXT,
                 updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
             );",
        )?;
        let transaction = connection.transaction()?;
        for one in script.subscriptions() {
            let status = here(one.status);
            insert(&transaction, &customer(one.number), &id(one.number), status, one.price)?;
        }
        transaction.commit()?;
        Ok(Self { table: Table(Arc::new(Mutex::new(connection))), heard: watch::channel(0).0 })
    }

    /// Listens for webhooks and says where.
    pub(super) async fn listen(&self) -> Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port for the application")?;
        let base = format!("http://{}", listener.local_addr().context("the application has no address")?);
        let endpoint = Endpoint { table: self.table.clone(), heard: self.heard.clone() };
        let routes = Router::new().route(WEBHOOK_PATH, post(take)).with_state(endpoint);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(base)
    }

    /// Waits until so many webhooks came.
    pub(super) async fn hear(&self, webhooks: usize) -> Result<()> {
        let mut heard = self.heard.subscribe();
        let all = heard.wait_for(|heard| *heard >= webhooks);
        match tokio::time::timeout(HEARING_MAX, all).await {
            Ok(_) => Ok(()),
            Err(_) => bail!("of {webhooks} webhooks {} came", *self.heard.borrow()),
        }
    }

    /// Writes rows for subscriptions that the gateway never made, as a crash between the two writes leaves them.
    pub(super) fn write_without_asking(&self, script: &Script) -> Result<()> {
        let connection = self.table.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = script.subscriptions().len() as u64;
        for number in 0..ORPHANS {
            insert(&connection, &format!("cus_never_{}", before + number), &orphan(number), "active", "price_basic")?;
        }
        Ok(())
    }
}

fn insert(connection: &Connection, customer: &str, subscription: &str, status: &str, price: &str) -> Result<()> {
    let email = format!("{customer}@example.org");
    connection.execute(
        "INSERT INTO customer_accounts (email, stripe_customer_id, stripe_subscription_id, subscription_status, price)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![email, customer, subscription, status, price],
    )?;
    Ok(())
}

/// What an application does with a webhook. That this one does not look at the signature is its affair.
async fn take(State(endpoint): State<Endpoint>, Json(event): Json<Value>) -> StatusCode {
    let object = &event["data"]["object"];
    if let (Some(id), Some(status)) = (object["id"].as_str(), object["status"].as_str())
        && object["object"] == "subscription"
    {
        let connection = endpoint.table.0.lock().unwrap_or_else(PoisonError::into_inner);
        let written = connection.execute(
            "UPDATE customer_accounts SET subscription_status = ?2, price = ?3, updated_at = CURRENT_TIMESTAMP
             WHERE stripe_subscription_id = ?1",
            params![id, here(status), object["items"]["data"][0]["price"]["id"].as_str()],
        );
        if written.is_err() {
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
    }
    endpoint.heard.send_modify(|heard| *heard += 1);
    StatusCode::OK
}
