//! Owns: a database of the demo's own on somebody's PostgreSQL server, which is gone when the demo has ended, however that
//! was. Does not own: what is kept in it.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use quittance_postgres::address::Address;
use quittance_postgres::tls;
use tokio_postgres::Client;

/// The variable in which servers are told where their database is.
pub(crate) const VARIABLE: &str = "QUITTANCE_DEMO_DATABASE";

/// Longest wait for the server to make a database, or to remove one.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// A database that was made for this demo. Dropping it removes it, unless it is kept; servers that use it have to be gone.
pub(crate) struct Database {
    server: String,
    name: String,
    /// Its address.
    pub(crate) url: String,
    is_kept: bool,
}

impl Database {
    /// Makes one beside the database of this address. It blocks, so that nothing interrupts it half-way and leaves a
    /// database that nobody knows of.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or the role may not make a database.
    pub(crate) fn make(url: &str, name: String, is_kept: bool) -> Result<Self> {
        let own = renamed(url, &name)?;
        ask(url, &format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"))
            .with_context(|| format!("cannot make the database {name}: the role needs CREATEDB"))?;
        Ok(Self { server: url.to_owned(), name, url: own, is_kept })
    }

    /// Its name, which says nothing of how the server is reached.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = &self.name;
        if self.is_kept {
            return eprintln!("kept in the database {name}");
        }
        if let Err(error) = ask(&self.server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")) {
            eprintln!("the database {name} could not be removed ({error:#}); DROP DATABASE {name} does it");
        }
    }
}

/// Runs one statement and waits for its end, wherever it is called: on a thread of its own.
fn ask(url: &str, statement: &str) -> Result<()> {
    let asking = async {
        let client = connect(url).await?;
        client.batch_execute(statement).await.context("it is refused")
    };
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let patiently = async { tokio::time::timeout(ANSWER_MAX, asking).await.context("the server does not answer")? };
        runtime.context("cannot start a thread")?.block_on(patiently)
    };
    let asked = thread::scope(|scope| scope.spawn(run).join());
    asked.unwrap_or_else(|_| bail!("it broke down"))
}

async fn connect(url: &str) -> Result<Client> {
    let address = Address::parse(url).map_err(|error| anyhow::anyhow!("--database-url: the address {error}"))?;
    let tls = tls::connector(&address.trust).map_err(anyhow::Error::msg)?;
    let connected = address.config.connect(tls).await;
    let (client, connection) = connected.with_context(|| format!("cannot reach {}", address.shown))?;
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

/// The same address with another database.
fn renamed(url: &str, name: &str) -> Result<String> {
    let (base, parameters) = url.split_once('?').map_or((url, None), |(base, rest)| (base, Some(rest)));
    let Some((scheme, rest)) = base.split_once("://") else { bail!("--database-url: not an address") };
    let server = rest.split_once('/').map_or(rest, |(server, _)| server);
    let parameters = parameters.map_or_else(String::new, |parameters| format!("?{parameters}"));
    Ok(format!("{scheme}://{server}/{name}{parameters}"))
}

#[cfg(test)]
mod tests {
    use super::renamed;

    #[test]
    fn another_database_of_the_same_server_is_named() {
        for (url, own) in [
            ("postgres://u:p@h:1/app?sslmode=require", "postgres://u:p@h:1/demo?sslmode=require"),
            ("postgresql://h", "postgresql://h/demo"),
            ("postgres://h/", "postgres://h/demo"),
        ] {
            assert_eq!(renamed(url, "demo").expect("an address"), own);
        }
        assert!(renamed("h", "demo").is_err());
    }
}
