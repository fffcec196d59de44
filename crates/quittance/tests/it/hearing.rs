//! Webhooks that stop, and an endpoint that the gateway has disabled: a real server hears of it by the gateway's log and list.

use crate::service::{metric, until};
use crate::support::{Client, Home, Server, sandbox};
use serde_json::{Value, json};

/// A server that is paid through a sandbox, sweeps every second, and gives webhooks a second.
struct Place {
    home: Home,
    server: Server,
    gateway: Client,
    client: Client,
    customer: String,
    _sandbox: Server,
}

impl Place {
    /// `settings` are of the gateway, and `prepare` is done at it before the server starts.
    fn open(settings: &str, prepare: impl Fn(&Client)) -> Self {
        let sandbox = sandbox(&Home::new());
        let home = Home::with_gateway(&sandbox.base);
        home.configure(&format!("sweep_every_s = 1\nobject_sweep_every_s = 1\nwebhook_grace_s = 1\n{settings}"));
        let gateway = Client::new(&sandbox.base, None);
        prepare(&gateway);
        let secret = home.credential();
        let server = home.serve();
        let client = Client::new(&server.base, Some(&secret));
        let (status, customer) = client.post("/v1/customers", "c-1", &json!({"name": "Anna", "external_id": "anna"}));
        assert_eq!(status, 201, "{customer}");
        let customer = customer["id"].as_str().expect("an id").to_owned();
        Self { home, server, gateway, client, customer, _sandbox: sandbox }
    }

    fn pay(&self, reference: &str) {
        let asked = json!({
            "customer": self.customer, "amount": 1999, "currency": "USD", "gateway": "sandbox",
            "payment_method": "pm_card_visa", "reference": reference,
        });
        let (status, payment) = self.client.post("/v1/payments", reference, &asked);
        assert_eq!((status, payment["status"].as_str()), (201, Some("succeeded")), "{payment}");
    }

    fn webhooks(&self, body: &Value) {
        assert_eq!(self.gateway.post("/_sandbox/webhooks", "-", body).0, 200);
    }

    /// The silence that is alarmed now.
    fn silence(&self) -> Option<Value> {
        let alerts = self.home.run(&["alerts", "--json"]).json()["alerts"].clone();
        let mut alerts = alerts.as_array().cloned().unwrap_or_default().into_iter();
        alerts.find(|alert| alert["kind"] == "silence" && alert["subject"] == "gateways.sandbox")
    }
}

fn target(url: &str) -> Value {
    json!({"url": url, "secrets": ["whsec_it"]})
}

#[test]
fn webhooks_that_stop_are_alarmed_until_one_comes_again() {
    let place = Place::open("", |_| {});
    let url = format!("{}/webhooks/we_it", place.server.base);
    assert_eq!(place.gateway.post("/_sandbox/webhook_target", "-", &target(&url)).0, 200);
    place.pay("order-1");
    let came = || metric(&place.server, "quittance_webhooks_total{", "result=\"accepted\"");
    until("webhooks", || (came() > 0.0).then_some(()));
    place.webhooks(&json!({"lose": true}));
    place.pay("order-2");
    let alert = until("the silence", || place.silence());
    assert_eq!((&alert["severity"], alert["count"].as_u64() >= Some(3)), (&json!("critical"), true), "{alert}");
    assert!(alert["what"].as_str().is_some_and(|what| what.contains("none comes any more")), "{alert}");
    let missed = metric(&place.server, "quittance_webhook_missed_total{", "type=\"payment_intent.succeeded\"");
    assert!(missed >= 1.0, "{missed}");
    assert!(metric(&place.server, "quittance_webhook_silent_events{", "gateway=\"sandbox\"") >= 3.0);
    place.webhooks(&json!({"lose": false}));
    place.pay("order-3");
    until("its end", || place.silence().is_none().then_some(()));
    assert_eq!(metric(&place.server, "quittance_webhook_silent_events{", "gateway=\"sandbox\""), 0.0);
}

#[test]
fn an_endpoint_that_the_gateway_has_disabled_or_does_not_have_is_alarmed() {
    // Nobody listens there: what counts is what the gateway says of it.
    const URL: &str = "http://127.0.0.1:9/webhooks/we_it";
    let aim =
        |gateway: &Client, url: &str| assert_eq!(gateway.post("/_sandbox/webhook_target", "-", &target(url)).0, 200);
    let place = Place::open(&format!("webhook_url = \"{URL}\"\n"), |gateway| aim(gateway, &format!("{URL}/")));
    let says = |words: &str| {
        until(words, || place.silence().filter(|alert| alert["what"].as_str().is_some_and(|what| what.contains(words))))
    };
    place.webhooks(&json!({"disabled": true}));
    says("has disabled the endpoint");
    assert_eq!(metric(&place.server, "quittance_webhook_endpoint_down{", "gateway=\"sandbox\""), 1.0);
    aim(&place.gateway, "http://127.0.0.1:9/elsewhere");
    says("has no webhook endpoint at our webhook_url");
    aim(&place.gateway, URL);
    place.webhooks(&json!({"disabled": false}));
    until("its end", || place.silence().is_none().then_some(()));
    assert_eq!(metric(&place.server, "quittance_webhook_endpoint_down{", "gateway=\"sandbox\""), 0.0);
}

#[test]
fn a_key_that_may_not_list_endpoints_is_no_alarm_and_holds_nothing_back() {
    let url = "http://127.0.0.1:9/webhooks/we_it";
    let place = Place::open(&format!("webhook_url = \"{url}\"\n"), |gateway| {
        let key = json!({"key": "sk_test_it", "may_write": true, "may_not_read": ["webhook_endpoints"]});
        assert_eq!(gateway.post("/_sandbox/keys", "-", &key).0, 200);
    });
    let refused = || metric(&place.server, "quittance_gateway_requests_total{", "fact=\"unclear\"");
    until("it was asked, twice", || (refused() >= 2.0).then_some(()));
    place.pay("order-1");
    assert_eq!(metric(&place.server, "quittance_gateway_unauthorised{", "gateway=\"sandbox\""), 0.0);
    assert_eq!(metric(&place.server, "quittance_webhook_endpoint_down{", "gateway=\"sandbox\""), 0.0);
    assert_eq!(place.silence(), None);
}

#[test]
fn an_endpoint_of_which_nothing_is_said_any_more_is_not_alarmed_for_ever() {
    let url = "http://127.0.0.1:9/webhooks/we_it";
    let place = Place::open(&format!("webhook_url = \"{url}\"\n"), |gateway| {
        assert_eq!(gateway.post("/_sandbox/webhook_target", "-", &target(url)).0, 200);
        assert_eq!(gateway.post("/_sandbox/webhooks", "-", &json!({"disabled": true})).0, 200);
    });
    let down = || metric(&place.server, "quittance_webhook_endpoint_down{", "gateway=\"sandbox\"");
    until("it is disabled", || (down() == 1.0).then_some(()));
    let key = json!({"key": "sk_test_it", "may_write": true, "may_not_read": ["webhook_endpoints"]});
    assert_eq!(place.gateway.post("/_sandbox/keys", "-", &key).0, 200);
    until("nobody knows any more", || (down() == 0.0).then_some(()));
}

#[test]
fn an_address_of_webhooks_that_is_none_is_refused_with_its_line() {
    for (settings, said) in [
        ("webhook_url = \"pay.example.com\"", "not the address of an endpoint"),
        ("webhook_grace_s = 0", "0 is out of range"),
    ] {
        let home = Home::with_gateway("http://127.0.0.1:9");
        home.configure(&format!("{settings}\n"));
        let ended = home.run(&["check-config"]);
        let text = ended.stderr.clone() + &ended.stdout;
        assert!(ended.code == 2 && text.contains(said) && text.contains("quittance.toml:10"), "{settings}: {ended:?}");
    }
}
