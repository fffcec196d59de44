//! A shop that charges through Quittance, with reqwest.
//!
//!     QUITTANCE_URL=http://127.0.0.1:8080 QUITTANCE_KEY=qk_test_… cargo run -p quittance --example client

use anyhow::{Context, Result, bail, ensure};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::time::Duration;

/// What says nothing about whether it happened: the same request again, under the same key.
const TRY_AGAIN: [u16; 6] = [408, 429, 500, 502, 503, 504];
const TRIES_MAX: u32 = 8;
const TIMEOUT: Duration = Duration::from_secs(70);
const FINAL: [&str; 6] = ["succeeded", "failed", "canceled", "requires_capture", "requires_action", "review"];

struct Quittance {
    client: Client,
    url: String,
    secret: String,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    /// Where what was made is, or the command that makes it.
    fn place(&self) -> Result<&str> {
        Ok(self.headers.get("Location").context("where to look")?.to_str()?)
    }
}

/// A request that makes something. It is the same with every try.
struct Post<'a> {
    path: &'a str,
    body: &'a Value,
    key: String,
    prefer: Option<&'a str>,
    first_timeout: Duration,
}

impl Quittance {
    /// Sends once. A refusal is an answer; an error says that none came.
    async fn send(&self, method: Method, path: &str, post: Option<&Post<'_>>, timeout: Duration) -> Result<Answer> {
        let mut request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.secret);
        if let Some(post) = post {
            request = request.header("Idempotency-Key", &post.key).json(post.body);
            if let Some(prefer) = post.prefer {
                request = request.header("Prefer", prefer);
            }
        }
        let answer = request.timeout(timeout).send().await?;
        Ok(Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body: answer.json().await? })
    }

    async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, None, TIMEOUT).await
    }

    /// Posts until there is an answer that says something.
    async fn post(&self, post: Post<'_>) -> Result<Answer> {
        let mut timeout = post.first_timeout;
        for attempt in 0..TRIES_MAX {
            let mut pause = Duration::from_millis((200 << attempt).min(10_000));
            match self.send(Method::POST, post.path, Some(&post), timeout).await {
                Ok(answer) if !TRY_AGAIN.contains(&answer.status) => return Ok(answer),
                Ok(answer) => pause = retry_after(&answer.headers).unwrap_or(pause),
                Err(error) => println!("  no answer to {} ({error}): the same again", post.key),
            }
            tokio::time::sleep(pause).await;
            timeout = TIMEOUT;
        }
        bail!("no answer to {}; what became of it is told by the same request, whenever it is sent", post.key)
    }

    /// What is there, once its outcome is known. `unknown` is being found out: it is not `failed`.
    async fn settled(&self, path: &str) -> Result<Value> {
        let mut path = path.to_owned();
        for _ in 0..100 {
            let Answer { status, headers, body } = self.get(&path).await?;
            if status == 200 && body["status"].as_str().is_some_and(|status| FINAL.contains(&status)) {
                return Ok(body);
            }
            // A command says what it made as soon as that is there.
            if let Some(resource) = body["resource"].as_str() {
                path = resource.to_owned();
            }
            tokio::time::sleep(retry_after(&headers).unwrap_or(Duration::from_millis(200))).await;
        }
        bail!("{path} is not settled yet: look again later, or wait for its webhook")
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get("Retry-After")?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

fn plain<'a>(path: &'a str, body: &'a Value, key: String) -> Post<'a> {
    Post { path, body, key, prefer: None, first_timeout: TIMEOUT }
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "an example is told by the environment where the server is")]
async fn main() -> Result<()> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let variable = |name: &str| std::env::var(name).with_context(|| format!("set {name}"));
    let order = variable("ORDER").unwrap_or_else(|_| "rust-1001".to_owned());
    let shop = Quittance { client: Client::new(), url: variable("QUITTANCE_URL")?, secret: variable("QUITTANCE_KEY")? };

    // The keys are made of what the order is called, so that whoever comes back after a crash makes the same ones.
    let customer = json!({ "external_id": format!("customer-{order}") });
    let made = shop.post(plain("/v1/customers", &customer, format!("customer-{order}"))).await?;
    ensure!(made.status == 201, "{}", made.body);

    // The answer to the first try is lost: it is given a millisecond. The retry is not a second charge.
    let charge = json!({
        "customer": format!("customer-{order}"), "amount": 1999, "currency": "USD", "gateway": "sandbox",
        "payment_method": "pm_card_visa", "reference": order,
    });
    let hasty =
        Post { first_timeout: Duration::from_millis(1), ..plain("/v1/payments", &charge, format!("pay-{order}")) };
    let paid = shop.post(hasty).await?;
    let payment = shop.settled(paid.place()?).await?;
    let id = payment["id"].as_str().context("a payment has an id")?;
    ensure!(payment["status"] == "succeeded", "{payment}");
    let again = shop.post(plain("/v1/payments", &charge, format!("pay-{order}"))).await?;
    ensure!(again.body["id"] == id, "{}", again.body);
    println!("  {order}: {id} {}, {} {}", payment["status"], payment["captured_amount"], payment["currency"]);

    // Who does not wait gets 202, and looks where `Location` says.
    let mut later = charge.clone();
    later["reference"] = json!(format!("{order}-later"));
    let post = Post { prefer: Some("respond-async"), ..plain("/v1/payments", &later, format!("pay-{order}-later")) };
    let pending = shop.post(post).await?;
    ensure!(matches!(pending.status, 201 | 202), "{}", pending.body);
    let outcome = shop.settled(pending.place()?).await?;
    println!("  {order}-later: answered {}, then {}", pending.status, outcome["status"]);

    let mut refused = charge.clone();
    refused["reference"] = json!(format!("{order}-declined"));
    refused["payment_method"] = json!("pm_card_visa_chargeDeclined");
    let declined = shop.post(plain("/v1/payments", &refused, format!("pay-{order}-declined"))).await?;
    ensure!((declined.status, &declined.body["code"]) == (402, &json!("payment-declined")), "{}", declined.body);
    let why = &declined.body["payment"]["decline"]["code"];
    println!("  {order}-declined: {why}, and nothing can charge it any more");

    // A refund has a name of its own, so that the same one is never given twice.
    let back = json!({ "payment": id, "amount": 500, "reference": format!("return-{order}") });
    let refund = shop.post(plain("/v1/refunds", &back, format!("refund-{order}"))).await?;
    ensure!(matches!(refund.status, 201 | 202), "{}", refund.body);
    let Answer { body: refund, .. } = refund;
    println!("  return-{order}: {} {} given back, {}", refund["amount"], refund["currency"], refund["status"]);

    // Everything that happened, from the request to the gateway's answer.
    let trace = shop.get(&format!("/v1/trace/{id}")).await?;
    ensure!(trace.status == 200, "{}", trace.body);
    let stories = trace.body["stories"].as_array().into_iter().flatten();
    let lines: Vec<&Value> = stories.flat_map(|story| story["lines"].as_array().into_iter().flatten()).collect();
    let (first, last) = lines.first().zip(lines.last()).context("something happened")?;
    println!("  the story of {id}: {} events, from {} to {}", lines.len(), first["event"], last["event"]);
    Ok(())
}
