//! Owns: the service beside the application, which compares the pair by schedule: its start, its end, and what it alarms. It
//! hears no event at all. Does not own: what is to be found.

use super::{program, provider};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How often, and how far apart, it is looked whether the service has said something.
const LOOKS_MAX: u32 = 600;
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// What a service is run with.
pub(super) struct Watch {
    configuration: PathBuf,
    /// A folder of its own: what it keeps of its runs is not what the operator keeps of his.
    data: String,
}

impl Watch {
    pub(super) fn new(configuration: &Path, folder: &Path) -> Self {
        let data = folder.join("service").display().to_string();
        Self { configuration: configuration.to_owned(), data }
    }

    /// Has the pair compared while all is well.
    pub(super) async fn compare(&self) -> Result<()> {
        let (service, base) = self.start().await?;
        let client = crate::demo::api::client()?;
        for _ in 0..LOOKS_MAX {
            let numbers = client.get(format!("{base}/metrics")).send().await?.text().await?;
            let is_it =
                |line: &str| line.starts_with("quittance_pair_runs_total") && line.contains("outcome=\"equal\"");
            if numbers.lines().any(is_it) {
                return end(service).await;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        bail!("the service did not compare the pair")
    }

    /// Starts the service again, and waits until it alarms that changes come of which it heard nothing.
    pub(super) async fn alarm(&self) -> Result<Value> {
        let (service, _) = self.start().await?;
        for _ in 0..LOOKS_MAX {
            let words = ["alerts", "--json", "--data", &self.data];
            let listed = program(&self.configuration, &words, &[0, 1]).await?;
            let alerts = listed["alerts"].as_array().cloned().unwrap_or_default();
            if let Some(silence) = alerts.into_iter().find(|alert| alert["kind"] == "silence") {
                end(service).await?;
                return Ok(silence);
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        bail!("the service alarmed no silence")
    }

    async fn start(&self) -> Result<(Child, String)> {
        let program = std::env::current_exe().context("this program does not know where it is")?;
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data", &self.data]);
        command.arg("--config").arg(&self.configuration);
        command.env(provider::API_KEY_VARIABLE, crate::demo::gateway::API_KEY).kill_on_drop(true).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut service = command.spawn().context("the service cannot be started")?;
        let printed = service.stdout.take().context("the service has no output")?;
        let mut lines = BufReader::new(printed).lines();
        while let Some(line) = lines.next_line().await? {
            let address = line.split(['"', ' ']).find_map(|word| word.find("http://127.0.0.1:").map(|at| &word[at..]));
            if let Some(base) = address {
                let base = base.trim_end_matches('/').to_owned();
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Ok((service, base));
            }
        }
        bail!("the service did not start")
    }
}

async fn end(mut service: Child) -> Result<()> {
    service.kill().await.context("the service cannot be ended")
}
