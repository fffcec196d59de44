//! Owns: a database of the demo's own on somebody's PostgreSQL server, which is gone when the demo has ended. Does not own:
//! what is kept in it.

use anyhow::{Context, Result, bail};
use quittance_postgres::address::Address;
use quittance_postgres::tls;
use tokio_postgres::Client;

/// The variable in which servers are told where their database is.
pub(crate) const VARIABLE: &str = "QUITTANCE_DEMO_DATABASE";

/// A database that was made for this demo.
pub(crate) struct Database {
    server: String,
    name: String,
    /// Its address.
    pub(crate) url: String,
}

impl Database {
    /// Makes one beside the database of this address.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or the role may not make a database.
    pub(crate) async fn make(url: &str, name: String) -> Result<Self> {
        let client = connect(url).await?;
        let made = client.batch_execute(&format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")).await;
        made.with_context(|| format!("cannot make the database {name}: the role needs CREATEDB"))?;
        let own = renamed(url, &name)?;
        Ok(Self { server: url.to_owned(), name, url: own })
    }

    /// Takes it away again.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached any more.
    pub(crate) async fn remove(self) -> Result<()> {
        let client = connect(&self.server).await?;
        let removed = client.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
        removed.with_context(|| format!("cannot remove the database {}", self.name))
    }
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
