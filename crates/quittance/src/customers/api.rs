//! Our own API, asked as any client asks it: under a key, again where the answer was lost, with patience where it is busy.

use crate::failure::{Exit, Failure};
use quittance_server::config::Secret;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Times one thing is asked.
const TRIES_MAX: u32 = 8;

/// Longest wait between two tries, in seconds.
const WAIT_S_MAX: u64 = 30;

/// Customers of a page.
const PAGE: usize = 100;

/// A server, and who asks.
pub(super) struct Api {
    client: Client,
    base: String,
    secret: Secret,
}

impl Api {
    pub(super) fn new(base: &str, secret: Secret) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { client, base: base.trim_end_matches('/').to_owned(), secret })
    }

    /// Every customer that has an id at a gateway, by that id.
    pub(super) async fn known(&self, gateway: &str) -> Result<BTreeMap<String, String>, Failure> {
        let (mut known, mut cursor) = (BTreeMap::new(), String::new());
        loop {
            let url = format!("{}/v1/customers?limit={PAGE}{cursor}", self.base);
            let (status, page) = self.insist(|| self.client.get(&url)).await?;
            if status != 200 {
                return Err(refused(status, &page));
            }
            for row in page["data"].as_array().into_iter().flatten() {
                if let (Some(theirs), Some(ours)) = (row["gateway_ids"][gateway].as_str(), row["id"].as_str()) {
                    known.insert(theirs.to_owned(), ours.to_owned());
                }
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(known),
            }
        }
    }

    /// Asks for a customer to be made; the answer, whatever it says about that.
    ///
    /// # Errors
    ///
    /// Where there is no answer, or it is about who asks.
    pub(super) async fn create(&self, key: &str, body: &Value) -> Result<(u16, Value), Failure> {
        let url = format!("{}/v1/customers", self.base);
        let (status, told) = self.insist(|| self.client.post(&url).header("Idempotency-Key", key).json(body)).await?;
        if matches!(status, 401 | 403) { Err(refused(status, &told)) } else { Ok((status, told)) }
    }

    /// Asks until there is an answer that asking again would not change.
    async fn insist(&self, request: impl Fn() -> RequestBuilder) -> Result<(u16, Value), Failure> {
        let mut last = None;
        for tried in 0..TRIES_MAX {
            match request().bearer_auth(self.secret.expose()).send().await {
                Ok(answer) => {
                    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
                    let told: Value = answer.json().await.unwrap_or_default();
                    let is_passing = matches!(status, 202 | 429 | 500..) || told["code"] == "idempotency-in-progress";
                    if !is_passing {
                        return Ok((status, told));
                    }
                    let after = headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
                    last = Some(refused(status, &told));
                    rest(after.unwrap_or(1 << tried.min(5))).await;
                }
                Err(error) => {
                    let remedy = "look whether the server runs there (--url), and run it again: nothing is made twice";
                    let what = format!("no answer from {}", self.base);
                    last = Some(Failure::new(Exit::Unreachable, what, remedy).because(error));
                    rest(1 << tried.min(3)).await;
                }
            }
        }
        Err(last.unwrap_or_else(|| Failure::new(Exit::Unreachable, "nothing was asked", "")))
    }
}

async fn rest(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds.min(WAIT_S_MAX))).await;
}

fn refused(status: u16, told: &Value) -> Failure {
    let detail = told["detail"].as_str().or(told["title"].as_str()).unwrap_or("and says nothing more");
    let (exit, remedy) = match status {
        401 | 403 => (Exit::Usage, "name a credential of scope write with --key (`quittance key create`)"),
        _ => (Exit::Unreachable, "run it again later: nothing is made twice"),
    };
    Failure::new(exit, format!("the server answers {status}: {detail}"), remedy)
}
