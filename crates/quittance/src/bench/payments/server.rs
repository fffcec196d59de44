//! The real server as a contestant: what `quittance serve` runs, over books of its own, with everything paused, so that
//! nothing begins at a gateway.

use super::asked;
use super::place::Place;
use super::worker::{Arguments, Told, Turns, obey};
use crate::arguments::Global;
use anyhow::{Context, Result};
use quittance_server::config::Config;
use quittance_server::open_files;
use quittance_server::operate::{Operation, run_directly};
use quittance_server::roles::Roles;
use quittance_server::serve::{ServeOptions, serve};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::sync::oneshot;

/// Serves until the input ends.
pub(super) fn run(arguments: &Arguments, place: &Place, global: &Global) -> Result<()> {
    let mut config = Config::load(global.config.as_deref())?;
    // One client asks as fast as it can.
    config.server.caps.per_second_max = None;
    open_files::raise(config.server.connections_max);
    let data = place.data()?;
    let mut engine = asked::engine(data.open_for_writing()?);
    asked::open_books(&mut engine, arguments.books)?;
    drop(engine);
    let perform = |operation| run_directly(&data, &operation, &BTreeSet::new());
    perform(Operation::Pause { gateway: None, reason: None })?;
    let name = asked::TENANT.to_owned();
    let key = perform(Operation::CreateKey { tenant: Some(name.clone()), name, scope: "write".to_owned() })?;
    let secret = key["secret"].as_str().context("a key without a secret")?.to_owned();

    let (ready, is_ready) = std::sync::mpsc::sync_channel(1);
    let (ender, ended) = oneshot::channel::<()>();
    let obeying = std::thread::Builder::new().name("worker".to_owned()).spawn(move || {
        // Without an address the server ended before it was ready, and says why itself.
        let Ok(address) = is_ready.recv() else { return Ok(()) };
        let obeyed = obey(&mut Idle, Told { address: Some(address), secret: Some(secret), ..Told::default() });
        drop(ender);
        obeyed
    })?;
    let on_ready = Box::new(move |address: SocketAddr| drop(ready.send(address.to_string())));
    let listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let options = ServeOptions { config, data, roles: Roles::default(), listen, on_ready: Some(on_ready) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(serve(options, async { drop(ended.await) }))?;
    obeying.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// What is asked of it comes over HTTP.
struct Idle;

impl Turns for Idle {
    fn prepare(&mut self, _: u64) -> Result<()> {
        Ok(())
    }

    fn go(&mut self) -> Result<Told> {
        Ok(Told::default())
    }
}
