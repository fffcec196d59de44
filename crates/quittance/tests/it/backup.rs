//! Backup and restore of real books, from outside: taken while payments run, restored elsewhere, and served there.

mod refused;

use crate::support::{Answer, Client, Ended, Home, Server, Shop, bare, end};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

impl Home {
    /// Backs its data up, beside whoever serves it.
    fn back_up(&self, name: &str, words: &[&str]) -> Ended {
        let path = self.path(name);
        self.run(&[&["backup", "--json", "--to", text(&path)], words].concat())
    }

    /// Runs the binary without any data.
    fn without_data(&self, words: &[&str]) -> Ended {
        end(&mut bare(words, self.directory.path()))
    }

    fn check(&self, name: &str) -> Ended {
        self.without_data(&["backup", "--json", "--check", text(&self.path(name))])
    }

    fn restore(&self, name: &str, to: &str, words: &[&str]) -> Ended {
        let (from, to) = (self.path(name), self.path(to));
        self.without_data(&[&["restore", "--json", "--from", text(&from), "--to-data", text(&to)], words].concat())
    }

    /// Runs the binary on other data.
    fn at(&self, data: &str, words: &[&str]) -> Ended {
        end(bare(words, self.directory.path()).arg("--data").arg(self.path(data)))
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn check_good(ended: &Ended) -> Value {
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.json()
}

fn pay(client: &Client, key: &str) -> Answer {
    client.post_for_bytes("/v1/payments", key, &order(key))
}

fn order(key: &str) -> Value {
    json!({
        "customer": "anna", "amount": 1500, "currency": "USD", "gateway": "sandbox",
        "payment_method": "pm_card_visa", "reference": format!("order-{key}"),
    })
}

/// Rows of a table of a backup.
fn rows(backup: &Value, name: &str) -> u64 {
    let tables = backup["tables"].as_array().expect("a list");
    let table = tables.iter().find(|table| table["table"] == name).expect("every table is named");
    table["rows"].as_u64().expect("a number")
}

/// Sets a flag when it is dropped, also by a test that fails: nobody waits for ever.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Three backups while two clients pay without a break, and how many payments were answered before the first, and at least
/// begun until after the last.
fn back_up_under_load(shop: &Shop, secret: &str) -> (Vec<Value>, u64, u64) {
    let base = &shop.server.base;
    let (begun, paid, is_over) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let work = |worker: u64| {
            let client = Client::new(base, Some(secret));
            for number in 0.. {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                begun.fetch_add(1, Ordering::SeqCst);
                let answer = pay(&client, &format!("load-{worker}-{number}"));
                // Where it takes long, the outcome is told later.
                assert!([201, 202].contains(&answer.status), "{answer:?}");
                paid.fetch_add(1, Ordering::SeqCst);
            }
        };
        let _end = End(&is_over);
        let workers = [0, 1].map(|worker| scope.spawn(move || work(worker)));
        let before = paid.load(Ordering::SeqCst);
        let taken = [("one", "zstd"), ("two", "zstd"), ("plain", "none")]
            .map(|(name, packing)| check_good(&shop.home.back_up(name, &["--compression", packing])));
        let after = begun.load(Ordering::SeqCst);
        // The writer goes on.
        let client = Client::new(&shop.server.base, Some(secret));
        let answer = pay(&client, "after");
        assert!([201, 202].contains(&answer.status), "{answer:?}");
        is_over.store(true, Ordering::SeqCst);
        workers.into_iter().for_each(|worker| worker.join().expect("no payment failed"));
        (taken.to_vec(), before, after)
    })
}

#[test]
fn a_backup_beside_running_payments_is_one_moment_and_serves_elsewhere() {
    let shop = Shop::open();
    let home = &shop.home;
    let secret = home.credential();
    let client = Client::new(&shop.server.base, Some(&secret));
    let answers: Vec<(String, Answer)> =
        (0..5).map(|number| format!("before-{number}")).map(|key| (key.clone(), pay(&client, &key))).collect();
    let (taken, before, after) = back_up_under_load(&shop, &secret);
    for (name, backup) in ["one", "two", "plain"].into_iter().zip(&taken) {
        let payments = rows(backup, "payments");
        assert!((6 + before..=6 + after).contains(&payments), "{payments}, where {before} to {after} are possible");
        let mode = fs::metadata(home.path(name)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "only the owner reads secrets");
        assert!(!home.path(&format!("{name}.part")).exists());
        let dry = ["restore", "--dry-run", "--json", "--from", text(&home.path(name))].map(str::to_owned);
        for checked in [home.check(name), home.without_data(&dry.each_ref().map(String::as_str))] {
            let checked = check_good(&checked);
            assert_eq!((&checked["sha256"], &checked["tables"]), (&backup["sha256"], &backup["tables"]));
        }
        let data = format!("data-{name}");
        let restored = check_good(&home.restore(name, &data, &[]));
        assert_eq!((&restored["verified"]["findings_count"], &restored["recovering"]), (&json!(0), &json!(true)));
        assert_eq!(check_good(&home.at(&data, &["verify", "--json"]))["findings"], json!([]));
        // What was restored is what was backed up, but for the recovery.
        let again = home.path(&format!("again-{name}"));
        let again = check_good(&home.at(&data, &["backup", "--json", "--to", text(&again)]));
        let tables = |backup: &Value| {
            let tables = backup["tables"].as_array().expect("a list").clone();
            tables.into_iter().filter(|table| table["table"] != "switches").collect::<Vec<_>>()
        };
        assert_eq!(tables(&again), tables(backup));
    }
    check_serves(home, &secret, &answers);
}

/// A server on restored data answers what was asked before in the same bytes, and sends nothing before gateways were swept,
/// or a person says so.
fn check_serves(home: &Home, secret: &str, answers: &[(String, Answer)]) {
    let server = Server::start(
        bare(&["serve", "--listen", "127.0.0.1:0"], home.directory.path()).arg("--data").arg(home.path("data-two")),
    );
    let client = Client::new(&server.base, Some(secret));
    let ready = client.get("/readyz").1;
    assert_eq!(ready["degraded"][0]["code"], json!("recovering"), "{ready}");
    for (key, first) in answers {
        let again = pay(&client, key);
        assert!(again.is_replayed, "{again:?}");
        assert_eq!((again.status, again.body), (first.status, first.body.clone()), "the same bytes");
    }
    let (status, told) = client.post_async("/v1/payments", "new", &order("new"));
    assert_eq!((status, told["status"].as_str()), (202, Some("processing")), "{told}");
    let force = ["resume", "--json", "--force", "--gateway", "sandbox", "--reason", "looked at by hand"];
    check_good(&home.at("data-two", &force));
    let answer = pay(&client, "new");
    assert_eq!((answer.status, answer.json()["status"].as_str()), (201, Some("succeeded")), "{answer:?}");
}

#[test]
fn comparisons_that_are_kept_beside_the_books_are_backed_up_with_them() {
    let mut shop = Shop::open();
    assert_eq!(shop.server.terminate(), 0);
    let home = &shop.home;
    home.write("a.csv", "id,status\n1,x\n2,x\n");
    home.write("b.csv", "id,status\n1,x\n2,y\n");
    let folder = text(home.directory.path()).to_owned();
    let side = |file: &str| format!("{{ system = \"files\", table = \"{file}\" }}");
    home.configure(&format!(
        "[systems.files]\nkind = \"csv\"\npath = \"{folder}\"\n[pairs.p]\nleft = {}\nright = {}\n\
         match = [ {{ left = \"id\", right = \"id\" }} ]\nfields = [ {{ left = \"status\", right = \"status\" }} ]\n",
        side("a"),
        side("b")
    ));
    let ended = home.run(&["diff", "p", "--settle", "0s", "--json"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let backup = check_good(&home.back_up("file", &[]));
    assert_eq!((rows(&backup, "runs"), rows(&backup, "drifts")), (1, 1), "{backup:#}");
    check_good(&home.restore("file", "elsewhere", &[]));
    let verified = check_good(&home.at("elsewhere", &["verify", "--json"]));
    assert_eq!((&verified["books"], &verified["proofs"]), (&json!(1), &json!({"checked": 1, "broken": []})));
}
