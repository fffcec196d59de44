//! Connections that end in the middle, and answers that never come.

use super::{change, side, text, try_write, write, writer_at};
use crate::systems::postgres::{Database, refused};
use quittance_server::systems::Blame;
use quittance_server::systems::write::{Write, WriteOptions, Writer, Written};
use std::io::{Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const THREE: &str =
    "CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a SELECT n, 'old' FROM generate_series(1, 3) AS n";

/// What is lost of the next commits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Lost {
    /// What is asked: the server never hears of it.
    Question,
    /// What is answered.
    Answer,
    /// What is asked, and the server does not learn that nobody is there any more.
    Silently,
    /// What is answered; the server cannot be reached any more after that.
    Everything,
}

/// Somebody between client and server who cuts so many commits off.
pub(super) fn before(server: SocketAddr, lost: Lost, commits: usize) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let left = Arc::new(AtomicUsize::new(commits));
    let shared = Arc::clone(&left);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            if lost == Lost::Everything && shared.load(Ordering::SeqCst) == 0 {
                continue;
            }
            let server = TcpStream::connect(server).unwrap();
            let left = Arc::clone(&shared);
            thread::spawn(move || carry(&client, &server, lost, &left));
        }
    });
    (address, left)
}

fn carry(client: &TcpStream, server: &TcpStream, lost: Lost, left: &AtomicUsize) {
    let is_deaf = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| answers(server, client, &is_deaf));
        let mut buffer = [0; 65_536];
        while let Ok(count @ 1..) = (&*client).read(&mut buffer) {
            let is_commit = buffer[..count].windows(7).any(|window| window == b"COMMIT\0");
            if is_commit && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
                match lost {
                    Lost::Question => break,
                    Lost::Silently => {
                        let _ = client.shutdown(Shutdown::Both);
                        return;
                    }
                    Lost::Answer | Lost::Everything => {}
                }
                is_deaf.store(1, Ordering::SeqCst);
            }
            if (&*server).write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
    });
}

fn answers(mut server: &TcpStream, mut client: &TcpStream, is_deaf: &AtomicUsize) {
    let mut buffer = [0; 65_536];
    while let Ok(count @ 1..) = server.read(&mut buffer) {
        if is_deaf.load(Ordering::SeqCst) == 1 || client.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
}

fn writes() -> Vec<Write> {
    (1..=3).map(|id| change(id, text("old"), text("new"))).collect()
}

#[test]
fn a_commit_whose_answer_is_lost_is_found_out() {
    for lost in [Lost::Answer, Lost::Question] {
        let Some(database) = Database::with("a lost commit in PostgreSQL", THREE) else { return };
        let (through, left) = before(database.server.socket(), lost, 1);
        let url =
            database.server.url(&database.name).replace(&database.server.socket().to_string(), &through.to_string());
        let written = write(&mut writer_at(&url, WriteOptions::default()), &writes());
        assert_eq!(left.load(Ordering::SeqCst), 0, "one was lost");
        assert_eq!(written, [Written::Done, Written::Done, Written::Done]);
        assert_eq!(database.sql("SELECT count(*) FROM a WHERE v = 'new'"), "3");
    }
}

/// What was written by a commit whose answer is lost and then changed is not told as if nobody had written it.
#[test]
fn what_a_lost_commit_wrote_may_have_been_changed_since() {
    let Some(database) = Database::with(
        "a lost commit in PostgreSQL, and a change behind it",
        &format!(
            "{THREE};
            CREATE FUNCTION theirs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.v = 'theirs'; RETURN NEW; END $$;
            CREATE TRIGGER theirs BEFORE UPDATE ON a FOR EACH ROW WHEN (NEW.id = 2) EXECUTE FUNCTION theirs()"
        ),
    ) else {
        return;
    };
    let (through, _) = before(database.server.socket(), Lost::Answer, 1);
    let url = database.server.url(&database.name).replace(&database.server.socket().to_string(), &through.to_string());
    let written = write(&mut writer_at(&url, WriteOptions::default()), &writes());
    assert_eq!(written, [Written::Done, Written::Perhaps { now: vec![text("theirs")] }, Written::Done]);
}

#[test]
fn what_stays_unknown_is_said_and_the_same_call_finds_out() {
    let Some(database) = Database::with("commits in PostgreSQL that are lost twice", THREE) else { return };
    let (through, _) = before(database.server.socket(), Lost::Answer, 2);
    let url = database.server.url(&database.name).replace(&database.server.socket().to_string(), &through.to_string());
    let mut writer = writer_at(&url, WriteOptions::default());
    refused(&try_write(&mut writer, &writes()).unwrap_err(), Blame::Outside, "is not known", "the same again");
    assert_eq!(write(&mut writer, &writes()), [Written::Already, Written::Already, Written::Already]);
}

#[test]
fn what_is_lost_before_the_server_goes_away_is_not_told_to_be_unchanged() {
    let Some(database) = Database::with("a server of PostgreSQL that goes away after a commit", THREE) else { return };
    for (from, to, is_together) in [("old", "new", false), ("new", "newer", true)] {
        let (through, left) = before(database.server.socket(), Lost::Everything, 1);
        let url =
            database.server.url(&database.name).replace(&database.server.socket().to_string(), &through.to_string());
        let mut writer = writer_at(&url, WriteOptions::default());
        let writes: Vec<Write> = (1..=3).map(|id| change(id, text(from), text(to))).collect();
        let failed = if is_together {
            writer.write_all("a", &side(1, &["id", "v"]), &writes).map(drop).unwrap_err()
        } else {
            try_write(&mut writer, &writes).unwrap_err()
        };
        assert_eq!(left.load(Ordering::SeqCst), 0, "one was lost");
        refused(&failed, Blame::Outside, "is not known", "the same again");
        assert_eq!(database.sql(&format!("SELECT count(*) FROM a WHERE v = '{to}'")), "3");
    }
}

#[test]
fn what_the_lost_transaction_may_hold_is_not_told_to_be_refused() {
    let Some(database) = Database::with("a commit in PostgreSQL that may come later", THREE) else { return };
    let (through, _) = before(database.server.socket(), Lost::Silently, 1);
    let url = database.server.url(&database.name).replace(&database.server.socket().to_string(), &through.to_string());
    let mut writer = writer_at(&url, WriteOptions::default());
    refused(&try_write(&mut writer, &writes()).unwrap_err(), Blame::Outside, "is not known", "the same again");
    let ended = "SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'";
    database.sql(ended);
    assert_eq!(write(&mut writer, &writes()), [Written::Done, Written::Done, Written::Done]);
}

#[test]
fn a_backend_that_is_ended_before_the_commit_has_written_nothing() {
    let Some(database) = Database::with(
        "an ended backend in PostgreSQL",
        "CREATE TABLE a (id int PRIMARY KEY, v text); INSERT INTO a SELECT n, 'old' FROM generate_series(1, 3) AS n;
        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.id = 2 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END $$;
        CREATE TRIGGER die BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION die()",
    ) else {
        return;
    };
    let mut writer = database.writer();
    refused(&try_write(&mut writer, &writes()).unwrap_err(), Blame::Outside, "was lost", "nothing was changed");
    assert_eq!(database.sql("SELECT count(*) FROM a WHERE v = 'old'"), "3");
    database.sql("DROP TRIGGER die ON a");
    assert_eq!(write(&mut writer, &writes()), [Written::Done, Written::Done, Written::Done], "it is reached again");
}
