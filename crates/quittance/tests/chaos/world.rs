//! A run: a PostgreSQL server, gateways, servers and clients, faults between them, and the judgement. Does not own what a
//! fault is (`faults`), nor what is judged by (`audit`).

use crate::audit;
use crate::client::Api;
use crate::gateway::Gateway;
use crate::installation::{LEASE_S, addressed, binary, configure, credential, prove};
use crate::listener::Listener;
use crate::load::{GATEWAYS, Load};
use crate::process::{Process, bound, last_lines};
use crate::surroundings::{rest, span, time};
use quittance_surroundings::Postgres;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// How many servers share the books.
pub(crate) const SERVERS: usize = 4;
const CLIENTS: usize = 6;

/// How much longer than its lease a server is kept from the others, so that they take up what it held.
const LONGER_S: u64 = 2;

/// Longest wait for clients to get on: longer than any outage that is made.
const PROGRESS_S_MAX: u64 = 90;

/// One run at a time: several would starve each other on a small machine, and time is part of what is tested.
static TURN: Mutex<()> = Mutex::new(());

/// Everything that takes part. What is dropped first stands first.
pub(crate) struct World {
    clients: JoinSet<()>,
    pub(crate) load: Arc<Load>,
    /// Who is told of every change; nobody before the servers run.
    listener: Option<Listener>,
    pub(crate) servers: Vec<Process>,
    pub(crate) gateways: Vec<Gateway>,
    /// None where somebody else runs it.
    postgres: Option<Postgres>,
    pub(crate) database: String,
    /// The address that servers are given.
    url: String,
    /// A server that is started in a place of its own.
    pub(crate) apart: Option<Apart>,
    pub(crate) folder: TempDir,
    runtime: Runtime,
    seed: u64,
    began: u64,
    /// What was done so far.
    told: Vec<String>,
    _turn: MutexGuard<'static, ()>,
}

impl World {
    /// Starts everything on a PostgreSQL server; clients come with [`World::begin`].
    pub(crate) fn open(postgres: Postgres, seed: u64) -> Self {
        let database = postgres.fresh_database();
        let url = postgres.url(&database);
        Self::open_at(Some(postgres), database, url, seed)
    }

    /// The same with another address for servers than the server's own.
    pub(crate) fn open_at(postgres: Option<Postgres>, database: String, url: String, seed: u64) -> Self {
        let turn = turn();
        let folder = tempfile::Builder::new().prefix("quittance-chaos-").tempdir().expect("a folder");
        let gateways: Vec<Gateway> =
            (1..).zip(GATEWAYS).map(|(salt, name)| Gateway::start(name, folder.path(), seed * 10 + salt)).collect();
        configure(folder.path(), "quittance.toml", &gateways, gateways.iter().map(Gateway::base));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let secret = credential(folder.path(), &url);
        let mut world = Self {
            clients: JoinSet::new(),
            load: Arc::new(Load::new(Api::new(secret, SERVERS), seed)),
            listener: None,
            servers: Vec::new(),
            gateways,
            postgres,
            database,
            url,
            apart: None,
            folder,
            runtime: runtime.expect("a runtime"),
            seed,
            began: time(),
            told: Vec::new(),
            _turn: turn,
        };
        for at in 0..SERVERS {
            let server = world.spawn(at).unwrap_or_else(|error| panic!("{error}"));
            world.load.api.place(at, Some(server.base.clone()));
            world.servers.push(server);
        }
        world.direct_webhooks(0);
        world.listener = Some(world.runtime.block_on(Listener::start(&world.load)));
        for gateway in &world.gateways {
            world.runtime.block_on(gateway.misbehave());
        }
        world
    }

    /// Starts a server; nothing is asked of it yet. Every other one has two lanes.
    pub(crate) fn spawn(&self, at: usize) -> Result<Process, String> {
        let mut command = match self.apart.as_ref().filter(|apart| apart.server == at) {
            None => self.binary(&["serve", "--listen", "127.0.0.1:0"]),
            Some(apart) => {
                let mut command = bound(&apart.prefix[0]);
                command.args(&apart.prefix[1..]).arg(env!("CARGO_BIN_EXE_quittance"));
                let config = self.configure("apart.toml", apart.bases.iter().map(String::as_str));
                command.args(["serve", "--listen", &apart.listen, "--config", &config]);
                addressed(&mut command, self.folder.path(), &apart.url);
                command
            }
        };
        command.args(["--lanes", if at.is_multiple_of(2) { "1" } else { "2" }]);
        Process::start(&mut command, &self.folder.path().join(format!("server-{at}.log")))
    }

    /// The binary with these words, in the world's folder and on its books.
    pub(crate) fn binary(&self, words: &[&str]) -> Command {
        binary(words, self.folder.path(), &self.url)
    }

    /// Writes a configuration in which the gateways are at these addresses, and returns its name.
    fn configure<'a>(&self, name: &str, bases: impl Iterator<Item = &'a str>) -> String {
        configure(self.folder.path(), name, &self.gateways, bases);
        name.to_owned()
    }

    /// Starts a server anew in place of one that is gone.
    pub(crate) fn start_again(&mut self, at: usize) {
        self.servers[at] = self.spawn(at).unwrap_or_else(|error| panic!("{error}"));
        self.load.api.place(at, Some(self.servers[at].base.clone()));
        self.direct_webhooks(at);
    }

    fn direct_webhooks(&self, at: usize) {
        for gateway in &self.gateways {
            self.runtime.block_on(gateway.send_webhooks_to(&self.servers[at].base));
        }
    }

    pub(crate) fn postgres(&self) -> &Postgres {
        self.postgres.as_ref().expect("it is the world's own")
    }

    pub(crate) fn postgres_mut(&mut self) -> &mut Postgres {
        self.postgres.as_mut().expect("it is the world's own")
    }

    /// Lets clients in.
    pub(crate) fn begin(&mut self) {
        let _inside = self.runtime.enter();
        for _ in 0..CLIENTS {
            self.clients.spawn(Arc::clone(&self.load).work());
        }
    }

    /// Notes what is done now, for whoever has to do it again.
    pub(crate) fn tell(&mut self, what: &str) {
        let begun = *self.load.begun.borrow();
        let seconds = (time() - self.began) / 1_000_000_000;
        self.told.push(format!("{seconds} s, {begun} orders: {what}"));
    }

    /// Waits until so many more orders were begun.
    pub(crate) fn progress(&mut self, orders: u64) {
        let mut begun = self.load.begun.subscribe();
        let goal = *begun.borrow() + orders;
        let (clients, runtime) = (&mut self.clients, &self.runtime);
        let reached = runtime.block_on(async {
            tokio::select! {
                reached = tokio::time::timeout(span(PROGRESS_S_MAX), begun.wait_for(|begun| *begun >= goal)) => reached.is_ok(),
                Some(ended) = clients.join_next() => panic!("a client ended: {ended:?}"),
            }
        });
        assert!(reached, "no {orders} orders in time: {:?}\n{}", self.load.surprises(), self.logs());
        self.look_for_deaths();
    }

    /// Lets the leases of all that anybody holds now run out.
    pub(crate) fn outlast_leases(&self) {
        rest(span(LEASE_S + LONGER_S));
    }

    /// No server ends by itself.
    pub(crate) fn look_for_deaths(&mut self) {
        for (at, server) in self.servers.iter_mut().enumerate() {
            if let Some(status) = server.ended() {
                panic!("server {at} ended by itself: {status}\n{}", server.last_words());
            }
        }
    }

    /// Lets no more orders begin, waits until those that were begun have their answers, and lets the gateways behave.
    pub(crate) fn end_load(&mut self) {
        self.tell("the load ends");
        self.load.is_over.store(true, Ordering::Relaxed);
        let clients = std::mem::take(&mut self.clients);
        self.runtime.block_on(clients.join_all());
        self.tell("the clients have ended");
        // Both sides are compared, and what is asked then has to be answered.
        for gateway in &self.gateways {
            self.runtime.block_on(gateway.behave());
        }
    }

    /// Ends the load, waits until it is quiet, and judges.
    pub(crate) fn judge(mut self) {
        self.end_load();
        let load = Arc::clone(&self.load);
        self.runtime.block_on(audit::settle(&load, &self.gateways));
        // A server that others cannot see cannot see the listener either, and what it has tried twice is tried again too late.
        let listener = self.listener.take().filter(|_| self.apart.is_none());
        if let Some(listener) = &listener {
            self.runtime.block_on(listener.settle(&load));
        }
        self.tell("it is quiet");
        self.look_for_deaths();
        let (folder, url) = (self.folder.path().to_owned(), self.url.clone());
        let proof = || prove(&folder, &url);
        let mut findings = self.runtime.block_on(audit::findings(&load, &self.gateways, proof));
        if let Some(listener) = &listener {
            findings.extend(self.runtime.block_on(listener.findings(&load)));
            self.tell(&listener.summary());
        }
        for (at, server) in self.servers.iter_mut().enumerate() {
            server.signal("TERM");
            let status = server.wait();
            assert!(status.success(), "server {at} does not end in order: {status}\n{}", server.last_words());
        }
        assert!(findings.is_empty(), "{findings:#?}\n{}", self.logs());
        self.tell("all is asked again");
        let (commands, books) = (load.told().len(), load.books().len());
        println!("{commands} commands in {books} books\n  {}", self.told.join("\n  "));
    }

    /// Waits for what takes a moment on the clients' side.
    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Whether any server has said this.
    pub(crate) fn logs_contain(&self, text: &str) -> bool {
        let log = |at| std::fs::read(self.folder.path().join(format!("server-{at}.log"))).unwrap_or_default();
        (0..SERVERS).any(|at| String::from_utf8_lossy(&log(at)).contains(text))
    }

    pub(crate) fn logs(&self) -> String {
        let log = |at| last_lines(&self.folder.path().join(format!("server-{at}.log")), 15);
        (0..SERVERS).map(|at| format!("--- server {at}\n{}\n", log(at))).collect()
    }
}

impl Drop for World {
    /// What it takes to run it again, where it went wrong.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!(
                "QUITTANCE_CHAOS_SEED={} runs this again; the logs are in {}",
                self.seed,
                self.folder.path().display()
            );
            eprintln!("what was done:\n  {}", self.told.join("\n  "));
        }
    }
}

/// Waits for this run's turn.
fn turn() -> MutexGuard<'static, ()> {
    // Another run that failed has ended all the same.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a server is that others cannot see, and how it sees the others.
pub(crate) struct Apart {
    pub(crate) server: usize,
    /// The command that starts another one there.
    pub(crate) prefix: Vec<String>,
    pub(crate) listen: String,
    /// The database.
    pub(crate) url: String,
    /// The gateways.
    pub(crate) bases: Vec<String>,
}
