//! End to end with the sandbox, of which no webhook ever comes: everything is learned all the same.

use super::app::{ADMIN, App, Place, WRITER, bearer, payment, post};
use super::call::{Answer, Call};
use super::webhooks::{deliver, sign};
use quittance_core::fact::ObjectKind;
use quittance_core::id::DiscrepancyId;
use quittance_core::time::Timestamp;
use quittance_sandbox::Sandbox;
use quittance_store::memory::MemoryDatabase;
use quittance_store::records::{Discrepancy, DiscrepancyKind, Entity, EventSource, InboxEntry, Sweep};
use quittance_store::store::{Change, Loaded, Read, Reader, Scan, Store, Work};
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Sweeps every second, and looks at what has succeeded a second later.
const EAGER: &str = "sweep_every_s = 1\nobject_sweep_every_s = 1\nsettle_after_s = 1\n";

async fn sandbox_at(address: SocketAddr) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind(address).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let sandbox = Sandbox::new(quittance_sandbox::Config::default());
    let task = tokio::spawn(async move { sandbox.serve(listener, pending()).await.expect("it serves") });
    (address, task)
}

fn anywhere() -> SocketAddr {
    "127.0.0.1:0".parse().expect("an address")
}

/// Asks the sandbox for something, as its gateway's operator or another application would.
async fn ask(sandbox: SocketAddr, method: &str, path: &str, body: &str) -> serde_json::Value {
    let media_type = if path.starts_with("/v1") { "application/x-www-form-urlencoded" } else { "application/json" };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\nauthorization: Bearer sk_test_1\r\n\
         content-type: {media_type}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(sandbox).await.expect("it listens");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

async fn start(database: &MemoryDatabase, sandbox: SocketAddr) -> App {
    App::start_configured(Place::Memory(database.clone()), sandbox, EAGER, "").await.with_alice().await
}

fn all<E: Entity>(database: &MemoryDatabase) -> Vec<E> {
    let rows = database.reader().scan(&Scan::forward(E::table(), Vec::new(), 10_000)).expect("readable");
    rows.iter().map(|row| E::from_row(row).expect("sound")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_webhook_everything_is_learned_by_the_sweep() {
    let (sandbox, _serving) = sandbox_at(anywhere()).await;
    let database = MemoryDatabase::new();
    let app = start(&database, sandbox).await;
    // A customer who authenticates, minutes before anybody would look by himself.
    let made = app.post("/v1/payments", "k1", &payment("order-1", "pm_card_authenticationRequired")).await;
    assert_eq!((made.status, made.text("/status")), (201, "requires_action".to_owned()));
    let intent = made.text("/gateway_id");
    ask(sandbox, "POST", &format!("/_sandbox/authenticate/{intent}"), r#"{"outcome": "succeed"}"#).await;
    app.until(&format!("/v1/payments/{}", made.text("/id")), |answer| answer.text("/status") == "succeeded").await;
    // A refund that the bank sends back.
    let paid = app.post("/v1/payments", "k2", &payment("order-2", "pm_card_visa")).await;
    let id = paid.text("/id");
    let body = format!(r#"{{"payment": "{id}", "amount": 700, "reference": "r-1"}}"#);
    let refund = app.post("/v1/refunds", "k3", &body).await;
    assert_eq!((refund.status, refund.text("/status")), (201, "succeeded".to_owned()));
    let object = refund.text("/gateway_id");
    ask(sandbox, "POST", &format!("/_sandbox/refunds/{object}/settle"), r#"{"outcome": "fail"}"#).await;
    app.until(&format!("/v1/refunds/{}", refund.text("/id")), |answer| answer.text("/status") == "failed").await;
    let payment = app.until(&format!("/v1/payments/{id}"), |answer| answer.text("/refunded_amount") == "0").await;
    assert_eq!(payment.text("/status"), "succeeded");
    let inbox = all::<InboxEntry>(&database);
    assert!(!inbox.is_empty() && inbox.iter().all(|entry| entry.source == EventSource::Sweep), "{inbox:?}");
    // A look at the object may have learned it before the event was swept.
    let is_told = |answer: &Answer| {
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        text.contains("event_swept") && text.contains("\"corrected\"")
    };
    app.until(&format!("/v1/trace/{id}"), is_told).await;
    app.runtime.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_does_at_the_gateway_is_said_and_touches_nothing() {
    let (sandbox, _serving) = sandbox_at(anywhere()).await;
    let database = MemoryDatabase::new();
    let app = start(&database, sandbox).await;
    let paid = app.post("/v1/payments", "k1", &payment("order-1", "pm_card_visa")).await;
    let intent = paid.text("/gateway_id");
    ask(sandbox, "POST", "/v1/refunds", &format!("payment_intent={intent}&amount=5")).await;
    let foreign = ask(sandbox, "POST", "/v1/payment_intents", "amount=100&currency=usd").await;
    let open = app.until("/v1/discrepancies?status=open", |answer| !answer.text("/data/0").is_empty()).await;
    assert_eq!(open.text("/data/0/kind"), "refund_made_elsewhere");
    assert_eq!(open.text("/data/0/payment"), paid.text("/id"));
    assert_eq!(open.text("/data/1"), "", "somebody else's payment is none: {foreign}");
    let trace = app.until(&format!("/v1/trace/{}", paid.text("/id")), |answer| answer.status == 200).await;
    assert!(String::from_utf8_lossy(&trace.body).contains("discrepancy_opened"));
    app.runtime.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_whose_object_is_gone_stays_paid_and_is_said() {
    let (address, serving) = sandbox_at(anywhere()).await;
    let database = MemoryDatabase::new();
    let app = start(&database, address).await;
    let paid = app.post("/v1/payments", "k1", &payment("order-1", "pm_card_visa")).await;
    assert_eq!(paid.text("/status"), "succeeded");
    // The gateway forgets everything.
    serving.abort();
    let _ = serving.await;
    let (_, _serving) = sandbox_at(address).await;
    let missing = |answer: &Answer| answer.text("/data/0/kind") == "missing_at_gateway";
    let open = app.until("/v1/discrepancies?status=open", missing).await;
    assert_eq!(open.text("/data/0/gateway_id"), paid.text("/gateway_id"));
    let payment = app.until(&format!("/v1/payments/{}", paid.text("/id")), |answer| answer.status == 200).await;
    assert_eq!((payment.text("/status"), payment.text("/captured_amount")), ("succeeded".into(), "1999".into()));
    let books = ask(address, "GET", "/_sandbox/books", "").await;
    assert!(!books.to_string().contains("1999"), "nothing is charged again: {books}");
    // Another tenant sees nothing of it.
    let stranger = Call::new("GET", "/v1/discrepancies").header("authorization", &bearer(super::app::STRANGER));
    assert_eq!(app.send(stranger).await.text("/data"), "[]");
    app.runtime.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_swept_while_the_gateway_is_paused() {
    let (sandbox, _serving) = sandbox_at(anywhere()).await;
    let database = MemoryDatabase::new();
    let app = start(&database, sandbox).await;
    let paused = post("/v1/pause", "k", "").without("authorization").header("authorization", &bearer(ADMIN));
    app.send(paused).await.expect(200, "");
    let requests = |faults: serde_json::Value| faults["requests"].clone();
    let before = requests(ask(sandbox, "GET", "/_sandbox/faults", "").await);
    // Two sweeps would have begun by then: there is nothing to wait for but the time.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(requests(ask(sandbox, "GET", "/_sandbox/faults", "").await), before);
    assert!(all::<Sweep>(&database).iter().all(|sweep| sweep.completed_at.is_none()));
    app.runtime.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_has_events_applied_and_objects_read_again() {
    let app = App::start().await.with_alice().await;
    let paid = app.post("/v1/payments", "k1", &payment("order-1", "pm_card_visa")).await;
    let intent = paid.text("/gateway_id");
    let event = format!(
        r#"{{"id": "evt_9", "type": "payment_intent.succeeded", "created": 1700000000, "livemode": false,
            "data": {{"object": {{"id": "{intent}", "object": "payment_intent", "status": "unheard_of"}}}}}}"#
    );
    let signature = sign(super::app::WEBHOOK_SECRETS[0], app.handle.now().seconds(), event.as_bytes());
    assert_eq!(deliver(&app, &signature, event.as_bytes()).await.status, 200);
    let reason = r#"{"reason": "the version that read it wrongly was replaced"}"#;
    let as_admin =
        |path: &str, body: &str| post(path, "k", body).without("authorization").header("authorization", &bearer(ADMIN));
    let replayed = app.send(as_admin("/v1/inbox/evt_9/replay", reason)).await.expect(200, "");
    assert_eq!(replayed.text("/replayed"), "true");
    app.send(as_admin("/v1/inbox/evt_none/replay", reason)).await.expect(404, "not-found");
    app.send(as_admin("/v1/inbox/evt_9/replay", "{}")).await.expect(400, "invalid-body");
    let requeue =
        |object: &str| format!(r#"{{"gateway": "stripe", "object": "{object}", "reason": "looked at by hand"}}"#);
    app.send(as_admin("/v1/gateway-objects/requeue", &requeue(&intent))).await.expect(200, "");
    app.send(as_admin("/v1/gateway-objects/requeue", &requeue("pi_none"))).await.expect(404, "not-found");
    for path in ["/v1/inbox/evt_9/replay", "/v1/gateway-objects/requeue"] {
        let call = post(path, "k", reason).without("authorization").header("authorization", &bearer(WRITER));
        app.send(call).await.expect(403, "forbidden");
    }
    let trace = app.get(&format!("/v1/trace/{}", paid.text("/id"))).await;
    assert!(String::from_utf8_lossy(&trace.body).contains("operator_acted"));
}

/// Says that the log of events was followed to its end so long ago that it does not reach back there any more.
struct FollowedLongAgo;

impl Work for FollowedLongAgo {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        vec![Read::Row { table: Sweep::table(), key: vec!["stripe".into(), Sweep::EVENTS.into()] }]
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        let row = loaded.row(Sweep::table(), &vec!["stripe".into(), Sweep::EVENTS.into()]).flatten();
        let sweep = Sweep::from_row(row.ok_or("it was never swept")?).map_err(|error| error.to_string())?;
        let long_ago = sweep.completed_at.map(|at| Timestamp::from_seconds(at.seconds() - 31 * 86_400));
        let row = Sweep { completed_at: long_ago, ..sweep }.to_row();
        Ok(vec![Change::Upsert { table: Sweep::table(), row }])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_older_than_the_log_is_said_to_be_unknown_and_every_object_is_looked_at() {
    let (sandbox, _serving) = sandbox_at(anywhere()).await;
    let database = MemoryDatabase::new();
    quittance_server::metrics::ensure_installed();
    let app = start(&database, sandbox).await;
    let paid = app.post("/v1/payments", "k1", &payment("order-1", "pm_card_visa")).await;
    let swept =
        |_: &Answer| all::<Sweep>(&database).iter().any(|one| one.sweep == "events" && one.completed_at.is_some());
    app.until("/v1/discrepancies", swept).await;
    let meanwhile = async || {
        // The gateway gives money back, of which no event tells any more.
        database.writer().transact("a long time ago", &mut FollowedLongAgo).expect("memory");
        ask(sandbox, "POST", "/_sandbox/webhooks", r#"{"omit_events": true}"#).await;
        let intent = paid.text("/gateway_id");
        ask(sandbox, "POST", "/v1/refunds", &format!("payment_intent={intent}&amount=5")).await;
    };
    let app = app.restart_after(meanwhile).await;
    let has = |answer: &Answer, kind: &str| String::from_utf8_lossy(&answer.body).contains(kind);
    let gap = app.until("/v1/discrepancies?status=closed", |answer| has(answer, "event_retention_gap")).await;
    assert!(has(&gap, "nothing was looked at for 31 days"), "{}", gap.text(""));
    app.until("/v1/discrepancies?status=open", |answer| has(answer, "refund_made_elsewhere")).await;
    let metrics = app.get("/metrics").await;
    assert!(
        has(&metrics, "quittance_sweeps_total{gateway=\"stripe\",sweep=\"events\",result=\"gap\"} "),
        "{}",
        String::from_utf8_lossy(&metrics.body)
    );
    app.until("/v1/discrepancies", |_| app.handle.unheard().0.is_empty()).await;
    app.runtime.stop().await.expect("stopped");
}

/// What a process leaves behind that ends before a gap is closed: whether a list is still to be followed from its beginning.
struct GapLeftOpen {
    is_full: bool,
}

impl Work for GapLeftOpen {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        Vec::new()
    }

    fn decide(&mut self, _: &Loaded) -> Result<Vec<Change>, String> {
        let at = Timestamp::from_seconds(1_700_000_000);
        let gap = Discrepancy {
            id: DiscrepancyId::from_bytes([7; 16]),
            tenant: None,
            gateway: "stripe".into(),
            object: Discrepancy::EVENTS.into(),
            kind: DiscrepancyKind::EventRetentionGap,
            payment: None,
            detail: "nothing was looked at for 31 days".into(),
            opened_at: at,
            last_seen_at: at,
            closed_at: None,
        };
        let sweep = Sweep::new("stripe".into(), ObjectKind::Payment.name().into());
        let list = Sweep { is_full: self.is_full, ..sweep };
        let upsert = |table, row| Change::Upsert { table, row };
        Ok(vec![upsert(Discrepancy::table(), gap.to_row()), upsert(Sweep::table(), list.to_row())])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_known_after_a_restart_and_is_closed_though_the_last_list_was_followed_before_it() {
    let (sandbox, serving) = sandbox_at(anywhere()).await;
    let database = MemoryDatabase::new();
    let app = start(&database, sandbox).await;
    let leave = |is_full| database.writer().transact("it ends", &mut GapLeftOpen { is_full }).expect("memory");
    let unknown = app.handle.unheard().1;
    assert!(unknown.contains_key("stripe"), "it has not looked: {unknown:?}");
    let away = async || {
        serving.abort();
        leave(true);
    };
    let app = app.restart_after(away).await;
    let told =
        |app: &App| app.handle.unheard().0.iter().any(|(name, one)| name == "stripe" && one.what.contains("31 days"));
    app.until("/v1/discrepancies?status=open", |_| told(&app)).await;
    let app = app.restart_after(async || leave(false)).await;
    let has = |answer: &Answer| String::from_utf8_lossy(&answer.body).contains("event_retention_gap");
    app.until("/v1/discrepancies?status=closed", has).await;
    app.until("/v1/discrepancies", |_| !told(&app)).await;
    app.runtime.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_comes_after_the_sweep_is_noted_with_the_event() {
    let (sandbox, _serving) = sandbox_at(anywhere()).await;
    let database = MemoryDatabase::new();
    let app = start(&database, sandbox).await;
    app.post("/v1/payments", "k1", &payment("order-1", "pm_card_visa")).await;
    let swept = |_: &Answer| !all::<InboxEntry>(&database).is_empty();
    app.until("/v1/discrepancies", swept).await;
    let swept = all::<InboxEntry>(&database).remove(0);
    assert_eq!((swept.source, swept.verified_at), (EventSource::Sweep, None));
    for _ in 0..2 {
        let signature = sign(super::app::WEBHOOK_SECRETS[0], app.handle.now().seconds(), &swept.body);
        let answer = deliver(&app, &signature, &swept.body).await;
        assert_eq!((answer.status, answer.text("/duplicate")), (200, "true".to_owned()));
    }
    let entries = all::<InboxEntry>(&database);
    let heard = entries.iter().find(|entry| entry.event == swept.event).expect("it is kept");
    assert_eq!((heard.source, heard.endpoint.as_deref()), (EventSource::Sweep, Some("we_main")));
    assert!(heard.verified_at.is_some() && heard.received_at == swept.received_at && heard.body == swept.body);
    app.runtime.stop().await.expect("stopped");
}
