//! A cluster that is watched over by Patroni: etcd, and nodes of which one is the primary. Does not own what is asked of it,
//! nor its installation.

use crate::process::last_lines;
use crate::surroundings::{rest, span, until};
use quittance_surroundings::Peer;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Longest wait for a cluster to be there, and for another primary: Patroni gives up a lost one after twenty seconds.
const READY_S_MAX: u64 = 120;

/// A program of the cluster; it is killed with this.
struct Member(Child);

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Node {
    patroni: Option<Member>,
    port: u16,
    data: PathBuf,
}

/// A cluster of two nodes, of which one replicates synchronously. Dropping it ends all of it.
pub(crate) struct Cluster {
    programs: PathBuf,
    nodes: Vec<Node>,
    _etcd: Member,
    folder: TempDir,
}

impl Cluster {
    /// Nothing where PostgreSQL, Patroni or etcd is not there.
    pub(crate) fn start(subject: &str) -> Option<Self> {
        let programs = Peer::Postgres.find(subject)?;
        if !["patroni", "etcd"].iter().all(|program| answers(program)) {
            quittance_surroundings::skip(&format!(
                "{subject}: there is no patroni and etcd; apt-get install patroni etcd-server, or cargo xtask test --all"
            ));
            return None;
        }
        let folder = tempfile::Builder::new().prefix("quittance-cluster-").tempdir().expect("a folder");
        give_away(folder.path());
        let [client, peer] = [free_port(), free_port()];
        let etcd = etcd(folder.path(), client, peer);
        let nodes = (0..2).map(|at| node(folder.path(), at)).collect();
        let mut cluster = Self { programs, nodes, _etcd: etcd, folder };
        for at in 0..2 {
            cluster.start_node(at, client);
            // The first one becomes the primary, of which the second makes a copy.
            cluster.wait_for("a node answers", |cluster| cluster.ask(at, "SELECT 1").is_some());
        }
        let state = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        cluster.wait_for("the replica is synchronous", |cluster| {
            cluster.primary().and_then(|at| cluster.ask(at, state)).as_deref() == Some("1")
        });
        Some(cluster)
    }

    fn start_node(&mut self, at: usize, etcd: u16) {
        let (port, rest) = (self.nodes[at].port, free_port());
        let (programs, data) = (self.programs.display(), self.nodes[at].data.display());
        let folder = self.folder.path().display();
        let text = format!(
            "scope: chaos\nname: node{at}\nrestapi: {{listen: '127.0.0.1:{rest}', connect_address: '127.0.0.1:{rest}'}}\n\
             etcd3: {{host: '127.0.0.1:{etcd}'}}\nbootstrap:\n  dcs:\n    ttl: 20\n    loop_wait: 1\n    retry_timeout: 3\n    \
             synchronous_mode: true\n    postgresql: {{use_pg_rewind: false}}\n  initdb:\n  - encoding: UTF8\n  - locale: C\n  \
             - auth: trust\npostgresql:\n  listen: 127.0.0.1:{port}\n  connect_address: 127.0.0.1:{port}\n  \
             data_dir: {data}\n  bin_dir: {programs}\n  pgpass: {folder}/pgpass{at}\n  pg_hba:\n  \
             - host all all 127.0.0.1/32 trust\n  - host replication all 127.0.0.1/32 trust\n  authentication:\n    \
             superuser: {{username: postgres}}\n    replication: {{username: postgres}}\n  parameters: \
             {{unix_socket_directories: '', fsync: 'off'}}\n"
        );
        let config = self.folder.path().join(format!("node{at}.yml"));
        std::fs::write(&config, text).expect("written");
        let mut patroni = unprivileged("patroni");
        patroni.arg(&config);
        self.nodes[at].patroni = Some(spawn(patroni, self.folder.path(), &format!("node{at}.log")));
    }

    /// An address that names every node, and an empty database there.
    pub(crate) fn database(&self) -> (String, String) {
        let name = "chaos";
        let primary = self.primary().expect("there is one");
        self.ask(primary, &format!("CREATE DATABASE {name}")).expect("a database can be made");
        let hosts: Vec<String> = self.nodes.iter().rev().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        (name.to_owned(), format!("postgresql://postgres@{}/{name}", hosts.join(",")))
    }

    /// Kills whoever is the primary, and who watches over it; returns when there is another one.
    pub(crate) fn kill_primary(&mut self) {
        let lost = self.primary().expect("there is one");
        self.nodes[lost].patroni = None;
        kill_server(&self.nodes[lost].data);
        self.wait_for("another primary", |cluster| cluster.primary().is_some_and(|at| at != lost));
    }

    fn primary(&self) -> Option<usize> {
        (0..self.nodes.len()).find(|at| self.ask(*at, "SELECT pg_is_in_recovery()").as_deref() == Some("f"))
    }

    fn ask(&self, node: usize, statement: &str) -> Option<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--host", "127.0.0.1", "--port"]);
        psql.arg(self.nodes[node].port.to_string()).args([
            "--username",
            "postgres",
            "--dbname",
            "postgres",
            "--command",
        ]);
        let output =
            psql.arg(statement).env("PGCONNECT_TIMEOUT", "5").stdin(Stdio::null()).output().expect("psql runs");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn wait_for(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let looked = until(span(READY_S_MAX), || {
            let found = is_so(self).then_some(());
            // Each look starts a program.
            rest(Duration::from_millis(100));
            found
        });
        let log = |at: usize| last_lines(&self.folder.path().join(format!("node{at}.log")), 20);
        looked.unwrap_or_else(|_| panic!("never: {what}\n{}\n---\n{}", log(0), log(1)));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            node.patroni = None;
            kill_server(&node.data);
        }
    }
}

fn node(folder: &Path, at: usize) -> Node {
    Node { patroni: None, port: free_port(), data: folder.join(format!("data{at}")) }
}

fn etcd(folder: &Path, client: u16, peer: u16) -> Member {
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    let mut etcd = unprivileged("etcd");
    etcd.args(["--name", "e", "--log-level", "error", "--data-dir"]).arg(folder.join("etcd"));
    etcd.args(["--listen-client-urls", &url(client), "--advertise-client-urls", &url(client)]);
    etcd.args(["--listen-peer-urls", &url(peer), "--initial-advertise-peer-urls", &url(peer)]);
    etcd.args(["--initial-cluster", &format!("e={}", url(peer))]);
    spawn(etcd, folder, "etcd.log")
}

fn spawn(mut command: Command, folder: &Path, log: &str) -> Member {
    let log = std::fs::File::create(folder.join(log)).expect("a log");
    command.current_dir(folder).env("LC_ALL", "C").stdin(Stdio::null()).stderr(log.try_clone().expect("a log"));
    Member(command.stdout(log).spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}")))
}

fn answers(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id runs");
    output.stdout == b"0\n"
}

/// A program that runs as the user `postgres` where the test is root, since PostgreSQL refuses to be, and ends with the test.
fn unprivileged(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    command.args(["--pdeathsig", "KILL", program]);
    command
}

fn give_away(folder: &Path) {
    if is_root() {
        let given = Command::new("chown").arg("postgres:postgres").arg(folder).status().expect("chown runs");
        assert!(given.success(), "root gives a folder away");
    }
}

/// Kills the server on these data, if one runs, and all its children.
fn kill_server(data: &Path) {
    let text = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let Some(id) = text.lines().next().and_then(|line| line.trim().parse::<u32>().ok()) else { return };
    // The file outlives a server that was killed, whose id may be another's by now.
    let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    if !String::from_utf8_lossy(&line).contains(&*data.to_string_lossy()) {
        return;
    }
    let id = id.to_string();
    let _ = Command::new("pkill").args(["-KILL", "-P", &id]).status();
    let _ = Command::new("kill").args(["-KILL", &id]).stderr(Stdio::null()).status();
}

/// A port that nobody listens on right now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}
