//! Owns: the phases of a demonstration: opening, trading under fire, settling, judging. Does not own: what clients do
//! (`shopper`) or what the outcome means (`verdict`).

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use quittance_sandbox::FaultProfile;
use quittance_server::clock::Stopwatch;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::api::{self, Api, PATIENCE};
use super::audit::{agrees, gather, open_payments};
use super::database::Database;
use super::gateway::Gateway;
use super::notes::Notes;
use super::plan::Plan;
use super::progress::Progress;
use super::report::Report;
use super::server::{Home, Servers};
use super::shopper::Shopper;
use super::verdict::judge;
use super::{Arguments, Faults};

/// Everything that takes part.
pub(crate) struct Stage {
    since: Stopwatch,
    seed: u64,
    faults: Faults,
    plan: Arc<Plan>,
    notes: Arc<Notes>,
    gateway: Arc<Gateway>,
    home: Home,
    servers: Servers,
    /// Dropped after the servers that use it.
    _database: Option<Database>,
    api: Api,
    progress: Arc<Progress>,
}

/// Clients at once.
const CLIENTS: usize = 96;
/// Customers that are made at once.
const CUSTOMERS_AT_ONCE: usize = 16;
/// How long the last payments may take to come to an end.
const SETTLING_MAX: Duration = Duration::from_secs(90);
const SETTLING_LOOK: Duration = Duration::from_millis(250);

impl Stage {
    /// Starts the gateway and the server, and makes customers on both sides while everybody behaves.
    pub(crate) async fn open(arguments: &Arguments, folder: PathBuf, url: Option<&str>) -> Result<Self> {
        let since = Stopwatch::start();
        let progress = Arc::new(Progress::new());
        let commands = usize::try_from(arguments.commands).context("too many commands for this machine")?;
        let plan = Arc::new(Plan::new(commands, arguments.seed));
        progress.begin("opening a shop and a gateway", count(plan.customers.len()));
        let client = api::client()?;
        let gateway = Arc::new(Gateway::start(client.clone(), arguments.seed).await?);
        let name = format!("quittance_demo_{}_{}", arguments.seed, std::process::id());
        let database = match url {
            Some(url) => Some(Database::make(url, name, arguments.keep)?),
            None => None,
        };
        let home = Home::prepare(&folder, &gateway.base, database.as_ref())?;
        let credential = home.create_credential().await?;
        let processes = usize::try_from(arguments.processes).context("too many processes for this machine")?;
        let servers = Servers::start(home.clone(), processes).await?;
        let api = Api::new(client, credential, servers.addresses());
        gateway.send_webhooks_to(&servers.base()).await?;
        let stage = Self {
            since,
            seed: arguments.seed,
            faults: arguments.faults,
            plan,
            notes: Arc::default(),
            gateway,
            home,
            servers,
            _database: database,
            api,
            progress,
        };
        stage.create_customers().await?;
        Ok(stage)
    }

    async fn create_customers(&self) -> Result<()> {
        let mut making = JoinSet::new();
        for name in self.plan.customers.clone() {
            if making.len() >= CUSTOMERS_AT_ONCE {
                next(&mut making).await?;
            }
            let (api, gateway, progress) = (self.api.clone(), Arc::clone(&self.gateway), Arc::clone(&self.progress));
            making.spawn(async move {
                create_customer(&api, &gateway, &name).await?;
                progress.step();
                Ok(())
            });
        }
        while !making.is_empty() {
            next(&mut making).await?;
        }
        Ok(())
    }

    /// Carries the plan out while the gateway misbehaves and the server is killed again and again.
    pub(crate) async fn trade(&mut self) -> Result<()> {
        self.gateway.set_faults(self.faults.profile()).await?;
        self.progress.begin("payments, faults, kill -9", count(self.plan.orders.len()));
        let (begun, begun_seen) = watch::channel(0);
        let (over, over_seen) = watch::channel(false);
        let shopper = Shopper {
            api: self.api.clone(),
            notes: Arc::clone(&self.notes),
            plan: Arc::clone(&self.plan),
            seed: self.seed,
            impatience: self.faults.impatience(),
            gateway: Arc::clone(&self.gateway),
        };
        let progress = Arc::clone(&self.progress);
        let shopping = async {
            shop(shopper, begun, &progress).await?;
            over.send_replace(true);
            Ok(())
        };
        let killing =
            keep_killing(&mut self.servers, &self.gateway, &self.plan.kills, begun_seen, over_seen, &progress);
        tokio::try_join!(shopping, killing).map(drop)
    }

    /// Waits until nothing is open and no webhook is on its way.
    pub(crate) async fn settle(&mut self) -> Result<()> {
        self.progress.begin("settling what is open", 0);
        let (api, gateway) = (&self.api, &self.gateway);
        let settling = async {
            quiet(api, gateway).await?;
            // Requests that everybody gave up on run only now: nothing that was decided may change by it.
            gateway.flush_late_effects().await?;
            gateway.flush_agenda().await?;
            quiet(api, gateway).await
        };
        tokio::select! {
            error = self.servers.ended() => Err(error),
            settled = settling => settled,
        }
    }

    /// Asks both sides, stops the server, proves the books, compares.
    pub(crate) async fn judge(mut self) -> Result<Report> {
        self.progress.begin("asking every key again, comparing with the gateway's list", 0);
        self.gateway.set_faults(FaultProfile::None).await?;
        let faults = self.gateway.faults().await?;
        let (api, gateway, notes) = (&self.api, &self.gateway, &self.notes);
        let mut evidence = tokio::select! {
            error = self.servers.ended() => bail!(error),
            evidence = gather(api, gateway, notes) => evidence?,
        };
        for at in 0..self.servers.count() {
            self.servers.kill(at).await?;
        }
        self.progress.begin("proving the books", 0);
        evidence.proof = self.home.verify().await?;
        self.progress.end();
        let mut counts = faults;
        counts.extend(self.notes.counts().into_iter().map(|(kind, count)| (kind.to_owned(), count)));
        counts.insert("server_killed".to_owned(), self.servers.restarts);
        Ok(Report {
            seed: self.seed,
            commands: self.plan.orders.iter().map(|order| count(order.script.commands())).sum(),
            customers: count(self.plan.customers.len()),
            clients: count(CLIENTS),
            replays: self.notes.replays(),
            restarts: self.servers.restarts,
            processes: count(self.servers.count()),
            faults: counts,
            elapsed: self.since.elapsed(),
            look_further: self.home.arguments(),
            verdict: judge(&evidence),
        })
    }
}

/// All clients at once, until the plan is carried out.
async fn shop(shopper: Shopper, begun: watch::Sender<usize>, progress: &Arc<Progress>) -> Result<()> {
    let next_order = Arc::new(AtomicUsize::new(0));
    let begun = Arc::new(begun);
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (shopper, begun) = (shopper.clone(), Arc::clone(&begun));
        let (next_order, progress) = (Arc::clone(&next_order), Arc::clone(progress));
        clients.spawn(async move {
            while let Some(order) = shopper.plan.orders.get(next_order.fetch_add(1, Ordering::Relaxed)) {
                begun.send_modify(|begun| *begun += 1);
                shopper.serve(order).await;
                progress.step();
            }
            Ok(())
        });
    }
    while !clients.is_empty() {
        next(&mut clients).await?;
    }
    Ok(())
}

/// Kills a server at each of the planned moments, one after the other, and starts it again at once.
async fn keep_killing(
    servers: &mut Servers,
    gateway: &Gateway,
    kills: &[usize],
    mut begun: watch::Receiver<usize>,
    mut over: watch::Receiver<bool>,
    progress: &Progress,
) -> Result<()> {
    for (turn, kill) in kills.iter().enumerate() {
        let at = turn % servers.count();
        tokio::select! {
            error = servers.ended() => return Err(error),
            // The sender is gone when the clients are, and then the moment has come as well.
            _ = begun.wait_for(|begun| begun >= kill) => {}
        }
        servers.kill(at).await?;
        let base = servers.restart(at).await?;
        progress.say(&format!("kill -9 after {kill} orders, and started again"));
        gateway.send_webhooks_to(&base).await?;
    }
    tokio::select! {
        error = servers.ended() => Err(error),
        _ = over.wait_for(|over| *over) => Ok(()),
    }
}

/// Waits until no payment is open and no webhook on its way, or until it has lasted too long.
async fn quiet(api: &Api, gateway: &Gateway) -> Result<()> {
    let since = Stopwatch::start();
    while since.elapsed() < SETTLING_MAX {
        let open = open_payments(api).await?;
        let webhooks = gateway.flush_webhooks().await?;
        // What no webhook told is learned by asking, which takes a moment longer.
        if open == 0 && webhooks == 0 && agrees(api, gateway).await? {
            break;
        }
        tokio::time::sleep(SETTLING_LOOK).await;
    }
    Ok(())
}

async fn create_customer(api: &Api, gateway: &Gateway, name: &str) -> Result<()> {
    let theirs = gateway.create_customer(name).await?;
    let body = json!({"external_id": name, "name": name, "gateway_ids": {"sandbox": theirs}}).to_string();
    let reply = api.post("/v1/customers", name, &body, PATIENCE).await;
    match reply {
        Ok(reply) if reply.answer.status == 201 => Ok(()),
        Ok(reply) => bail!("cannot make {name}: {} {}", reply.answer.status, reply.answer.text()),
        Err(trouble) => bail!("cannot make {name}: {trouble:?}"),
    }
}

/// The next of several tasks; its error, or its panic as one.
async fn next(tasks: &mut JoinSet<Result<()>>) -> Result<()> {
    tasks.join_next().await.map_or(Ok(()), |ended| ended.context("a part of the demo broke down")?)
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
