//! The configuration: what is understood, and what every mistake is told.

use quittance_core::brake::{Limits, OverLimit};
use quittance_core::currency::Currency;
use quittance_core::effect::Class;
use quittance_core::tenant::Mode;
use quittance_core::time::Timestamp;
use quittance_engine::budget;
use quittance_engine::condition::Rates;
use quittance_server::config::{Config, Dialect, TlsFiles, TruthCache};
use std::collections::BTreeMap;

const STRIPE: &str = "[gateways.stripe]\nkind = \"stripe\"\napi_key = \"env:STRIPE_API_KEY\"\n";

fn read(text: &str, env: &[(&str, &str)]) -> Result<Config, String> {
    let env: BTreeMap<&str, &str> = env.iter().copied().collect();
    Config::from_text(text, &|name| env.get(name).map(|value| (*value).to_owned())).map_err(|errors| errors.to_string())
}

fn check_bad(text: &str, env: &[(&str, &str)], expected: &[&str]) {
    let errors = read(text, env).expect_err(text);
    assert_eq!(errors.lines().collect::<Vec<_>>(), expected, "{text}");
}

#[test]
fn nothing_is_a_configuration_of_defaults() {
    let config = read("", &[]).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.server.wait_ms, 10_000);
    assert_eq!(config.server.body_bytes_max, 1024 * 1024);
    assert!(config.gateways.is_empty());
}

#[test]
fn private_addresses_are_sent_to_only_where_that_is_said() {
    assert!(!read("", &[]).unwrap().webhooks.allow_private_addresses);
    let allowed = "[webhooks]\nallow_private_addresses = true\n";
    assert!(read(allowed, &[]).unwrap().webhooks.allow_private_addresses);
    let variable = ("QUITTANCE_WEBHOOKS__ALLOW_PRIVATE_ADDRESSES", "false");
    assert!(!read(allowed, &[variable]).unwrap().webhooks.allow_private_addresses);
    check_bad(
        "[webhooks]\nallow_private_addresses = \"yes\"\n",
        &[],
        &[
            "configuration:2: webhooks.allow_private_addresses: neither true nor false; write true or false, without quotes",
        ],
    );
}

#[test]
fn connections_have_limits_and_may_be_encrypted() {
    let front = read("", &[]).unwrap().server.front;
    assert_eq!((front.connections_per_address_max, front.tls), (1_024, None));
    assert_eq!((front.head_timeout_ms, front.body_timeout_ms, front.write_timeout_ms), (30_000, 15_000, 30_000));
    let front = read(
        "[server]\nconnections_max = 10\nhead_timeout_ms = 100\nbody_timeout_ms = 200\nwrite_timeout_ms = 300\n\
         [server.tls]\ncertificate = \"/run/a.pem\"\nkey = \"file:/run/a.key\"\n",
        &[],
    );
    let front = front.unwrap().server.front;
    assert_eq!(front.connections_per_address_max, 3, "a quarter of them, and no fewer than one");
    assert_eq!((front.head_timeout_ms, front.body_timeout_ms, front.write_timeout_ms), (100, 200, 300));
    let files = TlsFiles { certificate: "/run/a.pem".into(), key: "/run/a.key".into() };
    assert_eq!(front.tls, Some(files.clone()));
    let env = [("QUITTANCE_SERVER__TLS__CERTIFICATE", "/run/a.pem"), ("QUITTANCE_SERVER__TLS__KEY", "/run/a.key")];
    assert_eq!(read("", &env).unwrap().server.front.tls, Some(files));
    check_bad(
        "[server]\nhead_timeout_ms = 5\n[server.tls]\nkey = \"-----BEGIN PRIVATE KEY-----\"\nca = \"x\"\n",
        &[],
        &[
            "configuration:2: server.head_timeout_ms: 5 is out of range; write a whole number from 100 to 600000, or leave it out for 30000",
            "configuration:3: server.tls.certificate: missing; name the file of the certificate, or leave key out",
            "configuration:4: server.tls.key: not the name of a file (what is there is not shown); write the path of a file in PEM",
            "configuration:5: server.tls.ca: unknown setting; did you mean `key`? Otherwise remove it",
        ],
    );
}

#[test]
fn everything_can_be_said() {
    let config = read(
        "[server]\nlisten = \"0.0.0.0:9\"\nwait_ms = 1_000\nwait_max_ms = 2000\nbody_bytes_max = 2048\n\
         queue_entries_max = 7\nqueue_age_max_ms = 8\nconnections_max = 9\n\
         [gateways.eu-1]\nkind = \"stripe\"\napi_key = \"file:/run/key\"\napi_base = \"http://127.0.0.1:12111/\"\n\
         flow = \"payment_intents\"\nwebhook_endpoint = \"we_main\"\nwebhook_secrets = [\"env:OLD\", \"env:NEW\"]\n\
         webhook_tolerance_s = 60\ntimeout_ms = 25000\nin_flight_max = 4\nbackoff_base_ms = 10\nbackoff_max_ms = 20\n\
         tries_max = 3\nkey_window_s = 5\npending_poll_ms = 100\nrequests_per_second_max = 40\n\
         requests_per_second_per_endpoint_max = 7\nretry_budget_percent = 20\nretries_per_second_min = 2\n\
         backlog_age_max_ms = 9\n",
        &[],
    )
    .unwrap();
    assert_eq!(config.server.queue_entries_max, 7);
    let gateway = &config.gateways["eu-1"];
    assert_eq!(gateway.api_base, "http://127.0.0.1:12111");
    assert_eq!(gateway.api_key.to_string(), "file:/run/key");
    assert_eq!(gateway.webhook_secrets.iter().map(ToString::to_string).collect::<Vec<_>>(), ["env:OLD", "env:NEW"]);
    assert_eq!((gateway.timeout_ms, gateway.in_flight_max, gateway.webhook_tolerance_s), (25_000, 4, 60));
    assert_eq!((gateway.policy.payments.key_window_ms(), gateway.policy.tries_max), (5_000, 3));
    assert_eq!(gateway.rates(None), Rates { per_second: Some(40), per_second_per_endpoint: Some(7) });
    assert_eq!(gateway.retry_budget, budget::Limits { percent: 20, per_second_min: 2 });
    assert_eq!(gateway.backlog_age_max_ms, Some(9));
}

#[test]
fn a_request_ends_before_its_lease() {
    let gateway = |lease: &str, timeout: &str| {
        let text = format!("[server]\n{lease}\n{STRIPE}{timeout}\n");
        read(&text, &[]).map(|config| (config.server.lease_ms, config.gateways["stripe"].timeout_ms))
    };
    assert_eq!(gateway("", ""), Ok((30_000, 20_000)));
    assert_eq!(gateway("lease_ms = 600000", "timeout_ms = 595000"), Ok((600_000, 595_000)));
    // Under a short lease half of it is left, also where nothing is said.
    assert_eq!(gateway("lease_ms = 3000", ""), Ok((3_000, 1_500)));
    assert_eq!(gateway("lease_ms = 3000", "timeout_ms = 1500"), Ok((3_000, 1_500)));
    let told = gateway("lease_ms = 3000", "timeout_ms = 1501").unwrap_err();
    assert!(told.contains("gateways.stripe.timeout_ms") && told.contains("1500"), "{told}");
    for lease in ["lease_ms = 1999", "lease_ms = 600001"] {
        let told = gateway(lease, "").unwrap_err();
        assert!(told.contains("server.lease_ms"), "{told}");
    }
}

#[test]
fn the_environment_wins() {
    let config = read(
        STRIPE,
        &[
            ("QUITTANCE_SERVER__LISTEN", "[::1]:81"),
            ("QUITTANCE_SERVER__WAIT_MS", "5"),
            ("QUITTANCE_GATEWAYS__STRIPE__API_BASE", "http://peer:12111"),
            ("QUITTANCE_GATEWAYS__STRIPE__WEBHOOK_ENDPOINT", "we"),
            ("QUITTANCE_GATEWAYS__STRIPE__WEBHOOK_SECRETS", "env:A, env:B"),
        ],
    )
    .unwrap();
    assert_eq!(config.server.listen.to_string(), "[::1]:81");
    assert_eq!(config.server.wait_ms, 5);
    assert_eq!(config.gateways["stripe"].api_base, "http://peer:12111");
    assert_eq!(config.gateways["stripe"].webhook_secrets.len(), 2);
}

#[test]
fn every_mistake_is_reported_with_its_line() {
    check_bad(
        "[server]\nlisten = \"localhost\"\nwait_mss = 1\n\n[gateways.stripe]\nkind = \"adyen\"\n\
         api_key = \"sk_live_abc\"\nflow = \"charge\"\ntimeout_ms = 26000\nwebhook_tolerance_s = 0\n\
         api_base = \"api.stripe.com/v1\"\nwebhook_endpoint = \"we_main\"\n",
        &[],
        &[
            "configuration:2: server.listen: not an address; write an IP address and a port, as \"127.0.0.1:8080\" or \
             \"[::]:8080\"",
            "configuration:3: server.wait_mss: unknown setting; did you mean `wait_ms`? Otherwise remove it",
            "configuration:6: gateways.stripe.kind: this kind of gateway is not served by this version; write \"stripe\" \
             or \"rail\"",
            "configuration:7: gateways.stripe.api_key: not a reference to a secret (what is there is not shown); write \
             \"env:NAME\" (capital letters, digits, `_`) or \"file:PATH\": a configuration is copied and committed, a \
             secret must not be",
            "configuration:8: gateways.stripe.flow: not a flow of Stripe; write \"payment_intents\" or \"charges\"",
            "configuration:9: gateways.stripe.timeout_ms: 26000 is out of range; write a whole number from 500 to \
             25000, or leave it out for 20000",
            "configuration:10: gateways.stripe.webhook_tolerance_s: 0 is out of range; write a whole number from 1 to \
             86400, or leave it out for 300",
            "configuration:11: gateways.stripe.api_base: not the address of a gateway; write scheme, host and perhaps \
             a port, as \"https://api.stripe.com\" or \"http://127.0.0.1:12111\"",
            "configuration:12: gateways.stripe.webhook_secrets: missing while webhook_endpoint is set; add \
             webhook_secrets = [\"env:STRIPE_WEBHOOK_SECRET\"]; without one no event can be verified",
        ],
    );
}

#[test]
fn what_is_missing_or_of_the_wrong_kind_is_said() {
    check_bad(
        "[gateways.stripe]\n",
        &[],
        &[
            "configuration:1: gateways.stripe.api_key: missing; write api_key = \"env:STRIPE_API_KEY\" and set that \
             variable",
            "configuration:1: gateways.stripe.kind: missing; write kind = \"stripe\" or \"rail\"",
        ],
    );
    check_bad(
        "[server]\nlisten = 8080\nwait_ms = \"10s\"\n",
        &[],
        &[
            "configuration:2: server.listen: a value of type integer; write text in quotes",
            "configuration:3: server.wait_ms: not a whole number; write a whole number from 0 to 600000, or leave it \
             out for 10000",
        ],
    );
    check_bad("server = 1\n", &[], &["configuration:1: server: not a section; write [server] on a line of its own"]);
    check_bad(
        "[reconciliation]\nevery = 1\n",
        &[],
        &["configuration:1: reconciliation: unknown section; remove it; known here are server, gateways, brakes, \
             webhooks, systems, pairs, alerts, truth, encryption"],
    );
}

fn amounts<const N: usize>(pairs: [(&str, i64); N]) -> BTreeMap<Currency, i64> {
    pairs.into_iter().map(|(code, amount)| (Currency::from_code(code).unwrap(), amount)).collect()
}

#[test]
fn limits_are_read_and_a_tenant_has_them_over_the_general_ones() {
    let text = "[brakes]\npayment_amount_max = { USD = 1_000_000, JPY = 0 }\npayments_per_hour_max = 10_000\n\
                refunded_amount_per_day_max = { USD = 500000 }\nretry_share_max = 0.1\n\
                [brakes.tenants.acme]\npayment_amount_max = { EUR = 7, USD = 9 }\nretry_share_max = \"0.125\"\n\
                over_limit = \"approve\"\n[brakes.tenants.\"b c\"]\n";
    let brakes = read(text, &[("QUITTANCE_BRAKES__TENANTS__ACME__PAYMENTS_PER_HOUR_MAX", "5")]).unwrap().brakes;
    let general = Limits {
        payment_amount_max: amounts([("USD", 1_000_000), ("JPY", 0)]),
        payments_per_hour_max: Some(10_000),
        refunded_amount_per_day_max: amounts([("USD", 500_000)]),
        retry_share_max: Some(100),
        over_limit: OverLimit::Refuse,
    };
    let acme = Limits {
        payment_amount_max: amounts([("USD", 9), ("JPY", 0), ("EUR", 7)]),
        payments_per_hour_max: Some(5),
        retry_share_max: Some(125),
        over_limit: OverLimit::Park,
        ..general.clone()
    };
    assert_eq!((brakes.of("acme"), brakes.of("b c"), brakes.of("other")), (&acme, &general, &general));
    assert_eq!(read("", &[]).unwrap().brakes.of("acme"), &Limits::default());
    let brakes = read("", &[("QUITTANCE_BRAKES__PAYMENT_AMOUNT_MAX", "USD=5, EUR=6")]).unwrap().brakes;
    assert_eq!(brakes.general.payment_amount_max, amounts([("USD", 5), ("EUR", 6)]));
}

#[test]
fn mistakes_in_limits_are_explained() {
    let amount = "write a whole number of minor units from 0 to 9007199254740991, as 1000000 for 10,000.00 USD";
    check_bad(
        "[brakes]\npayment_amount_max = { usd = 1, XAU = 1, USD = \"1\", EUR = -1, JPY = 1.5 }\n\
         refunded_amount_per_day_max = 5\npayments_per_hour_max = -1\nretry_share_max = 10\nover_limit = \"park\"\n\
         payment_max = 1\n[brakes.tenants]\nacme = 1\n[brakes.tenants.b]\ntenants = {}\nretry_share_max = \"10%\"\n",
        &[],
        &[
            &format!("configuration:2: brakes.payment_amount_max.EUR: not an amount; {amount}"),
            &format!("configuration:2: brakes.payment_amount_max.JPY: not an amount; {amount}"),
            &format!("configuration:2: brakes.payment_amount_max.USD: not an amount; {amount}"),
            "configuration:2: brakes.payment_amount_max.XAU: currency code has no minor unit; write three upper-case \
             letters, as in { USD = 1000000 }",
            "configuration:2: brakes.payment_amount_max.usd: not an ISO 4217 currency code; write three upper-case \
             letters, as in { USD = 1000000 }",
            "configuration:3: brakes.refunded_amount_per_day_max: a value of type integer; write { USD = 1000000 }",
            "configuration:4: brakes.payments_per_hour_max: -1 is out of range; write a whole number from 0 to \
             1000000000, or leave it out for no limit",
            "configuration:5: brakes.retry_share_max: not a share; write a share from 0 to 1 with at most three \
             decimals, as 0.1 for a tenth",
            "configuration:6: brakes.over_limit: not something to do; write \"refuse\" (403, nothing is stored) or \
             \"approve\" (a person decides)",
            "configuration:7: brakes.payment_max: unknown setting; remove it; known here are payment_amount_max, \
             payments_per_hour_max, refunded_amount_per_day_max, retry_share_max, over_limit, tenants",
            "configuration:9: brakes.tenants.acme: not a section; write [brakes.tenants.acme] on a line of its own",
            "configuration:11: brakes.tenants.b.tenants: unknown setting; remove it; known here are \
             payment_amount_max, payments_per_hour_max, refunded_amount_per_day_max, retry_share_max, over_limit",
            "configuration:12: brakes.tenants.b.retry_share_max: not a share; write a share from 0 to 1 with at most \
             three decimals, as 0.1 for a tenth",
        ],
    );
}

#[test]
fn sections_are_checked_against_each_other() {
    let two = "[gateways.a]\nkind = \"stripe\"\napi_key = \"env:A\"\nwebhook_endpoint = \"we\"\n\
               webhook_secrets = [\"env:S\"]\n[gateways.b]\nkind = \"stripe\"\napi_key = \"env:A\"\n\
               webhook_endpoint = \"we\"\nwebhook_secrets = [\"env:S\"]\n";
    check_bad(
        two,
        &[],
        &[
            "configuration: gateways.b.webhook_endpoint: `we` is the endpoint of gateway `a` already; give each gateway \
           an endpoint of its own",
        ],
    );
    let backoff = format!("{STRIPE}backoff_base_ms = 100\nbackoff_max_ms = 50\n");
    check_bad(
        &backoff,
        &[],
        &["configuration:1: gateways.stripe.backoff_max_ms: 50 is less than backoff_base_ms, which is 100; raise it, \
           or lower backoff_base_ms"],
    );
    check_bad(
        STRIPE,
        &[("QUITTANCE_GATEWAYS__STRIPE__TIMEOUT_MS", "soon")],
        &[
            "environment QUITTANCE_GATEWAYS__STRIPE__TIMEOUT_MS: gateways.stripe.timeout_ms: not a whole number; write a \
           whole number from 500 to 25000, or leave it out for 20000",
        ],
    );
}

#[test]
fn a_timeout_too_short_for_a_request_is_refused() {
    check_bad(
        &format!("{STRIPE}timeout_ms = 499\n"),
        &[],
        &[
            "configuration:4: gateways.stripe.timeout_ms: 499 is out of range; write a whole number from 500 to 25000, or \
           leave it out for 20000",
        ],
    );
    assert_eq!(read(&format!("{STRIPE}timeout_ms = 500\n"), &[]).unwrap().gateways["stripe"].timeout_ms, 500);
}

const RAIL: &str = "[gateways.rail]\nkind = \"rail\"\napi_key = \"env:RAIL_KEY\"\n";

#[test]
fn a_rail_is_read_back_and_relied_on_for_no_more() {
    let config = read(&format!("{RAIL}api_base = \"http://127.0.0.1:1\"\ntimeout_ms = 5000\n"), &[]).unwrap();
    let (rail, minutes) = (&config.gateways["rail"], 60_000);
    assert_eq!((rail.dialect, rail.policy.payments.class()), (Dialect::Rail, Class::B));
    // A request that leaves at the last moment has its ten minutes too.
    let spans = (rail.policy.payments.quiescence_ms, rail.policy.payments.quiescence_after_error_ms);
    assert_eq!(spans, (10 * minutes + 11_000, 10 * minutes + 11_000));
    let set = format!("{RAIL}api_base = \"http://127.0.0.1:1\"\nquiescence_s = 3\nquiescence_after_error_s = 4\n");
    let payments = read(&set, &[]).unwrap().gateways["rail"].policy.payments;
    assert_eq!((payments.quiescence_ms, payments.quiescence_after_error_ms), (28_000, 29_000));
    // Under a longer lease a request may leave later, so that its quiescence begins later.
    for (lease_ms, expected) in [(4_000, (6_000, 7_000)), (600_000, (44_000, 45_000))] {
        let payments =
            read(&format!("[server]\nlease_ms = {lease_ms}\n{set}"), &[]).unwrap().gateways["rail"].policy.payments;
        assert_eq!((payments.quiescence_ms, payments.quiescence_after_error_ms), expected, "{lease_ms} ms");
    }
    let less = format!("{RAIL}api_base = \"http://127.0.0.1:1\"\npayments_class = \"D\"\n");
    assert_eq!(read(&less, &[]).unwrap().gateways["rail"].policy.payments.class(), Class::D);
    check_bad(
        &format!("{RAIL}payments_class = \"A\"\n"),
        &[],
        &[
            "configuration:1: gateways.rail.api_base: missing: each rail has its own; write scheme, host and perhaps a \
             port, as api_base = \"http://127.0.0.1:12111\"",
            "configuration:4: gateways.rail.payments_class: not within what this gateway offers, which is class B; \
             write \"B\" or \"D\", or leave it out",
        ],
    );
}

#[test]
fn payments_in_two_phases_are_relied_on_as_they_are_or_made_in_one() {
    for class in ["A", "B", "C", "D", "E"] {
        let mistake = "configuration:4: gateways.stripe.payments_class: payment intents are made in two phases, which is \
                       class P and no other; remove it, or write flow = \"charges\"";
        check_bad(&format!("{STRIPE}payments_class = \"{class}\"\n"), &[], &[mistake]);
    }
    let same = read(&format!("{STRIPE}payments_class = \"P\"\n"), &[]).unwrap();
    assert_eq!(same.gateways["stripe"].policy.payments.class(), Class::P);
    for (word, class) in [("A", Class::A), ("B", Class::B), ("C", Class::C), ("D", Class::D)] {
        let one = read(&format!("{STRIPE}flow = \"charges\"\npayments_class = \"{word}\"\n"), &[]).unwrap();
        assert_eq!(one.gateways["stripe"].policy.payments.class(), class);
        let refunds = read(&format!("{STRIPE}refunds_class = \"{word}\"\n"), &[]).unwrap();
        assert_eq!(refunds.gateways["stripe"].policy.refunds.class(), class);
    }
    check_bad(
        &format!("{STRIPE}refunds_class = \"P\"\n"),
        &[],
        &["configuration:4: gateways.stripe.refunds_class: not within what this gateway offers, which is class A; \
           write \"A\", \"B\", \"C\" or \"D\", or leave it out"],
    );
}

#[test]
fn what_means_nothing_to_a_rail_is_refused() {
    check_bad(
        &format!(
            "{RAIL}api_base = \"http://127.0.0.1:1\"\nflow = \"charges\"\nwebhook_endpoint = \"we\"\n\
             webhook_secrets = [\"hunter2\"]\nwebhook_tolerance_s = \"x\"\nkey_window_s = 5\nrefunds_class = \"B\"\n\
             action_expiry_s = 1\nwebhook_url = \"x\"\n"
        ),
        &[("QUITTANCE_GATEWAYS__RAIL__CAPTURE_EXPIRY_S", "7")],
        &[
            "configuration:5: gateways.rail.flow: a rail has one flow; remove it",
            "configuration:6: gateways.rail.webhook_endpoint: a rail sends no webhooks; remove it",
            "configuration:7: gateways.rail.webhook_secrets: a rail sends no webhooks; remove it",
            "configuration:8: gateways.rail.webhook_tolerance_s: a rail sends no webhooks; remove it",
            "configuration:8: gateways.rail.webhook_tolerance_s: not a whole number; write a whole number from 1 to \
             86400, or leave it out for 300",
            "configuration:9: gateways.rail.key_window_s: a rail knows no idempotency keys; remove it",
            "configuration:10: gateways.rail.refunds_class: a rail gives nothing back; remove it",
            "configuration:11: gateways.rail.action_expiry_s: a rail asks nobody to authenticate; remove it",
            "configuration:12: gateways.rail.webhook_url: a rail sends no webhooks; remove it",
            "environment QUITTANCE_GATEWAYS__RAIL__CAPTURE_EXPIRY_S: gateways.rail.capture_expiry_s: a rail takes money \
             at once; remove it",
        ],
    );
}

#[test]
fn rates_are_those_of_stripe_at_stripe_and_nowhere_else() {
    let rates = |per_second, per_second_per_endpoint| Rates { per_second, per_second_per_endpoint };
    let (live, test, none) = (rates(Some(100), Some(25)), rates(Some(25), Some(25)), rates(None, None));
    for (settings, expected) in [
        ("", [live, test, test]),
        ("api_base = \"https://api.stripe.com/\"\n", [live, test, test]),
        ("api_base = \"http://127.0.0.1:12111\"\n", [none, none, none]),
        ("requests_per_second_max = 0\n", [rates(None, Some(25)); 3]),
        ("requests_per_second_max = 500\nrequests_per_second_per_endpoint_max = 0\n", [rates(Some(500), None); 3]),
        (
            "api_base = \"http://127.0.0.1:12111\"\nrequests_per_second_per_endpoint_max = 3\n",
            [rates(None, Some(3)); 3],
        ),
    ] {
        let config = read(&format!("{STRIPE}{settings}"), &[]).unwrap();
        let modes = [Some(Mode::Live), Some(Mode::Test), None];
        assert_eq!(modes.map(|mode| config.gateways["stripe"].rates(mode)), expected, "{settings}");
    }
}

#[test]
fn how_far_a_gateway_may_be_behind_has_a_default_and_an_end() {
    let age = |settings: &str| read(&format!("{STRIPE}{settings}"), &[]).unwrap().gateways["stripe"].backlog_age_max_ms;
    assert_eq!([age(""), age("backlog_age_max_ms = 0\n")], [Some(600_000), None]);
    check_bad(
        &format!("{STRIPE}requests_per_second_max = -1\nretries_per_second_min = 0\n"),
        &[],
        &[
            "configuration:4: gateways.stripe.requests_per_second_max: -1 is out of range; write a whole number from 0 to \
             1000000, or leave it out for what the gateway allows",
            "configuration:5: gateways.stripe.retries_per_second_min: 0 is out of range; write a whole number from 1 to \
             10000, or leave it out for 10",
        ],
    );
}

#[test]
fn an_api_key_says_whose_money_it_moves() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    let config =
        read(&format!("[gateways.s]\nkind = \"stripe\"\napi_key = \"file:{}\"\n", file.display()), &[]).unwrap();
    for (key, mode) in [
        ("sk_live_1", Some(Mode::Live)),
        ("rk_live_1", Some(Mode::Live)),
        ("sk_test_1", Some(Mode::Test)),
        ("rk_test_1", Some(Mode::Test)),
        ("pk_live_1", None),
        ("SK_LIVE_1", None),
        ("a_sk_live_1", None),
    ] {
        std::fs::write(&file, key).unwrap();
        let secrets = config.resolve_secrets().unwrap();
        assert_eq!((secrets.gateway_mode("s"), secrets.gateway_mode("other")), (mode, None), "{key}");
    }
}

#[test]
fn no_error_repeats_a_secret() {
    for literal in ["sk_live_hunter2", "env:sk_live_hunter2", "ENV:X_hunter2", "hunter2"] {
        for text in [
            format!("[gateways.s]\nkind = \"stripe\"\napi_key = \"{literal}\"\n"),
            format!("[gateways.s]\nkind = \"stripe\"\napi_key = \"env:A\"\nwebhook_secrets = \"{literal}\"\n"),
            format!("[gateways.s]\nkind = \"stripe\"\napi_key = {literal}\n"),
            format!("[gateways.s]\nkind = \"{literal}\"\napi_key = \"{literal}\n"),
            format!("[gateways.s]\napi_base = \"https://{literal}@host\"\n"),
        ] {
            let errors = read(&text, &[]).expect_err(&text);
            assert!(!errors.contains("hunter2"), "{errors}");
        }
    }
}

#[test]
fn secrets_come_from_files_and_are_not_shown() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    std::fs::write(&file, "sk_test_hunter2\n").unwrap();
    let text = format!("[gateways.s]\nkind = \"stripe\"\napi_key = \"file:{}\"\n", file.display());
    let config = read(&text, &[]).unwrap();
    let secrets = config.resolve_secrets().unwrap();
    assert_eq!(secrets.api_key("s").unwrap().expose(), "sk_test_hunter2");
    assert!(!format!("{secrets:?} {config:?}").contains("hunter2"));
    for (content, problem) in
        [("", "it is empty"), ("two words", "it holds a space or a character that no header can carry")]
    {
        std::fs::write(&file, content).unwrap();
        let expected = format!(
            "configuration:3: gateways.s.api_key: no secret at file:{}: {problem}; put the secret alone into the file \
             and make it readable for the server",
            file.display()
        );
        assert_eq!(config.resolve_secrets().unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    let config = read("[gateways.s]\nkind = \"stripe\"\napi_key = \"env:QUITTANCE_TEST_NEVER_SET\"\n", &[]).unwrap();
    assert_eq!(
        config.resolve_secrets().unwrap_err().to_string(),
        "configuration:3: gateways.s.api_key: no secret at env:QUITTANCE_TEST_NEVER_SET: the variable is not set; set \
         the variable where the server is started"
    );
}

#[test]
fn a_file_that_was_named_has_to_be_there() {
    let error = Config::load(Some(std::path::Path::new("/nonexistent/q.toml"))).unwrap_err().to_string();
    assert!(error.starts_with("/nonexistent/q.toml: cannot be read ("), "{error}");
    assert!(error.ends_with("; name a readable file with --config"), "{error}");
}

#[test]
fn secrets_take_over_from_one_another() {
    let text = "[gateways.s]\nkind = \"stripe\"\napi_key = \"env:A\"\nwebhook_endpoint = \"we\"\nwebhook_secrets = [\n\
                \"env:NOW\",\n{ secret = \"env:NEXT\", state = \"next\" },\n\
                { secret = \"env:OLD\", state = \"retiring\", since = \"2026-01-31T00:00:00Z\" },\n\
                { secret = \"env:STOLEN\", state = \"revoked\" },\n]\n";
    let config = Config::from_text(text, &|_| None).unwrap();
    let accepted = |at: &str| {
        let at: jiff::Timestamp = at.parse().unwrap();
        let at = Timestamp(at.as_microsecond());
        let secrets = config.gateways["s"].webhook_secrets.iter().filter(|secret| secret.is_accepted(at));
        secrets.map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(accepted("2026-02-01T01:00:00Z"), ["env:NOW", "env:NEXT", "env:OLD"], "25 hours");
    assert_eq!(accepted("2026-02-01T01:00:01Z"), ["env:NOW", "env:NEXT"]);
    let explained: Vec<String> =
        config.gateways["s"].webhook_secrets.iter().map(quittance_server::config::WebhookSecret::explanation).collect();
    assert_eq!(explained[2], "env:OLD: retiring, accepted until 2026-02-01T01:00:00Z");
    assert_eq!(explained[3], "env:STOLEN: revoked, never accepted");
    for (entry, mistake) in [
        ("{ secret = \"env:A\", state = \"retiring\" }", "a retiring secret without a time in RFC 3339"),
        ("{ secret = \"env:A\", state = \"old\" }", "not a state of a secret"),
        ("{ secret = \"whsec_abc\" }", "not a reference to a secret"),
        ("{ state = \"next\" }", "an entry without a secret"),
        ("{ secret = \"env:A\", status = \"next\" }", "unknown setting"),
        ("7", "a value of type integer"),
    ] {
        let text = text.replace("\"env:NOW\"", entry);
        let errors = Config::from_text(&text, &|_| None).unwrap_err().to_string();
        assert!(errors.contains(mistake) && errors.contains(":6: "), "{entry}: {errors}");
        assert!(!errors.contains("whsec_abc"), "{errors}");
    }
}

#[test]
fn a_pair_says_how_it_is_asked_what_is_true() {
    use quittance_core::pair::Which;
    use quittance_server::config::{NotFound, TruthPolicy};
    use std::time::Duration;
    let pair = |truth: &str, right: &str, fields: &str| {
        format!(
            "[systems.app]\nkind = \"sqlite\"\npath = \"a\"\n[systems.files]\nkind = \"csv\"\npath = \"a\"\n[pairs.p]\n\
             left = {{ system = \"app\", table = \"a\" }}\nright = {{ system = \"{right}\", table = \"b\" }}\n\
             match = [{{ left = \"id | trim\", right = \"id\" }}]\nfields = [{fields}]\ntruth = {{ {truth} }}\n"
        )
    };
    let field = "{ left = \"a\", right = \"a\", authority = \"right\" }";
    let of = |truth: &str| read(&pair(truth, "app", field), &[]).unwrap().pairs["p"].truth.clone().unwrap();
    let usual = of("");
    assert_eq!((usual.side, usual.policy, usual.not_found), (Which::Right, TruthPolicy::Error, NotFound::Answer));
    let spans = [usual.max_age, usual.negative_max_age, usual.timeout].map(|span| span.as_secs());
    assert_eq!((spans, usual.calls_max, usual.tenants), ([300, 30, 5], 4, Vec::<String>::new()));
    assert_eq!(of("stale_if_error = \"2h\"").policy, TruthPolicy::Stale(Duration::from_secs(7_200)));
    assert_eq!(of("policy = \"stale_if_error\"").policy, TruthPolicy::Stale(Duration::from_secs(3_600)));
    assert_eq!(of("policy = \"deny\", not_found = \"error\"").not_found, NotFound::Error);
    assert_eq!(of("max_age = \"90s\", tenants = [\"acme\"]").max_age, Duration::from_secs(90));
    for (truth, right, fields, mistake) in [
        (
            "max_age = 5",
            "app",
            field,
            "configuration:12: pairs.p.truth.max_age: a value of type integer; write text in quotes",
        ),
        (
            "max_age = \"8d\"",
            "app",
            field,
            "8d is out of range; write a whole number and a unit (ms, s, m, h, d), from 0s to 7d",
        ),
        ("max_age = \"soon\"", "app", field, "not a span of time"),
        (
            "policy = \"deny\", stale_if_error = \"1h\"",
            "app",
            field,
            "says that old answers are good, and policy = \"deny\"",
        ),
        ("policy = \"stale\"", "app", field, "not a policy"),
        ("side = \"both\"", "app", field, "not a side"),
        ("side = \"left\"", "app", field, "`id` of the first rule is matched as something else than it holds"),
        ("", "app", "", "missing, and the fields do not all believe one side"),
        ("", "files", field, "`files` is a file, of which no record can be asked for by its key"),
        ("not_found = \"empty\"", "app", field, "not something to answer"),
        ("max_ages = \"1h\"", "app", field, "unknown setting; did you mean `max_age`?"),
        ("calls_max = 0", "app", field, "0 is out of range"),
    ] {
        let errors = read(&pair(truth, right, fields), &[]).expect_err(truth);
        assert!(errors.contains(mistake), "{truth}: {errors}");
    }
    assert_eq!(read("[truth]\nentries_max = 5\n", &[]).unwrap().truths.entries_max, 5);
    check_bad(
        "[truth]\nentries = 5\n",
        &[],
        &[
            "configuration:2: truth.entries: unknown setting; remove it; known here are entries_max, redis, redis_prefix",
        ],
    );
}

#[test]
fn where_answers_are_shared_is_a_reference_that_leads_to_a_redis() {
    let shared = |text: &str| read(&format!("[truth]\n{text}\n"), &[]).unwrap().truths.cache;
    assert_eq!(shared("entries_max = 5"), TruthCache::Memory);
    for (text, wanted) in
        [("redis = \"env:R\"", "quittance"), ("redis = \"env:R\"\nredis_prefix = \"shop.live\"", "shop.live")]
    {
        let TruthCache::Redis { address, prefix } = shared(text) else { panic!("{text}") };
        assert_eq!((address.to_string(), prefix), ("env:R".to_owned(), wanted.to_owned()));
    }
    for (text, mistake) in [
        ("redis = \"redis://secret@cache\"", "configuration:2: truth.redis: not a reference to a secret"),
        ("redis = 5", "configuration:2: truth.redis: a value of type integer"),
        ("redis_prefix = \"a\"", "configuration:2: truth.redis_prefix: names in a Redis that is not there"),
        ("redis = \"env:R\"\nredis_prefix = \"a b\"", "configuration:3: truth.redis_prefix: not a beginning of names"),
        ("redis_url = \"env:R\"", "configuration:2: truth.redis_url: unknown setting"),
    ] {
        let errors = read(&format!("[truth]\n{text}\n"), &[]).expect_err(text);
        assert!(errors.contains(mistake) && !errors.contains("secret@"), "{text}: {errors}");
    }
    let folder = tempfile::TempDir::new().unwrap();
    let resolved = |address: &str| {
        let file = folder.path().join("redis");
        std::fs::write(&file, address).unwrap();
        let text = format!("[truth]\nredis = \"file:{}\"\n", file.display());
        let secrets = read(&text, &[]).unwrap().resolve_secrets().map_err(|errors| errors.to_string());
        secrets.map(|secrets| secrets.truth_redis().map(|address| address.expose().to_owned()))
    };
    for address in ["redis://127.0.0.1:6379/1", "rediss://user:secret@cache.internal"] {
        assert_eq!(resolved(address), Ok(Some(address.to_owned())));
    }
    for address in ["http://secret@cache", "redis://", "secret", "rediss://cache/#insecure"] {
        let errors = resolved(address).unwrap_err();
        assert!(errors.contains("configuration:2: truth.redis: no address of a Redis at file:"), "{errors}");
        assert!(!errors.contains("secret@") && errors.contains("rediss://"), "{errors}");
    }
}
