//! A database that the next version has migrated while this one still runs: servers go on, rows of formats that they do not
//! know are left alone, and once the next version says that they must not go on, they do not. Does not own what must hold
//! afterwards (`audit`).

use super::{ORDERS, seed, world};
use crate::client::Command;
use crate::demo::dice::Dice;
use crate::surroundings::{span, until};
use crate::world::{SERVERS, World};
use serde_json::json;
use std::time::Duration;

/// Longest wait for servers to notice: some leases.
const NOTICE_S_MAX: u64 = 90;

/// What a migration of the next version would do that this one can live with: it takes the lock of migrations, adds, and
/// says by the second number which version one has to know to go on.
const ADDITIVE: &str = "BEGIN; SELECT pg_advisory_xact_lock(x'51756974'::bigint);
    ALTER TABLE quittance.payments ADD COLUMN next_note text COLLATE \"C\";
    ALTER TABLE quittance.effects ADD COLUMN next_rank bigint NOT NULL DEFAULT 0;
    CREATE TABLE quittance.next_things (id bytea NOT NULL PRIMARY KEY, body bytea NOT NULL);
    CREATE INDEX payments_by_next_note ON quittance.payments (next_note) WHERE next_note IS NOT NULL;
    INSERT INTO quittance.schema_version (version, usable_from) VALUES (2, 1); COMMIT";

/// One that it cannot live with.
const EXCLUSIVE: &str = "INSERT INTO quittance.schema_version (version, usable_from) VALUES (3, 3)";

/// The effect of the payment under this reference.
const EFFECT: &str = "(SELECT effect FROM quittance.payments WHERE reference = 'order-next')";

impl World {
    fn books(&self, statements: &str) -> String {
        self.postgres().sql(&self.database, statements)
    }

    /// Migrates beside writers, whose locks it needs: where they wait for each other it is tried again, all or nothing.
    fn migrate(&self) {
        let migrated = until(span(NOTICE_S_MAX), || {
            let mut psql = self.postgres().client("psql");
            psql.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", &self.database]);
            let output = psql.args(["--command", ADDITIVE]).output().expect("psql runs");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() || said.contains("deadlock detected"), "{said}");
            output.status.success().then_some(())
        });
        migrated.unwrap_or_else(|_| panic!("a migration never got its locks"));
    }

    fn operate(&self, words: &[&str]) {
        let output = self.binary(words).output().expect("it runs");
        assert!(output.status.success(), "{words:?}: {output:?}");
    }

    fn wait_for(&self, what: &str, is_so: impl Fn() -> bool) {
        let waited = until(span(NOTICE_S_MAX), || is_so().then_some(()));
        waited.unwrap_or_else(|_| panic!("never: {what}\n{}", self.logs()));
    }

    /// A payment is accepted and waits, and the next version writes its effect anew in a form of its own.
    fn meet_a_newer_format(&mut self) {
        self.tell("an effect has the format of the next version");
        self.operate(&["pause", "--gateway", "west", "--reason", "the next version"]);
        let customer = json!({"external_id": "next", "name": "next"});
        self.post(&Command { path: "/v1/customers".to_owned(), key: "next".to_owned(), body: customer });
        let body = json!({
            "customer": "next", "amount": 900, "currency": "USD", "gateway": "west",
            "payment_method": "pm_card_visa", "reference": "order-next", "metadata": {"order": "order-next"},
        });
        self.post(&Command { path: "/v1/payments".to_owned(), key: "order-next".to_owned(), body });
        self.wait_for("the payment is accepted", || !self.books(&format!("SELECT {EFFECT}")).is_empty());
        let format =
            |number: u8| format!("UPDATE quittance.effects SET body = set_byte(body, 0, {number}) WHERE id = {EFFECT}");
        self.books(&format(2));
        self.operate(&["resume", "--gateway", "west"]);
        self.wait_for("it is left alone", || self.logs_contain("an effect cannot be read and is left alone"));
        let sent = self.books(&format!("SELECT count(*) FROM quittance.tickets WHERE effect = {EFFECT}"));
        assert_eq!(sent, "0", "what is not understood is not sent");
        self.look_for_deaths();
        self.books(&format(1));
        let status = "SELECT status FROM quittance.payments WHERE reference = 'order-next'";
        self.wait_for("it is paid", || self.books(status) == "succeeded");
    }

    /// Asked once, so that it is accepted, without waiting for what comes of it.
    fn post(&self, command: &Command) {
        self.wait(self.load.api.try_once(command, &mut Dice::new(0, 3), Duration::from_secs(4)));
    }

    /// This version may go on no longer: it starts nowhere, and what runs ends at its next connection.
    fn forbid(&mut self) {
        self.tell("the next version lets this one go on no longer");
        self.books(EXCLUSIVE);
        let Err(said) = self.spawn(0) else { panic!("a server starts on a schema that is too new for it") };
        assert!(said.contains("needs a newer quittance"), "{said}");
        self.end_connections();
        for at in 0..SERVERS {
            let status = self.servers[at].wait();
            let words = self.servers[at].last_words();
            assert!(!status.success() && words.contains("needs a newer quittance"), "server {at}: {status}\n{words}");
        }
        self.books("DELETE FROM quittance.schema_version WHERE version = 3");
        self.tell("it may again");
        for at in 0..SERVERS {
            self.start_again(at);
        }
    }
}

#[test]
fn a_server_goes_on_under_the_schema_of_the_next_version() {
    let Some(mut world) = world("a schema of the next version, on PostgreSQL", seed()) else { return };
    world.begin();
    world.progress(ORDERS);
    world.tell("the next version migrates");
    world.migrate();
    world.progress(ORDERS);
    world.exchange_server(0);
    world.kill_server(1);
    world.progress(ORDERS);
    world.meet_a_newer_format();
    world.progress(ORDERS);
    world.forbid();
    world.progress(ORDERS);
    world.judge();
}
