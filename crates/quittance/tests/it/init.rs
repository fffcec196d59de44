//! `quittance init`: a table and a sandbox in, a configuration out that is accepted, and that `diff` runs with.

use crate::support::{Client, Ended, Home, Server, end, sandbox};
use quittance_surroundings::Postgres;
use rusqlite::Connection;
use serde_json::{Value, json};

const BEGIN: i64 = 1_700_000_000;

/// An application beside a sandbox, with `rows` subscriptions of which the table has `drifted` wrong.
struct World {
    home: Home,
    sandbox: Server,
}

/// Status at Stripe, and what the application calls it.
fn status(row: i64) -> (&'static str, &'static str) {
    [
        ("active", "active"),
        ("active", "active"),
        ("trialing", "active"),
        ("past_due", "late"),
        ("canceled", "cancelled"),
    ][(row % 5) as usize]
}

fn price(row: i64) -> (&'static str, &'static str, i64) {
    [("price_basic", "basic", 900), ("price_pro", "pro", 2_900), ("price_pro_year", "pro", 29_000)][(row % 3) as usize]
}

impl World {
    fn new(rows: i64, drifted: i64) -> Self {
        let home = Home::new();
        let sandbox = sandbox(&home);
        let world = Self { home, sandbox };
        world.home.write("key", "sk_test_it");
        world.seed(rows);
        world.fill(rows, drifted);
        world
    }

    fn seed(&self, rows: i64) {
        let subscription = |row: i64| {
            json!({
                "id": format!("sub_{row:05}"), "customer": format!("cus_{row:05}"), "status": status(row).0,
                "created": BEGIN + row * 3_600, "price": price(row).0, "quantity": 1 + row % 7,
                "metadata": {"account": format!("acc-{row}")},
            })
        };
        let prices = [0, 1, 2].map(|row| {
            let (id, _, amount) = price(row);
            json!({"id": id, "product": "prod_1", "currency": "usd", "unit_amount": amount})
        });
        let customer = |row: i64| json!({"id": format!("cus_{row:05}"), "email": format!("user{row}@example.com")});
        let seed = json!({
            "products": [{"id": "prod_1"}],
            "prices": prices,
            "customers": (0..rows).map(customer).collect::<Vec<_>>(),
            "subscriptions": (0..rows).map(subscription).collect::<Vec<_>>(),
        });
        let (code, answer) = Client::new(&self.sandbox.base, None).post("/_sandbox/seed", "-", &seed);
        assert_eq!(code, 200, "{answer}");
    }

    fn fill(&self, rows: i64, drifted: i64) {
        let mut database = Connection::open(self.home.path("app.db")).expect("opened");
        let tables = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, email TEXT NOT NULL, stripe_subscription_id TEXT,
                stripe_customer_id TEXT, subscription_status TEXT, plan TEXT, price_id TEXT, seats INTEGER,
                created_at TEXT, updated_at TEXT, notes TEXT);
            CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT);
            INSERT INTO settings VALUES ('theme', 'dark');
            CREATE TABLE empty (stripe_subscription_id TEXT);";
        database.execute_batch(tables).expect("made");
        let writing = database.transaction().expect("begun");
        for row in 0..rows {
            // What has drifted is every so-manyeth row: what another row says.
            let is_drifted = drifted > 0 && row % (rows / drifted) == 0;
            let said = if is_drifted { row + 1 } else { row };
            let subscription = (row % 20 != 3).then(|| format!("sub_{row:05}"));
            writing
                .execute(
                    "INSERT INTO accounts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
                        datetime(?9, 'unixepoch'), datetime(?9 + 86400, 'unixepoch'), ?10)",
                    rusqlite::params![
                        row + 1,
                        format!("user{row}@example.com"),
                        subscription,
                        format!("cus_{row:05}"),
                        status(said).1,
                        price(said).1,
                        price(said).0,
                        1 + said % 7,
                        BEGIN + row * 3_600,
                        format!("note {}", row * 31 % 17),
                    ],
                )
                .expect("written");
        }
        writing.commit().expect("written");
    }

    /// `init` with the sandbox, and these words.
    fn init(&self, words: &[&str]) -> Ended {
        let mut all = vec!["init", "--stripe", "file:key", "--stripe-base", &self.sandbox.base];
        all.extend(words);
        end(&mut self.home.command(&all))
    }

    fn config(&self) -> String {
        std::fs::read_to_string(self.home.path("quittance.toml")).expect("a configuration")
    }
}

fn check(ended: &Ended, code: i32, said: &[&str]) {
    assert_eq!(ended.code, code, "{ended:?}");
    for words in said {
        assert!(ended.stderr.contains(words), "{words:?} is not in {ended:?}");
    }
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
}

#[test]
fn a_table_and_an_account_make_a_configuration_that_diff_runs_with() {
    let world = World::new(600, 12);
    let ended = world.init(&["--app", "sqlite:app.db", "--table", "accounts", "--json"]);
    check(&ended, 0, &["next: quittance diff subscriptions"]);
    let proposal = ended.json();
    assert_eq!((&proposal["object"], &proposal["pair"]), (&json!("subscription"), &json!("subscriptions")));
    assert_eq!(proposal["match"][0]["left"], "stripe_subscription_id");
    assert_eq!(proposal["match"][0]["right"], "id");
    assert_eq!(proposal["match"][1]["right"], "customer");
    let fields = proposal["fields"].as_array().expect("fields");
    for (left, right) in [
        ("subscription_status", "status"),
        ("price_id", "/items/data/0/price/id"),
        ("seats", "/items/data/0/quantity"),
        ("created_at", "created | epoch_to_timestamp"),
    ] {
        let is_there =
            |field: &&Value| field["left"].as_str().is_some_and(|name| name.split(" | ").next() == Some(left));
        let field = fields.iter().find(is_there).unwrap_or_else(|| panic!("{left} is not in {proposal:#}"));
        assert_eq!(field["right"], right);
    }
    let text = world.config();
    assert!(text.contains("{ left = \"late\", right = [\"past_due\"] }"), "{text}");
    assert!(text.contains("{ left = \"active\", right = [\"active\", \"trialing\"] }"), "{text}");
    assert!(
        text.contains("# guessed: left open: \"incomplete\", \"incomplete_expired\", \"paused\", \"unpaid\""),
        "{text}"
    );
    assert!(text.contains("api_key = \"file:key\"") && !text.contains("sk_test_it"), "{text}");
    check(&world.home.run(&["check-config"]), 0, &[]);

    let ended = world.home.run(&["diff", "subscriptions", "--settle", "0s", "--json"]);
    check(&ended, 1, &[]);
    let diff = ended.json();
    assert_eq!((&diff["left_records"], &diff["right_records"]), (&json!(600), &json!(600)));
    assert_eq!((&diff["left_only"], &diff["right_only"], &diff["ambiguous"]), (&json!(0), &json!(0), &json!(0)));
    // Two neighbours of twelve have the same status, price and seats by chance in none: seats always differ.
    assert_eq!(diff["different"], 12, "{diff:#}");
}

#[test]
fn an_account_that_is_too_long_to_be_read_is_looked_at_in_few_requests() {
    let world = World::new(4_500, 450);
    let ended = world.init(&["--app", "sqlite:app.db", "--table", "accounts", "--json"]);
    check(&ended, 0, &[]);
    let proposal = ended.json();
    assert_eq!(proposal["right"]["is_whole"], false);
    let requests = proposal["right"]["requests"].as_u64().expect("a number");
    assert!(requests <= 60, "{requests}");
    let sent = &Client::new(&world.sandbox.base, None).get("/_sandbox/faults").1["requests"];
    assert!(sent.as_u64().is_some_and(|sent| sent <= 60), "{sent}");
    assert_eq!(proposal["match"][0]["found"], json!({"part": 25, "whole": 25}));
    let text = world.config();
    assert!(text.contains("{ left = \"active\", right = [\"active\", \"trialing\"] }"), "{text}");
    check(&world.home.run(&["check-config"]), 0, &[]);
}

#[test]
fn a_file_that_exists_is_left_as_it_is() {
    let world = World::new(60, 0);
    world.home.write("quittance.toml", "[server]\nlisten = \"127.0.0.1:0\"\n");
    let words = ["--app", "sqlite:app.db", "--table", "accounts"];
    let printed = world.init(&words);
    check(&printed, 0, &["quittance.toml exists and was not changed", "guessed: "]);
    assert_eq!(world.config(), "[server]\nlisten = \"127.0.0.1:0\"\n");
    // What was printed can be added to it as it is, and is a pair then.
    world.home.write("quittance.toml", &(world.config() + &printed.stdout));
    check(&world.home.run(&["check-config"]), 0, &[]);
    check(&world.init(&words), 2, &["has a pair `subscriptions`", "--pair", "--force"]);
    check(&world.init(&[&words[..], &["--pair", "subscriptions"]].concat()), 2, &["has a pair `subscriptions`"]);
    // Another pair is of the systems that are there.
    let other = world.init(&[&words[..], &["--pair", "again"]].concat());
    check(&other, 0, &[]);
    assert!(other.stdout.starts_with("[pairs.again]"), "{other:?}");
    check(&world.init(&[&words[..], &["--force"]].concat()), 0, &[]);
    assert!(world.config().starts_with("# Proposed by"));
}

#[test]
fn a_role_that_may_read_some_columns_of_a_database_suffices() {
    let Some(server) = Postgres::shared("init with PostgreSQL") else { return };
    let world = World::new(300, 0);
    let database = server.fresh_database();
    let role = format!("init_of_{database}");
    server.sql(
        &database,
        &format!(
            "CREATE TYPE standing AS ENUM ('active', 'late', 'cancelled');
            CREATE TABLE customer_accounts (id uuid PRIMARY KEY, password text, stripe_subscription_id text UNIQUE,
                standing standing, seats int, price numeric(10, 2), signed_up timestamptz, settings jsonb);
            INSERT INTO customer_accounts SELECT md5(n::text)::uuid, 'hidden', 'sub_' || lpad(n::text, 5, '0'),
                (ARRAY['active', 'active', 'active', 'late', 'cancelled'])[n % 5 + 1]::standing, 1 + n % 7,
                (ARRAY[9.00, 29.00, 290.00])[n % 3 + 1], to_timestamp({BEGIN} + n * 3600), '{{\"a\": 1}}'
                FROM generate_series(0, 299) n;
            CREATE ROLE {role} LOGIN;
            GRANT SELECT (id, stripe_subscription_id, standing, seats, price, signed_up) ON customer_accounts TO {role};"
        ),
    );
    let url = server.url(&database).replace("postgres@", &format!("{role}@"));
    let run = |words: &[&str]| {
        let mut command = world.home.command(words);
        end(command.env("APP_DATABASE_URL", &url).env("STRIPE_API_KEY", "sk_test_it"))
    };
    let words = ["init", "--app", "env:APP_DATABASE_URL", "--stripe", "env:STRIPE_API_KEY", "--stripe-base"];
    let with = |more: &[&str]| run(&[&words[..], &[&world.sandbox.base], more].concat());
    check(&with(&[]), 2, &["--table NAME: customer_accounts (subscriptions, by `stripe_subscription_id`)"]);
    check(&with(&["--table", "customer_accounts"]), 0, &["next: quittance diff subscriptions"]);
    let text = world.config();
    assert!(text.contains("url = \"env:APP_DATABASE_URL\"") && !text.contains(&url), "{text}");
    for column in ["stripe_subscription_id", "standing", "seats", "price", "signed_up"] {
        assert!(text.contains(&format!("left = \"{column}\"")), "{column} is not in {text}");
    }
    check(&run(&["check-config"]), 0, &[]);
    check(&run(&["diff", "subscriptions", "--settle", "0s"]), 0, &[]);
}

#[test]
fn files_without_types_are_tables_too() {
    let world = World::new(300, 0);
    let mut text = "account,sub,state,qty\n".to_owned();
    for row in 0..300 {
        text.push_str(&format!("acc-{row},sub_{row:05},{},{}\n", status(row).1, 1 + row % 7));
    }
    world.home.write("export.csv", &text);
    check(&world.init(&["--app", "csv:export.csv"]), 0, &[]);
    let written = world.config();
    assert!(written.contains("file = \"export.csv\""), "{written}");
    check(&world.home.run(&["check-config"]), 0, &[]);
    check(&world.home.run(&["diff", "subscriptions", "--settle", "0s"]), 0, &[]);
}

#[test]
fn what_cannot_be_known_is_named_with_the_flag_that_says_it() {
    let world = World::new(40, 0);
    let app = ["--app", "sqlite:app.db"];
    let with = |words: &[&str]| world.init(&[&app[..], words].concat());
    check(
        &with(&[]),
        2,
        &["no table is named", "--table NAME: accounts (subscriptions, by `stripe_subscription_id`), empty"],
    );
    check(&with(&["--table", "acounts"]), 2, &["acounts", "did you mean `accounts`"]);
    check(&with(&["--table", "settings"]), 2, &["no column of `settings` holds ids of Stripe's", "--object"]);
    check(&with(&["--table", "empty", "--object", "subscription"]), 2, &["`empty` has no rows"]);
    check(&with(&["--table", "settings", "--object", "subscription"]), 2, &["no column of `settings` tells which"]);
    check(&with(&["--table", "accounts", "--object", "subscribtion"]), 2, &["--object", "known are subscription"]);
    check(&with(&["--table", "accounts", "--config", "no/where.toml"]), 2, &["no/where.toml", "--config"]);
    check(&world.init(&["--app", "sqlite:missing.db", "--table", "a"]), 2, &["missing.db"]);
    let secret = world.init(&["--app", "postgres://me:hunter2@host/db", "--table", "a"]);
    check(&secret, 2, &["env:NAME"]);
    let literal = end(&mut world.home.command(&["init", "--app", "sqlite:app.db", "--stripe", "sk_live_secret"]));
    check(&literal, 2, &["env:NAME"]);
    let missing = end(&mut world.home.command(&["init", "--app", "sqlite:app.db", "--stripe", "env:NOT_SET_ANYWHERE"]));
    check(&missing, 2, &["--stripe", "NOT_SET_ANYWHERE"]);
    assert!(!world.home.path("quittance.toml").exists(), "nothing is written by what fails");
}

#[test]
fn another_account_and_an_account_that_is_not_there_are_told_apart() {
    let world = World::new(40, 0);
    let stranger = sandbox(&world.home);
    let words = ["init", "--app", "sqlite:app.db", "--table", "accounts", "--stripe", "file:key", "--stripe-base"];
    let with = |base: &str| end(&mut world.home.command(&[&words[..], &[base]].concat()));
    check(&with(&stranger.base), 2, &["no row of `accounts` is found at Stripe", "live or test"]);
    check(&with("http://127.0.0.1:9"), 3, &["stripe"]);
    assert!(!world.home.path("quittance.toml").exists());
}
