//! What several servers remember together, in a real Redis: who asks, who hears what, and what is believed of what lies there.

use super::{Provider, Stage, pair_of, told};
use crate::api::app::{ADMIN, bearer};
use crate::api::call::Call;
use quittance_surroundings::Redis;
use redis::{Commands, Connection};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const RISK: &str = "truth_redis_away";

/// Longer than any of this takes; reached only when something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// Servers that share a Redis, and believe the same provider.
struct Shop {
    redis: Redis,
    provider: Provider,
    truth: String,
    key: String,
    more: String,
    /// Where its address is, and master keys.
    files: TempDir,
}

impl Shop {
    /// None where there is no Redis.
    async fn open(subject: &str, truth: &str, key: &str) -> Option<Self> {
        let redis = Redis::start_with(subject, &["--appendonly", "yes", "--appendfsync", "always"])?;
        let files = TempDir::new().expect("a folder");
        std::fs::write(files.path().join("redis"), redis.url()).expect("an address written");
        let more = format!("[truth]\nredis = \"file:{}\"\n", files.path().join("redis").display());
        let (truth, key) = (truth.to_owned(), key.to_owned());
        Some(Self { redis, provider: Provider::start().await, truth, key, more, files })
    }

    /// The same where everything that is kept is sealed.
    fn sealed(mut self) -> Self {
        let file = self.files.path().join("key");
        std::fs::write(&file, "07".repeat(32)).expect("a key written");
        self.more.push_str(&format!("[encryption]\nkeys = [{{ id = \"a\", key = \"file:{}\" }}]\n", file.display()));
        self
    }

    /// A server, once it shares.
    async fn server(&self) -> Arc<Stage> {
        self.server_by("rk_test_1").await
    }

    async fn server_by(&self, credential: &str) -> Arc<Stage> {
        let stage =
            Stage::open_at(self.provider.clone(), &self.truth, &self.key, credential, &format!("\n{}", self.more))
                .await;
        shares(&stage, true).await;
        Arc::new(stage)
    }

    fn client(&self) -> Connection {
        redis::Client::open(self.redis.url()).expect("an address").get_connection().expect("it listens")
    }

    /// Waits until the one answer is kept: whoever asks before that waits for it, too.
    async fn until_kept(&self) {
        let waiting = async {
            loop {
                if let [name] = self.names("e").as_slice()
                    && self.client().hexists(name, "v").unwrap_or(false)
                {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("it is kept");
    }

    /// Every entry of a kind: `e` of a key, `i` of an identity.
    fn names(&self, kind: &str) -> Vec<String> {
        self.client().keys(format!("{{quittance:truth}}:*:{kind}:*")).expect("names")
    }
}

/// Waits until a server shares, or does not.
async fn shares(stage: &Stage, is_so: bool) {
    let waiting = async {
        while stage.app.handle.readiness().risks.iter().any(|risk| risk.code == RISK) == is_so {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it is heard whether Redis is there");
}

async fn invalidate(stage: &Stage, key: &str) {
    let path = format!("/v1/truth/subscriptions/{key}/invalidate");
    stage.app.send(Call::new("POST", &path).header("authorization", &bearer(ADMIN))).await.expect(200, "");
}

/// Asks until it is told so.
async fn until(stage: &Stage, key: &str, status: &str) {
    let path = format!("/v1/truth/subscriptions/{key}");
    stage.app.until(&path, |answer| answer.text("/fields/status") == status).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_server_was_told_the_other_knows() {
    for sealed in [false, true] {
        let Some(shop) = Shop::open("answers that two servers share", "max_age = \"1h\"", "customer").await else {
            return;
        };
        let shop = if sealed { shop.sealed() } else { shop };
        shop.provider.keep("sub_1", "cus_1", "active");
        let (one, other) = (shop.server().await, shop.server().await);
        let first = one.ask("cus_1").await.expect(200, "").json();
        assert_eq!((&first["fields"]["status"], &first["source"]), (&"active".into(), &"provider".into()));
        shop.until_kept().await;
        let shared = other.ask("cus_1").await.expect(200, "").json();
        assert_eq!((&shared["fields"], &shared["as_of"]), (&first["fields"], &first["as_of"]));
        assert_eq!(shared["source"], "cache");
        assert!(shared["age_ms"].as_u64().is_some_and(|age| age < 60_000), "{shared}");
        assert_eq!(shop.provider.calls(), 1);
        // Whoever wants it fresh asks, and the first one still has the older answer in its memory.
        assert_eq!(told(&other.ask("cus_1?max_age=0").await), pair_of("active", "provider"));
        assert_eq!((told(&one.ask("cus_1").await), shop.provider.calls()), (pair_of("active", "cache"), 2));
        let all: Vec<String> = shop.client().keys("*").expect("names");
        for name in &all {
            assert!(shop.client().ttl::<_, i64>(name).expect("a span") > 0, "nothing is kept for ever: {name}");
        }
        for name in &all {
            let lies: Vec<u8> = redis::cmd("DUMP").arg(name).query(&mut shop.client()).expect("what lies there");
            let all = [name.as_bytes(), &lies].concat();
            let shows = |word: &str| all.windows(word.len()).any(|bytes| bytes == word.as_bytes());
            assert!(!name.contains("cus_1") && !(sealed && (shows("cus_1") || shows("sub_1") || shows("active"))));
        }
        assert_eq!((shop.names("e").len(), shop.names("i").len()), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_who_miss_at_once_at_two_servers_are_one_question() {
    let truth = "max_age = \"5m\", timeout = \"60s\"";
    let Some(shop) = Shop::open("one question of two servers", truth, "id").await else { return };
    shop.provider.keep("sub_1", "cus_1", "active");
    shop.provider.open(false);
    let servers = [shop.server().await, shop.server().await];
    let asked: Vec<_> = (0..1_000)
        .map(|no| {
            let server = Arc::clone(&servers[no % 2]);
            tokio::spawn(async move { server.ask("sub_1").await })
        })
        .collect();
    shop.provider.until(1).await;
    // The other server has looked several times, and waits.
    let mut client = shop.client();
    let mut looks = || -> bool {
        let stats: String = redis::cmd("INFO").arg("commandstats").query(&mut client).expect("numbers");
        let calls = |name: &str| -> u64 {
            let told = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{name}:calls=")));
            told.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or(0)
        };
        // Each heartbeat publishes, and nothing else here does.
        calls("eval").saturating_sub(calls("publish")) >= 8
    };
    while !looks() {
        tokio::task::yield_now().await;
    }
    shop.provider.open(true);
    for answer in asked {
        let answer = answer.await.expect("answered");
        assert_eq!(answer.expect(200, "").text("/fields/status"), "active");
    }
    assert_eq!(shop.provider.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_server_hears_the_other_forgets() {
    for sealed in [false, true] {
        let Some(shop) = Shop::open("what servers hear from one another", "max_age = \"1h\"", "customer").await else {
            return;
        };
        let shop = if sealed { shop.sealed() } else { shop };
        shop.provider.keep("sub_1", "cus_1", "active");
        let (one, other) = (shop.server().await, shop.server().await);
        for server in [&one, &other] {
            server.ask("cus_1").await.expect(200, "");
        }
        shop.provider.keep("sub_1", "cus_1", "canceled");
        // A webhook names the subscription, which only its answer tells of.
        one.tell(1, "sub_1").await;
        assert_eq!(told(&one.ask("cus_1").await), pair_of("ended", "provider"));
        until(&other, "cus_1", "ended").await;
        assert_eq!(shop.provider.calls(), 2, "the other one was told by the first");
        shop.provider.keep("sub_1", "cus_1", "active");
        invalidate(&other, "cus_1").await;
        assert_eq!(told(&other.ask("cus_1").await), pair_of("active", "provider"));
        until(&one, "cus_1", "active").await;
        assert_eq!(shop.provider.calls(), 3);
        // A server that comes later knows what they know, and a webhook that it hears is heard by those before it.
        let third = shop.server().await;
        assert_eq!(told(&third.ask("cus_1").await), pair_of("active", "cache"));
        shop.provider.keep("sub_1", "cus_1", "canceled");
        third.tell(2, "sub_1").await;
        until(&one, "cus_1", "ended").await;
        until(&other, "cus_1", "ended").await;
        assert_eq!(shop.provider.calls(), 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_whose_record_redis_dropped_is_asked_anew() {
    let Some(shop) = Shop::open("a Redis that drops keys", "max_age = \"1h\"", "customer").await else { return };
    shop.provider.keep("sub_1", "cus_1", "active");
    let (one, other) = (shop.server().await, shop.server().await);
    one.ask("cus_1").await.expect(200, "");
    shop.until_kept().await;
    let drop_identity = || shop.client().del::<_, i64>(shop.names("i")).expect("dropped");
    assert_eq!(drop_identity(), 1);
    shop.provider.keep("sub_1", "cus_1", "canceled");
    // The server that hears of the subscription does not know whose it is, nor does Redis any more.
    other.tell(1, "sub_1").await;
    assert_eq!(told(&other.ask("cus_1").await), pair_of("ended", "provider"));
    until(&one, "cus_1", "ended").await;
    assert_eq!(shop.provider.calls(), 2, "it is shared again");
    // One that does know has Redis forget it by its key, too.
    shop.until_kept().await;
    assert_eq!(drop_identity(), 1);
    shop.provider.keep("sub_1", "cus_1", "active");
    other.tell(2, "sub_1").await;
    let waiting = async {
        while !shop.names("e").is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it is forgotten");
    until(&one, "cus_1", "active").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_asked_before_another_heard_of_a_change_nobody_remembers_after_it() {
    for key in ["id", "customer"] {
        let truth = "max_age = \"1h\", timeout = \"60s\"";
        let Some(shop) = Shop::open("questions that a change overtakes", truth, key).await else { return };
        let of_record = if key == "id" { "sub_1" } else { "cus_1" };
        shop.provider.keep("sub_1", "cus_1", "active");
        let (one, other) = (shop.server().await, shop.server().await);
        shop.provider.open(false);
        let asking = |server: &Arc<Stage>| {
            let server = Arc::clone(server);
            tokio::spawn(async move { server.ask(of_record).await })
        };
        let first = asking(&other);
        shop.provider.until(1).await;
        shop.provider.keep("sub_1", "cus_1", "canceled");
        one.tell(1, "sub_1").await;
        // What is told of it is told by its id; under another key it is known by the answer alone.
        if key == "customer" {
            invalidate(&one, "cus_2").await;
        }
        // For want of room, Redis drops all that it may drop without dropping the question.
        let names: Vec<String> = shop.client().keys("*").expect("names");
        for name in names.iter().filter(|name| !name.contains(":e:") && !name.ends_with(":era")) {
            let _: i64 = shop.client().del(name).expect("dropped");
        }
        shop.provider.open(true);
        assert_eq!(told(&first.await.expect("answered")), pair_of("active", "provider"));
        let third = shop.server().await;
        for server in [&one, &other, &third] {
            until(server, of_record, "ended").await;
        }
        assert_eq!(told(&third.ask(of_record).await), pair_of("ended", "cache"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_not_held_up_by_one_from_before_a_change() {
    let truth = "max_age = \"1h\", timeout = \"60s\"";
    let Some(shop) = Shop::open("questions after a change", truth, "id").await else { return };
    shop.provider.keep("sub_1", "cus_1", "active");
    let (one, other) = (shop.server().await, shop.server().await);
    shop.provider.open(false);
    let asking = |server: &Arc<Stage>| {
        let server = Arc::clone(server);
        tokio::spawn(async move { server.ask("sub_1").await })
    };
    let first = asking(&other);
    shop.provider.until(1).await;
    shop.provider.keep("sub_1", "cus_1", "canceled");
    invalidate(&one, "sub_1").await;
    let second = asking(&one);
    shop.provider.until(2).await;
    shop.provider.open(true);
    assert_eq!(told(&first.await.expect("answered")), pair_of("active", "provider"));
    assert_eq!(told(&second.await.expect("answered")), pair_of("ended", "provider"));
    until(&other, "sub_1", "ended").await;
    assert_eq!(shop.provider.calls(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_go_on_without_redis_and_nothing_from_before_is_told_when_it_is_back() {
    let Some(mut shop) = Shop::open("a Redis that is killed", "max_age = \"1h\"", "id").await else { return };
    for no in 1..=3 {
        shop.provider.keep(&format!("sub_{no}"), "cus_1", "active");
    }
    let (one, other) = (shop.server().await, shop.server().await);
    for key in ["sub_1", "sub_2"] {
        one.ask(key).await.expect(200, "");
    }
    other.ask("sub_1").await.expect(200, "");
    assert_eq!(shop.provider.calls(), 2);
    shop.redis.kill();
    for server in [&one, &other] {
        shares(server, false).await;
        assert_eq!(told(&server.ask("sub_1").await), pair_of("active", "cache"), "from memory");
        assert_eq!(told(&server.ask("sub_3").await), pair_of("active", "provider"));
    }
    for no in 1..=3 {
        shop.provider.keep(&format!("sub_{no}"), "cus_1", "canceled");
    }
    for key in ["sub_1", "sub_2", "sub_3"] {
        invalidate(&one, key).await;
    }
    assert_eq!(told(&one.ask("sub_1").await), pair_of("ended", "provider"));
    // It has kept what it knew on the disk, and was told nothing meanwhile.
    shop.redis.restart();
    assert!(!shop.names("e").is_empty());
    for server in [&one, &other] {
        shares(server, true).await;
    }
    for key in ["sub_1", "sub_2", "sub_3"] {
        for server in [&other, &one] {
            assert_eq!(server.ask(key).await.expect(200, "").text("/fields/status"), "ended", "{key}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_stands_still_holds_nobody_up_and_is_told_when_it_goes_on() {
    let Some(shop) = Shop::open("a Redis that stands still", "max_age = \"1h\", timeout = \"20s\"", "id").await else {
        return;
    };
    shop.provider.keep("sub_1", "cus_1", "active");
    shop.provider.keep("sub_2", "cus_2", "active");
    let (one, other) = (shop.server().await, shop.server().await);
    for server in [&one, &other] {
        server.ask("sub_1").await.expect(200, "");
    }
    shop.redis.freeze();
    assert_eq!(told(&other.ask("sub_2").await), pair_of("active", "provider"));
    shop.provider.keep("sub_1", "cus_1", "canceled");
    invalidate(&one, "sub_1").await;
    assert_eq!(told(&one.ask("sub_1").await), pair_of("ended", "provider"));
    shop.redis.thaw();
    until(&other, "sub_1", "ended").await;
    shares(&one, true).await;
    shares(&other, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_answers_and_lets_nothing_be_shared_is_away_until_it_does() {
    let Some(shop) = Shop::open("a Redis that refuses", "max_age = \"1h\"", "id").await else { return };
    let one = shop.server().await;
    for (no, (refuse, allow, why)) in [
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "read only replica"),
        ("ACL SETUSER default -eval", "ACL SETUSER default +eval", "eval"),
        ("ACL SETUSER default -publish", "ACL SETUSER default +publish", "does not do what is asked of it"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut client = shop.client();
        let mut say = |words: &str| {
            let words: Vec<_> = words.split(' ').collect();
            let _: () = redis::cmd(words[0]).arg(&words[1..]).query(&mut client).expect("done");
        };
        let key = format!("sub_{no}");
        shop.provider.keep(&key, "cus_1", "active");
        say(refuse);
        shares(&one, false).await;
        let waiting = async {
            while !one.app.handle.readiness().risks.iter().any(|risk| risk.what.contains(why)) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("it is said why");
        assert_eq!(told(&one.ask(&key).await), pair_of("active", "provider"));
        say(allow);
        shares(&one, true).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_permissions_that_are_documented_are_enough() {
    let Some(shop) = Shop::open("a user of Redis who may do little", "max_age = \"1h\"", "customer").await else {
        return;
    };
    let docs = include_str!("../../../../../../docs/truth.md");
    let needed =
        docs.split("A user for it needs `").nth(1).and_then(|rest| rest.split('`').next()).expect("it is told");
    let places = ["on", ">secret", "~{quittance:truth}*", "resetchannels", "&{quittance:truth}*"];
    let _: () = redis::cmd("ACL")
        .arg(&["SETUSER", "quittance"])
        .arg(&places)
        .arg(needed.split_whitespace().collect::<Vec<_>>())
        .query(&mut shop.client())
        .expect("a user");
    let address = shop.redis.url().replace("redis://", "redis://quittance:secret@");
    std::fs::write(shop.files.path().join("redis"), address).expect("an address written");
    shop.provider.keep("sub_1", "cus_1", "active");
    let (one, other) = (shop.server().await, shop.server().await);
    one.ask("cus_1").await.expect(200, "");
    shop.until_kept().await;
    assert_eq!(told(&other.ask("cus_1").await), pair_of("active", "cache"));
    shop.provider.keep("sub_1", "cus_1", "canceled");
    other.tell(1, "sub_1").await;
    until(&one, "cus_1", "ended").await;
    assert_eq!(shop.provider.calls(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_stands_still_is_noticed_however_much_is_heard() {
    let Some(shop) = Shop::open("what is heard while Redis stands still", "max_age = \"1h\"", "id").await else {
        return;
    };
    let one = shop.server().await;
    shop.redis.freeze();
    let hearing = async {
        while one.app.handle.readiness().risks.iter().all(|risk| risk.code != RISK) {
            invalidate(&one, "sub_1").await;
        }
    };
    tokio::time::timeout(PATIENCE, hearing).await.expect("it is away");
    shop.redis.thaw();
    shares(&one, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_is_made_anew_and_nothing_is_remembered_over_it() {
    let Some(shop) = Shop::open("connections that break", "max_age = \"1h\"", "id").await else { return };
    shop.provider.keep("sub_1", "cus_1", "active");
    let (one, other) = (shop.server().await, shop.server().await);
    for server in [&one, &other] {
        server.ask("sub_1").await.expect(200, "");
    }
    shop.provider.keep("sub_1", "cus_1", "canceled");
    // Both go at once: what the first one says is said to nobody.
    let killed: i64 =
        redis::cmd("CLIENT").arg(&["KILL", "TYPE", "pubsub"]).query(&mut shop.client()).expect("they are cut off");
    assert_eq!(killed, 2);
    invalidate(&one, "sub_1").await;
    until(&other, "sub_1", "ended").await;
    until(&one, "sub_1", "ended").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_in_redis_is_asked_anew_and_what_was_asked_before_is_not_put_there() {
    let Some(shop) = Shop::open("a Redis that forgets", "max_age = \"1h\", timeout = \"60s\"", "id").await else {
        return;
    };
    shop.provider.keep("sub_1", "cus_1", "active");
    let (one, other) = (shop.server().await, shop.server().await);
    shop.provider.open(false);
    let first = {
        let one = Arc::clone(&one);
        tokio::spawn(async move { one.ask("sub_1").await })
    };
    shop.provider.until(1).await;
    let _: () = redis::cmd("FLUSHALL").query(&mut shop.client()).expect("it forgets");
    shop.provider.open(true);
    assert_eq!(told(&first.await.expect("answered")), pair_of("active", "provider"));
    assert_eq!(told(&other.ask("sub_1").await), pair_of("active", "provider"));
    assert_eq!(shop.provider.calls(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_redis_and_cannot_be_read_is_not_believed() {
    for sealed in [false, true] {
        let Some(shop) = Shop::open("garbage in Redis", "max_age = \"1h\"", "id").await else { return };
        let shop = if sealed { shop.sealed() } else { shop };
        shop.provider.keep("sub_1", "cus_1", "active");
        let one = shop.server().await;
        one.ask("sub_1").await.expect(200, "");
        shop.until_kept().await;
        let mut client = shop.client();
        let (name, calls) = (shop.names("e").remove(0), shop.provider.calls());
        let forged =
            b"{\"form\":1}\n{\"object\":\"truth\",\"pair\":\"subscriptions\",\"key\":\"sub_1\",\"found\":true,"
                .to_vec();
        let put: [&dyn Fn(&mut Connection); 6] = [
            &|client| client.hset(&name, "v", "garbage").expect("put"),
            &|client| client.hset(&name, "v", &forged).expect("put"),
            &|client| client.hset(&name, "v", vec![0xff_u8; 1_000_000]).expect("put"),
            &|client| client.hset(&name, "t", "9999999999999999").expect("put"),
            &|client| client.hset(&name, "t", "tomorrow").expect("put"),
            &|client| client.set(&name, "no hash").expect("put"),
        ];
        for (no, put) in (1..).zip(put) {
            put(&mut client);
            // Whoever has it in its memory does not look; a server that has just come does.
            let server = shop.server().await;
            assert_eq!(told(&server.ask("sub_1").await), pair_of("active", "provider"), "{no}");
            assert_eq!(shop.provider.calls(), calls + no);
            shop.until_kept().await;
            let next = shop.server().await;
            assert_eq!(next.ask("sub_1").await.expect(200, "").text("/fields/status"), "active", "{no}");
            assert_eq!(shop.provider.calls(), calls + no, "{no}: it is whole again");
        }
        // What nobody can read may be about anything.
        shop.provider.keep("sub_1", "cus_1", "canceled");
        let _: () = redis::cmd("FLUSHALL").query(&mut client).expect("it forgets");
        assert_eq!(told(&one.ask("sub_1").await), pair_of("active", "cache"), "its memory is its own");
        let heard: i64 = client.publish("{quittance:truth}:heard", "garbage").expect("said");
        assert!(heard >= 1);
        until(&one, "sub_1", "ended").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_by_another_credential_or_cannot_open_it_does_not_believe_it() {
    let Some(shop) = Shop::open("servers that are not alike", "max_age = \"1h\"", "id").await else { return };
    shop.provider.keep("sub_1", "cus_1", "active");
    shop.server_by("rk_test_1").await.ask("sub_1").await.expect(200, "");
    shop.until_kept().await;
    let stranger = shop.server_by("rk_test_2").await;
    assert_eq!(told(&stranger.ask("sub_1").await), pair_of("active", "provider"));
    let shop = shop.sealed();
    let sealing = shop.server_by("rk_test_2").await;
    assert_eq!(told(&sealing.ask("sub_1").await), pair_of("active", "provider"), "what is plain is anybody's");
    assert_eq!(shop.provider.calls(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_answer_of_another_server_is_told_where_the_system_cannot_be_asked() {
    let truth = "max_age = \"0s\", stale_if_error = \"1h\"";
    let Some(shop) = Shop::open("old answers of other servers", truth, "id").await else { return };
    shop.provider.keep("sub_1", "cus_1", "active");
    let (one, other) = (shop.server().await, shop.server().await);
    one.ask("sub_1").await.expect(200, "");
    shop.until_kept().await;
    shop.provider.is_down(true);
    assert_eq!(told(&other.ask("sub_1").await), pair_of("active", "stale"));
    invalidate(&one, "sub_1").await;
    let third = shop.server().await;
    third.ask("sub_1").await.expect(502, "truth-provider-failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_redis_a_server_starts_and_answers_and_says_so() {
    let Some(mut shop) = Shop::open("a Redis that is not there", "max_age = \"1h\"", "id").await else { return };
    shop.provider.keep("sub_1", "cus_1", "active");
    shop.redis.kill();
    let stage =
        Stage::open_at(shop.provider.clone(), &shop.truth, "id", "rk_test_1", &format!("\n{}", shop.more)).await;
    assert_eq!(told(&stage.ask("sub_1").await), pair_of("active", "provider"));
    assert_eq!(told(&stage.ask("sub_1").await), pair_of("active", "cache"));
    let ready = stage.app.send(Call::new("GET", "/readyz")).await.expect(200, "");
    let risks = ready.json()["risks"].to_string();
    assert!(risks.contains(RISK) && risks.contains("[truth] redis"), "{risks}");
    shop.redis.restart();
    shares(&stage, true).await;
}
