//! The main job at the size that people have: an application's table in a real PostgreSQL beside a gateway whose webhooks were
//! lost for 18 hours, repaired by rule, compared, and given back what it had.

use crate::support::{Client, Ended, Home, Server, is_soaking, sandbox};
use quittance_surroundings::Postgres;
use serde_json::{Value, json};
use std::ops::Range;

/// When the first subscription was made: 2025-01-01, a year and more ago.
const BEGIN_S: u64 = 1_735_689_600;

/// Subscriptions that are handed to the gateway at once.
const PORTION: u64 = 20_000;

/// Of so many subscriptions one is past due, and nobody heard of it.
const LATE_ONE_IN: u64 = 250;

/// Subscriptions, the oldest of all, that ended without anybody hearing of it: they stay active here for ever.
const ENDED: u64 = 20;

struct Shop {
    home: Home,
    gateway: Client,
    _server: Server,
    postgres: &'static Postgres,
    database: String,
}

impl Shop {
    fn open(subject: &str, subscriptions: u64) -> Option<Self> {
        let postgres = Postgres::shared(subject)?;
        let (home, database) = (Home::new(), postgres.fresh_database());
        postgres.sql(
            &database,
            "CREATE TABLE customer_accounts (id bigint PRIMARY KEY, email text NOT NULL, stripe_subscription_id text UNIQUE,
             status text, updated_at timestamptz NOT NULL DEFAULT now())",
        );
        postgres.sql(
            &database,
            &format!(
                "INSERT INTO customer_accounts SELECT n, 'c' || n || '@example.org', 'sub_' || lpad(n::text, 7, '0'), 'active'
                 FROM generate_series(0, {}) n",
                subscriptions - 1
            ),
        );
        let server = sandbox(&home);
        let gateway = Client::new(&server.base, Some("sk_test_it"));
        home.write("url", &postgres.url(&database));
        home.write("key", "sk_test_it");
        home.write("quittance.toml", &configured(&home, &server.base));
        let shop = Self { home, gateway, _server: server, postgres, database };
        shop.hand(
            "seed",
            &json!({"products": [{"id": "prod_1"}],
                "prices": [{"id": "price_1", "product": "prod_1", "currency": "usd", "unit_amount": 900}]}),
        );
        (0..subscriptions)
            .step_by(PORTION as usize)
            .for_each(|from| shop.seed(from..subscriptions.min(from + PORTION)));
        Some(shop)
    }

    fn seed(&self, numbers: Range<u64>) {
        let customer = |number: u64| json!({"id": format!("cus_{number:07}"), "created": BEGIN_S});
        let subscription = |number: u64| {
            json!({"id": id(number), "customer": format!("cus_{number:07}"), "price": "price_1", "status": "active",
                "created": BEGIN_S + number * 60})
        };
        let customers: Vec<Value> = numbers.clone().map(customer).collect();
        let subscriptions: Vec<Value> = numbers.map(subscription).collect();
        self.hand("seed", &json!({"customers": customers, "subscriptions": subscriptions}));
    }

    fn hand(&self, path: &str, body: &Value) {
        let (status, answer) = self.gateway.post(&format!("/_sandbox/{path}"), path, body);
        assert_eq!(status, 200, "{path}: {answer}");
    }

    fn change(&self, number: u64, status: &str) {
        self.hand(&format!("subscriptions/{}", id(number)), &json!({"status": status}));
    }

    fn run(&self, words: &[&str], code: i32) -> Value {
        let ended: Ended = self.home.run(&[words, &["--json"]].concat());
        assert_eq!(ended.code, code, "{words:?}: {} {}", ended.stderr, &ended.stdout[..ended.stdout.len().min(2_000)]);
        ended.json()
    }

    /// How many accounts have which status.
    fn statuses(&self) -> String {
        self.postgres.sql(
            &self.database,
            "SELECT string_agg(status || ' ' || n, ', ' ORDER BY status) FROM
             (SELECT status, count(*) n FROM customer_accounts GROUP BY status) x",
        )
    }

    /// All of the table but the times of its changes, in one word.
    fn digest(&self) -> String {
        let all = "SELECT md5(string_agg(id || email || stripe_subscription_id || status, ',' ORDER BY id)) FROM customer_accounts";
        self.postgres.sql(&self.database, all)
    }
}

fn id(number: u64) -> String {
    format!("sub_{number:07}")
}

fn configured(home: &Home, gateway: &str) -> String {
    let place = home.path("").display().to_string();
    let place = place.trim_end_matches('/');
    format!(
        "[systems.app]\nkind = \"postgres\"\nurl = \"file:{place}/url\"\nwrite_url = \"file:{place}/url\"\n\
         [systems.stripe]\nkind = \"stripe\"\napi_base = \"{gateway}\"\napi_key = \"file:{place}/key\"\n\
         requests_per_second_max = 1000\n\
         [pairs.subscriptions]\nrepairs_max = 1000\n\
         left = {{ system = \"app\", table = \"customer_accounts\", updated_at = \"updated_at\" }}\n\
         right = {{ system = \"stripe\", object = \"subscription\" }}\n\
         match = [ {{ left = \"stripe_subscription_id\", right = \"id\" }} ]\n\
         [[pairs.subscriptions.fields]]\nleft = \"status\"\nright = \"status\"\nauthority = \"right\"\n\
         values = [ {{ left = \"active\", right = [\"active\", \"trialing\"] }}, \
         {{ left = \"past_due\", right = [\"past_due\", \"unpaid\"] }}, {{ left = \"cancelled\", right = \"canceled\" }} ]\n"
    )
}

/// Webhooks are lost for 18 hours; what they would have told is repaired, approved, compared and taken back.
fn lose_and_repair(subject: &str, subscriptions: u64) {
    let Some(shop) = Shop::open(subject, subscriptions) else { return };
    let late: Vec<u64> = (ENDED..subscriptions).filter(|number| number % LATE_ONE_IN == 7).collect();
    for hour in 0..18 {
        let cut = |hour: usize| late.len() * hour / 18;
        late[cut(hour)..cut(hour + 1)].iter().for_each(|number| shop.change(*number, "past_due"));
        shop.hand("clock", &json!({"advance_s": 3_600}));
    }
    (0..ENDED).for_each(|number| shop.change(number, "canceled"));
    let (late, all) = (late.len() as u64, subscriptions);
    let before = shop.digest();

    let dry = shop.run(&["reconcile", "subscriptions", "--settle", "0s"], 1);
    assert_eq!((&dry["planned"], &dry["repaired"]), (&json!(late + ENDED), &json!(0)));
    assert_eq!(shop.digest(), before, "nothing is written unless that is asked for");

    let applied = shop.run(&["reconcile", "subscriptions", "--apply", "--settle", "0s"], 4);
    assert_eq!((&applied["repaired"], &applied["awaiting_approval"]), (&json!(late), &json!(ENDED)));
    assert_eq!(shop.statuses(), format!("active {}, past_due {late}", all - late), "nobody loses access unasked");
    let run = applied["run_id"].as_str().expect("an id");
    let approved = shop.run(&["approve", run, "--apply", "--settle", "0s"], 0);
    assert_eq!(approved["repaired"], ENDED);
    assert_eq!(shop.statuses(), format!("active {}, cancelled {ENDED}, past_due {late}", all - late - ENDED));

    let agreed = shop.run(&["diff", "subscriptions", "--settle", "0s"], 0);
    assert_eq!((&agreed["equal"], &agreed["differences"]), (&json!(all), &json!([])));
    let undone = shop.run(&["undo", run, "--apply"], 0);
    assert_eq!(undone["repaired"], late + ENDED);
    assert_eq!(shop.digest(), before);
    let again = shop.run(&["diff", "subscriptions", "--settle", "0s"], 1);
    assert_eq!((&again["different"], &again["equal"]), (&json!(late + ENDED), &json!(all - late - ENDED)));
    let verified = shop.run(&["verify"], 0);
    assert_eq!(verified["repairs"]["checked"], 2 * (late + ENDED));
}

#[test]
fn what_lost_webhooks_left_in_a_table_is_repaired_compared_and_given_back() {
    lose_and_repair("a table of 5,000 subscriptions beside a gateway", 5_000);
}

/// The same with as many as a business has: a few minutes in a debug build.
#[test]
fn soak_a_hundred_thousand_subscriptions_are_repaired_compared_and_given_back() {
    if is_soaking() {
        lose_and_repair("a table of 100,000 subscriptions beside a gateway", 100_000);
    }
}
