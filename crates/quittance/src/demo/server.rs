//! Owns: the servers as child processes: their folder, their configuration, their start, their death by `kill -9`. Does not
//! own: when they die.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::database::{Database, VARIABLE};
use super::evidence::Proof;
use super::gateway::{API_KEY, WEBHOOK_SECRET};

/// The server's folder, and how to run our own program on it.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    executable: PathBuf,
    /// Everything of this demo lies here.
    pub(crate) folder: PathBuf,
    /// The database that holds the books, if not the folder does.
    database: Option<Books>,
}

/// How a database is reached, and what it is called.
#[derive(Debug, Clone)]
struct Books {
    url: String,
    name: String,
}

/// Addresses of servers, each at its place; nothing where one is dead.
pub(crate) type Addresses = Vec<Option<String>>;

/// The servers that run on the same books: one, or several where they share a database.
pub(crate) struct Servers {
    home: Home,
    processes: Vec<Process>,
    addresses: watch::Sender<Addresses>,
    /// How often any was killed and started again.
    pub(crate) restarts: u64,
}

/// A process that does not outlive this.
struct Process(Child);

impl Drop for Process {
    /// Kills it and waits until it is gone: its folder is about to be removed. One that is dead already is left alone.
    fn drop(&mut self) {
        if self.0.start_kill().is_err() {
            return;
        }
        for _ in 0..DEATH_MS_MAX {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }
}

/// A killed process is gone within milliseconds, unless the machine itself hangs.
const DEATH_MS_MAX: u32 = 2_000;
const START_MAX: Duration = Duration::from_secs(60);
/// How often it is looked whether all servers live.
const LOOK: Duration = Duration::from_millis(100);
const LOG_LINES_SHOWN: usize = 15;

impl Home {
    /// Writes the configuration of servers that charge through this gateway, on books in this database or in the folder.
    pub(crate) fn prepare(folder: &Path, gateway: &str, database: Option<&Database>) -> Result<Self> {
        let executable = std::env::current_exe().context("cannot find our own program")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let database = database.map(|own| Books { url: own.url.clone(), name: own.name().to_owned() });
        let home = Self { executable, folder: folder.to_owned(), database };
        home.write("gateway.key", API_KEY)?;
        home.write("webhook.secret", WEBHOOK_SECRET)?;
        home.write("quittance.toml", &configuration(folder, gateway))?;
        Ok(home)
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Arguments that name this folder, for a person.
    pub(crate) fn arguments(&self) -> String {
        let folder = self.folder.display();
        match &self.database {
            Some(Books { name, .. }) => format!("--config {folder}/quittance.toml --database-url postgres://…/{name}"),
            None => format!("--config {folder}/quittance.toml --data {folder}/data"),
        }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.executable);
        command.args(words);
        command.arg("--config").arg(self.folder.join("quittance.toml"));
        match &self.database {
            Some(books) => command.arg("--database-url").arg(format!("env:{VARIABLE}")).env(VARIABLE, &books.url),
            None => command.arg("--data").arg(self.folder.join("data")),
        };
        command.stdin(Stdio::null()).kill_on_drop(true);
        // A signal from the terminal is for the demo, which then kills the server.
        command.process_group(0);
        command
    }

    /// Runs our own program to its end and returns its standard output.
    pub(crate) async fn run(&self, words: &[&str]) -> Result<(ExitStatus, String)> {
        let output = self.command(words).output().await.with_context(|| format!("cannot run quittance {words:?}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if text.trim().is_empty() && !output.status.success() {
            bail!("quittance {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok((output.status, text))
    }

    /// Makes a credential before the server runs, and returns its secret.
    pub(crate) async fn create_credential(&self) -> Result<String> {
        let (_, text) = self.run(&["key", "create", "--name", "demo", "--scopes", "admin", "--json"]).await?;
        let key: serde_json::Value = serde_json::from_str(&text).context("the new key is not printed as JSON")?;
        Ok(key["secret"].as_str().context("the new key has no secret")?.to_owned())
    }

    /// Proves the books. The server must not run.
    pub(crate) async fn verify(&self) -> Result<Proof> {
        let (status, text) = self.run(&["verify", "--json"]).await?;
        let found: serde_json::Value = serde_json::from_str(&text).context("the proof is not printed as JSON")?;
        let holds = |name: &str| found[name] == true;
        Ok(Proof {
            is_sound: status.success() && holds("balanced") && holds("chain_ok"),
            records: found["records"].as_u64().unwrap_or(0),
            text,
        })
    }

    /// The end of what the server wrote to standard error.
    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

impl Servers {
    /// Starts so many servers and waits until they answer.
    pub(crate) async fn start(home: Home, count: usize) -> Result<Self> {
        let (mut processes, mut bases) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (process, base) = start(&home).await?;
            processes.push(process);
            bases.push(Some(base));
        }
        let (addresses, _) = watch::channel(bases);
        Ok(Self { home, processes, addresses, restarts: 0 })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.processes.len()
    }

    /// Where one of them listens now.
    pub(crate) fn base(&self) -> String {
        self.addresses.borrow().iter().flatten().next().cloned().unwrap_or_default()
    }

    /// Where they listen.
    pub(crate) fn addresses(&self) -> watch::Receiver<Addresses> {
        self.addresses.subscribe()
    }

    /// Kills one without a warning (SIGKILL) and waits until it is dead.
    pub(crate) async fn kill(&mut self, at: usize) -> Result<()> {
        self.addresses.send_modify(|addresses| addresses[at] = None);
        self.processes[at].0.kill().await.context("cannot kill the server")
    }

    /// Starts it again on the same books, at another address.
    pub(crate) async fn restart(&mut self, at: usize) -> Result<String> {
        let (process, base) = start(&self.home).await?;
        self.processes[at] = process;
        self.restarts += 1;
        self.addresses.send_modify(|addresses| addresses[at] = Some(base.clone()));
        Ok(base)
    }

    /// Comes back only when one ends by itself, which none must.
    pub(crate) async fn ended(&mut self) -> anyhow::Error {
        loop {
            for process in &mut self.processes {
                let status = match process.0.try_wait() {
                    Ok(None) => continue,
                    ended => ended,
                };
                let words = self.home.last_words();
                return anyhow::anyhow!("a server ended by itself ({status:?}); it last said\n{words}");
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

async fn start(home: &Home) -> Result<(Process, String)> {
    let log = File::options().create(true).append(true).open(home.folder.join("server.log"));
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.stdout(Stdio::piped()).stderr(log.context("cannot write the server's log")?);
    let mut process = Process(command.spawn().context("cannot start the server")?);
    match tokio::time::timeout(START_MAX, address(&mut process.0)).await {
        Ok(Some(base)) => Ok((process, base)),
        Ok(None) => bail!("the server did not start; it last said\n{}", home.last_words()),
        Err(_) => bail!("the server did not start in {START_MAX:?}; it last said\n{}", home.last_words()),
    }
}

/// The server prints its address once it listens. What it prints later is read and dropped, so that it never waits for
/// us.
async fn address(child: &mut Child) -> Option<String> {
    let mut lines = BufReader::new(child.stdout.take()?).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let found = line.split(['"', ' ']).find_map(|word| word.find("http://127.0.0.1:").map(|at| &word[at..]));
        if let Some(base) = found {
            let base = base.trim_end_matches('/').to_owned();
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Some(base);
        }
    }
    None
}

/// Short waits, so that a demo takes seconds where a day would do.
fn configuration(folder: &Path, gateway: &str) -> String {
    let folder = folder.display();
    format!(
        r#"# Written by `quittance demo`. The sandbox that this names is gone when the demo has ended.
[gateways.sandbox]
kind = "stripe"
api_base = "{gateway}"
api_key = "file:{folder}/gateway.key"
webhook_endpoint = "we_demo"
webhook_secrets = ["file:{folder}/webhook.secret"]
timeout_ms = 1000
in_flight_max = 128
backoff_base_ms = 50
backoff_max_ms = 1000
pending_poll_ms = 1000
# A third of all requests fails on purpose, and each is to be seen through at once.
retry_budget_percent = 100
# What no webhook tells of is found within seconds, not minutes.
sweep_every_s = 1
settle_after_s = 1
# What this gateway still carries out after its client gave up, it does within three seconds, also after an error.
quiescence_s = 5
quiescence_after_error_s = 5
"#
    )
}
