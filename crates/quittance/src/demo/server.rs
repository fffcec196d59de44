//! Owns: the server as a child process: its folder, its configuration, its start, its death by `kill -9`. Does not own:
//! when it dies.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::evidence::Proof;
use super::gateway::{API_KEY, WEBHOOK_SECRET};

/// The server's folder, and how to run our own program on it.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    executable: PathBuf,
    /// Everything of this demo lies here.
    pub(crate) folder: PathBuf,
}

/// A running server.
pub(crate) struct Server {
    home: Home,
    process: Process,
    address: watch::Sender<Option<String>>,
    /// How often it was killed and started again.
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
const LOG_LINES_SHOWN: usize = 15;

impl Home {
    /// Writes the configuration of a server that charges through this gateway.
    pub(crate) fn prepare(folder: &Path, gateway: &str) -> Result<Self> {
        let executable = std::env::current_exe().context("cannot find our own program")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let home = Self { executable, folder: folder.to_owned() };
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
        format!("--config {folder}/quittance.toml --data {folder}/data")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.executable);
        command.args(words);
        command.arg("--config").arg(self.folder.join("quittance.toml"));
        command.arg("--data").arg(self.folder.join("data"));
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

impl Server {
    /// Starts the server and waits until it answers.
    pub(crate) async fn start(home: Home) -> Result<Self> {
        let (process, base) = start(&home).await?;
        let (address, _) = watch::channel(Some(base));
        Ok(Self { home, process, address, restarts: 0 })
    }

    /// Where it listens now.
    pub(crate) fn base(&self) -> String {
        self.address.borrow().clone().unwrap_or_default()
    }

    /// Where it listens; nothing while it is dead.
    pub(crate) fn address(&self) -> watch::Receiver<Option<String>> {
        self.address.subscribe()
    }

    /// Kills it without a warning (SIGKILL) and waits until it is dead.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        self.address.send_replace(None);
        self.process.0.kill().await.context("cannot kill the server")
    }

    /// Starts it again on the same folder, at another address.
    pub(crate) async fn restart(&mut self) -> Result<String> {
        let (process, base) = start(&self.home).await?;
        self.process = process;
        self.restarts += 1;
        self.address.send_replace(Some(base.clone()));
        Ok(base)
    }

    /// Comes back only when it ends by itself, which it must not.
    pub(crate) async fn ended(&mut self) -> anyhow::Error {
        let status = self.process.0.wait().await;
        anyhow::anyhow!("the server ended by itself ({status:?}); it last said\n{}", self.home.last_words())
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
