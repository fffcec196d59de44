//! PostgreSQL servers for tests: each in a folder of its own, on loopback, gone with the test. Does not own where its
//! programs are (`peer`), nor what is asked of a server.
//!
//! A server never runs as root, which it would refuse: tests that do start it as `postgres` or `nobody`.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use crate::Peer;
use crate::folder::Folder;
use crate::log::Log;
use crate::ports::{STARTS_MAX, free_port};
use crate::user::{self, User};

/// What every server is started with, before what its test asks for.
const SETTINGS: [&str; 3] = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "wal_level=logical"];

/// What a server says as soon as it can be asked; one that follows another goes on with `read-only connections`.
const READY: &str = "database system is ready to accept ";

/// What it says when somebody else was faster.
const PORT_IS_TAKEN: &str = "could not bind ";

/// A server with its data. Dropping it kills it and deletes them; so does the end of the test program, however it ends.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    user: User,
    settings: Vec<String>,
    folder: Folder,
    port: u16,
    /// None while it is killed.
    child: Option<Child>,
    log: Arc<Log>,
    databases: AtomicU32,
}

impl Postgres {
    /// Starts an empty server that writes its log ahead as by default, fit for logical replication. Without PostgreSQL
    /// it is noted that `subject` was left out.
    ///
    /// # Panics
    /// When it does not start, or nothing may be left out and PostgreSQL is not there.
    #[must_use]
    pub fn start(subject: &str) -> Option<Self> {
        Self::start_with(subject, &[])
    }

    /// Like [`Postgres::start`], with settings such as `fsync=off`.
    ///
    /// # Panics
    /// As [`Postgres::start`].
    #[must_use]
    pub fn start_with(subject: &str, settings: &[&str]) -> Option<Self> {
        Self::start_in(subject, settings, &std::env::temp_dir())
    }

    /// Like [`Postgres::start_with`], with its data in a folder of its own below another, such as a small disk.
    ///
    /// # Panics
    /// As [`Postgres::start`].
    #[must_use]
    pub fn start_in(subject: &str, settings: &[&str], parent: &Path) -> Option<Self> {
        let mut server = Self::prepared(Peer::Postgres.find(subject)?, &SETTINGS.map(str::to_owned), settings, parent);
        let mut initdb = server.own_command("initdb");
        initdb.arg("--pgdata").arg(server.folder.data()).args(["--username", "postgres", "--auth", "trust"]);
        // Nothing of an empty server is worth a wait for the disk.
        initdb.args(["--encoding", "UTF8", "--locale", "C", "--no-instructions", "--no-sync"]);
        run(&mut initdb);
        server.run_on_free_port();
        Some(server)
    }

    /// The server that all tests of this program share, each in a database of its own. It does not wait for the disk,
    /// and nobody can kill it.
    ///
    /// # Panics
    /// As [`Postgres::start`].
    #[must_use]
    pub fn shared(subject: &str) -> Option<&'static Self> {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        // Asked for each subject, so that each is noted where there is none.
        let _ = Peer::Postgres.find(subject)?;
        Some(SHARED.get_or_init(|| Self::start_with(subject, &["fsync=off"]).expect("found above")))
    }

    /// A physical replica of this server, with its settings and more: a copy that follows by streaming, and can be asked.
    /// `pg_wal_replay_pause()` holds it back, `pg_promote()` makes it a server of its own.
    ///
    /// # Panics
    /// When the copy fails, or does not start.
    #[must_use]
    pub fn replica(&self, settings: &[&str]) -> Self {
        let mut replica = Self::prepared(self.programs.clone(), &self.settings, settings, &std::env::temp_dir());
        let mut copy = replica.own_command("pg_basebackup");
        copy.arg("--pgdata").arg(replica.folder.data()).args(["--write-recovery-conf", "--checkpoint", "fast"]);
        run(copy.args(["--no-sync"]).args(self.address()));
        replica.run_on_free_port();
        replica
    }

    /// Where a client finds a database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database and returns its name.
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    pub fn fresh_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Runs statements, which are one transaction unless they say otherwise, and returns the rows as text: one line
    /// each, `|` between fields.
    ///
    /// # Panics
    /// When one of them fails.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        let mut psql = self.client("psql");
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]);
        run(psql.args(["--dbname", database, "--command", statements])).trim_end().to_owned()
    }

    /// One of PostgreSQL's own clients, such as `psql`, `pgbench` or `pg_dump`, told where the server is.
    #[must_use]
    pub fn client(&self, program: &str) -> Command {
        let mut client = Command::new(self.programs.join(program));
        client.stdin(Stdio::null()).args(self.address());
        client
    }

    /// What it has said, line by line, since it was first started; what is too long ago is gone.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log.lines()
    }

    /// Ends every process of it at once, as if its machine had crashed, though what it wrote outlives it even where it
    /// did not wait for the disk. Returns when all are gone. Does nothing when it is killed already.
    ///
    /// # Panics
    /// When its processes cannot be ended.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        user::kill_family(child.id());
        child.wait().expect("what was killed can be waited for");
        // Each of its processes holds the log open.
        self.log.wait_for_end();
        self.folder.forget_process();
    }

    /// Starts it again on the same data, port and settings, killing it before when it runs.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.kill();
        assert!(self.run(), "port {} of a server that was killed is taken", self.port);
    }

    /// Ends it at once, as `pg_ctl stop --mode immediate` does: nothing is written back, and its clients are told. Then
    /// starts it again on the same data, port and settings, where it recovers from its log.
    ///
    /// # Panics
    /// When it does not end, or does not start.
    pub fn restart_immediately(&mut self) {
        if let Some(mut child) = self.child.take() {
            user::quit(child.id());
            child.wait().expect("what was told to end can be waited for");
            self.log.wait_for_end();
            self.folder.forget_process();
        }
        assert!(self.run(), "port {} of a server that was ended is taken", self.port);
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Whether it is gone, killed or by itself.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| child.try_wait().expect("a child can be asked").is_some())
    }

    /// A server without data.
    fn prepared(programs: PathBuf, usual: &[String], more: &[&str], parent: &Path) -> Self {
        let user = User::unprivileged();
        let settings = usual.iter().cloned().chain(more.iter().map(|&setting| setting.to_owned())).collect();
        let folder = Folder::create("postgres", &user, parent);
        let log = Arc::new(Log::default());
        Self { programs, user, settings, folder, port: 0, child: None, log, databases: AtomicU32::new(0) }
    }

    /// A program that makes, copies or serves the data.
    fn own_command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        // What it says is read here; a folder that the other user may not enter would stop it.
        command.env("LC_ALL", "C").env("TZ", "UTC").stdin(Stdio::null()).current_dir(self.folder.path());
        self.user.lend_to(&mut command);
        command
    }

    fn address(&self) -> [String; 6] {
        let port = self.port.to_string();
        ["--host", "127.0.0.1", "--port", &port, "--username", "postgres"].map(str::to_owned)
    }

    fn run_on_free_port(&mut self) {
        for _ in 0..STARTS_MAX {
            self.port = free_port();
            if self.run() {
                return;
            }
        }
        panic!("{STARTS_MAX} ports that were free were taken before PostgreSQL listened there");
    }

    /// Runs it until it can be asked; false when its port is taken.
    fn run(&mut self) -> bool {
        let mut command = self.own_command("postgres");
        command.arg("-D").arg(self.folder.data()).args(["-p", &self.port.to_string()]);
        command.args(self.settings.iter().flat_map(|setting| ["-c", setting]));
        let mut child = spawn(&mut command);
        self.folder.remember_process(child.id());
        let said = self.log.follow(child.stderr.take().expect("piped above"));
        if self.log.wait_for(said, READY) {
            self.child = Some(child);
            return true;
        }
        let lines = self.log.lines();
        // Not ready means that it closed its log, or is silent; what is left of it must not outlive this.
        let _ = child.kill();
        let _ = child.wait();
        self.log.wait_for_end();
        self.folder.forget_process();
        assert!(lines.iter().any(|line| line.contains(PORT_IS_TAKEN)), "PostgreSQL does not start: {lines:#?}");
        false
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(command: &mut Command) -> Child {
    use std::os::unix::process::CommandExt;
    // In a group of its own it is not stopped by Ctrl-C, before what watches over it.
    let spawned = command.process_group(0).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    spawned.unwrap_or_else(|error| panic!("{command:?} does not start: {error}"))
}

/// Runs to the end and returns what it printed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {complaint}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
