//! Disputes end to end: a gateway that loses the answer to every first write, and sends every event twice and out of
//! order. Evidence is handed in once, money is booked as it moved, and the books prove sound.

use crate::support::{Client, Home, Server};
use quittance_sandbox::{Config, FaultProfile, FaultRates, Sandbox};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::Duration;

/// Looks at what is not there yet, each after a breath; only a broken promise takes this many.
const LOOKS_MAX: u32 = 400;
const BREATH: Duration = Duration::from_millis(50);

/// What the sandbox charges for a dispute.
const FEE: i64 = 1_500;

const HOSTILE: FaultRates = FaultRates {
    timeout_before_effect: 0,
    timeout_after_effect: 0,
    lost_answer: 1_000,
    connection_reset: 0,
    error_500_charged: 0,
    error_500_not_charged: 0,
    rate_limited_429: 0,
    slow_answer: 0,
    unavailable_503: 0,
    late_effect: 0,
    truncated_json: 0,
    html_200: 0,
    bad_gateway_502: 0,
    cursor_repeats: 0,
    unauthorised_401: 0,
    reads: 0,
    webhook_dropped: 0,
    webhook_duplicate: 1_000,
    webhook_late: 0,
    webhook_shuffled: 1_000,
};

/// A server of ours with one paid and disputed payment.
struct Desk {
    home: Home,
    server: Server,
    client: Client,
    gateway: Client,
    payment: Value,
}

/// A gateway on a thread of its own, for as long as the process lives.
fn sandbox() -> String {
    let (sender, address) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            sender.send(listener.local_addr().expect("an address")).expect("the test waits");
            let faults = FaultProfile::Custom(HOSTILE);
            let config = Config { faults, faults_per_key_max: 1, ..Config::default() };
            Sandbox::new(config).serve(listener, std::future::pending()).await
        })
    });
    format!("http://{}", address.recv().expect("it listens"))
}

impl Desk {
    fn open(card: &str) -> Self {
        let base = sandbox();
        let home = Home::with_gateway(&base);
        let secret = home.credential();
        let server = home.serve();
        let gateway = Client::new(&base, Some("sk_test_it"));
        let target = json!({"url": format!("{}/webhooks/we_it", server.base), "secrets": ["whsec_it"]});
        assert_eq!(gateway.post("/_sandbox/webhook_target", "-", &target).0, 200);
        let client = Client::new(&server.base, Some(&secret));
        let (status, customer) = client.post("/v1/customers", "customer-1", &json!({"external_id": "anna"}));
        assert_eq!(status, 201, "{customer}");
        let asked = json!({
            "customer": "anna", "amount": 1999, "currency": "USD", "gateway": "sandbox",
            "payment_method": card, "reference": "order-1",
        });
        let (status, payment) = client.post("/v1/payments", "payment-1", &asked);
        assert_eq!((status, &payment["status"]), (201, &json!("succeeded")), "{payment}");
        Self { home, server, client, gateway, payment }
    }

    /// Waits until the only dispute is as it should be, and gives it.
    fn dispute(&self, status: &str, withdrawn: i64) -> Value {
        let payment = self.payment["id"].as_str().expect("an id");
        let mut shown = Value::Null;
        for _ in 0..LOOKS_MAX {
            let (_, page) = self.client.get(&format!("/v1/disputes?payment={payment}"));
            shown = page["data"][0].clone();
            if shown["status"] == status && shown["withdrawn_amount"] == withdrawn {
                assert_eq!(page["data"].as_array().map(Vec::len), Some(1));
                return shown;
            }
            // What is waited for happens in another process, which tells nobody here; a server that ends is heard.
            let ended = self.server.later.recv_timeout(BREATH);
            assert_eq!(ended, Err(mpsc::RecvTimeoutError::Timeout), "the server ended");
        }
        panic!("it does not become {status}: {shown}");
    }

    fn answer(&self, key: &str, text: &str) -> (u16, Value) {
        let id = self.client.get("/v1/disputes").1["data"][0]["id"].as_str().expect("an id").to_owned();
        let evidence = json!({"evidence": {"uncategorized_text": text, "customer_name": "Anna"}});
        self.client.post(&format!("/v1/disputes/{id}/evidence"), key, &evidence)
    }

    /// The issuer's word.
    fn rule(&self, outcome: &str) {
        let dispute = self.client.get("/v1/disputes").1["data"][0]["gateway_id"].as_str().expect("an id").to_owned();
        let path = format!("/_sandbox/disputes/{dispute}/close");
        let (status, ruled) = self.gateway.post(&path, "-", &json!({"outcome": outcome}));
        assert_eq!(status, 200, "{ruled}");
    }

    /// What the evidence decides, is decided now.
    fn decide(&self) {
        assert_eq!(self.gateway.post("/_sandbox/agenda/flush", "-", &json!({})).0, 200);
    }

    /// What the gateway counts as handed in.
    fn submissions(&self) -> Value {
        let (_, page) = self.gateway.get("/v1/disputes");
        assert_eq!(page["data"].as_array().map(Vec::len), Some(1), "{page}");
        page["data"][0]["evidence_details"]["submission_count"].clone()
    }

    /// How many answers the gateway has lost.
    fn lost_answers(&self) -> i64 {
        self.gateway.get("/_sandbox/faults").1["faults"]["lost_answer"].as_i64().expect("some were")
    }

    /// Amounts by account, each counted on its normal side.
    fn balances(&self) -> BTreeMap<String, i64> {
        let (_, page) = self.client.get("/v1/ledger/balances?customer=anna");
        let rows = page["data"].as_array().expect("a list").iter();
        let text = |row: &Value| row["account"].as_str().expect("a name").to_owned();
        rows.map(|row| (text(row), row["amount"].as_i64().expect("an amount"))).collect()
    }

    fn check_books(&self, disputed: i64, lost: i64, fees: i64) {
        let balances = self.balances();
        let of = |account: &str| balances.get(account).copied().unwrap_or(0);
        let shown = [of("disputed:sandbox"), of("dispute_loss"), of("gateway_fees:sandbox")];
        assert_eq!(shown, [disputed, lost, fees], "{balances:?}");
        assert_eq!(of("gateway_clearing:sandbox"), 1_999 - disputed - lost - fees, "{balances:?}");
        assert_eq!(of("unapplied"), 1_999, "{balances:?}");
    }

    /// How much of the payment can be refunded, asked by refunding one unit more than that.
    fn check_refundable(&self, key: &str, amount: i64) {
        let refund = json!({"payment": self.payment["id"], "amount": amount + 1, "reference": key});
        let (status, refused) = self.client.post("/v1/refunds", key, &refund);
        assert_eq!((status, &refused["code"]), (422, &json!("refund-too-large")), "{refused}");
    }

    /// Everything that was sent has come, and the books are sound: while the server runs, and after it.
    fn close(mut self) {
        assert_eq!(self.gateway.post("/_sandbox/webhooks/flush", "-", &json!({})).0, 200);
        assert_eq!(self.server.terminate(), 0);
        let ended = self.home.run(&["verify", "--json"]);
        let found = ended.json();
        assert_eq!((ended.code, &found["findings"]), (0, &json!([])), "{found:#}");
    }
}

#[test]
fn evidence_whose_answer_is_lost_is_handed_in_once_and_what_is_won_comes_back() {
    let desk = Desk::open("pm_card_createDispute");
    let opened = desk.dispute("needs_response", 1_999);
    assert_eq!((&opened["reason"], &opened["takes_evidence"]), (&json!("fraudulent"), &json!(true)));
    desk.check_books(1_999, 0, FEE);
    desk.check_refundable("refund-1", 0);
    let lost_before = desk.lost_answers();
    let (status, answered) = desk.answer("evidence-1", "winning_evidence");
    assert_eq!(desk.lost_answers(), lost_before + 1);
    assert_eq!((status, &answered["status"]), (201, &json!("under_review")), "{answered}");
    assert_eq!((&answered["submissions"], &answered["id"]), (&json!(1), &opened["id"]));
    assert_eq!(desk.submissions(), json!(1));
    assert_eq!(desk.answer("evidence-1", "winning_evidence"), (201, answered));
    let (status, refused) = desk.answer("evidence-2", "winning_evidence");
    assert_eq!((status, &refused["code"]), (409, &json!("duplicate-evidence")), "{refused}");
    desk.decide();
    let won = desk.dispute("won", 0);
    assert_eq!(won["written_off"], json!(false));
    desk.check_books(0, 0, FEE);
    desk.check_refundable("refund-2", 1_999);
    assert_eq!(desk.submissions(), json!(1));
    desk.close();
}

#[test]
fn what_is_lost_is_written_off_and_a_late_win_takes_that_back() {
    let desk = Desk::open("pm_card_createDisputeProductNotReceived");
    desk.dispute("needs_response", 1_999);
    desk.rule("lost");
    let lost = desk.dispute("lost", 1_999);
    assert_eq!((&lost["written_off"], &lost["takes_evidence"]), (&json!(true), &json!(false)));
    desk.check_books(0, 1_999, FEE);
    desk.check_refundable("refund-1", 0);
    let (status, refused) = desk.answer("evidence-1", "it was delivered");
    assert_eq!((status, &refused["code"]), (409, &json!("evidence-not-taken")), "{refused}");
    desk.rule("won");
    assert_eq!(desk.dispute("won", 0)["written_off"], json!(false));
    desk.check_books(0, 0, FEE);
    desk.close();
}

#[test]
fn an_inquiry_moves_nothing_and_is_answered_again_when_it_escalates() {
    let desk = Desk::open("pm_card_createDisputeInquiry");
    desk.dispute("warning_needs_response", 0);
    desk.check_books(0, 0, 0);
    desk.check_refundable("refund-1", 1_999);
    let (status, answered) = desk.answer("evidence-1", "escalate_inquiry_evidence");
    assert_eq!((status, &answered["status"]), (201, &json!("warning_under_review")), "{answered}");
    desk.decide();
    desk.dispute("needs_response", 1_999);
    desk.check_books(1_999, 0, FEE);
    let (status, answered) = desk.answer("evidence-2", "losing_evidence");
    assert_eq!((status, &answered["submissions"]), (201, &json!(2)), "{answered}");
    assert_eq!(desk.submissions(), json!(2));
    desk.decide();
    desk.dispute("lost", 1_999);
    desk.check_books(0, 1_999, FEE);
    desk.close();
}

#[test]
fn a_dispute_is_traced_by_either_of_its_ids() {
    let desk = Desk::open("pm_card_createDispute");
    let dispute = desk.dispute("needs_response", 1_999);
    for member in ["id", "gateway_id"] {
        let id = dispute[member].as_str().expect("an id");
        let (status, told) = desk.client.get(&format!("/v1/trace/{id}"));
        assert_eq!(status, 200, "{told}");
        let text = told.to_string();
        assert!(text.contains(desk.payment["id"].as_str().expect("an id")), "{told:#}");
        assert!(text.contains("dispute_seen"), "{told:#}");
    }
    desk.close();
}
