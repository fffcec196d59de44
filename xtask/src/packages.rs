//! System packages that tests use: what each is for, how to see whether it is there, and how to install it on Debian and Ubuntu.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::peers::postgres;
use crate::repository::{Repository, check, output, succeeds};

/// A package of the operating system.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    probe: Probe,
    /// What cannot be tested without it.
    pub(crate) needed_for: &'static str,
}

/// How to see whether a package, or the same from elsewhere, is there.
enum Probe {
    /// A command that ends well when it is.
    Command(&'static [&'static str]),
    /// A PostgreSQL that tests can start; its programs are on nobody's `PATH` on Debian.
    Postgres,
}

const PACKAGES: &[Package] = &[
    Package {
        name: "python3-venv",
        probe: Probe::Command(&["python3", "-c", "import ensurepip, venv"]),
        needed_for: "the Python peers: Stripe's client, localstripe, reladiff, Beancount, schemathesis and receivers of webhooks",
    },
    Package {
        name: "nodejs",
        probe: Probe::Command(&["node", "--version"]),
        needed_for: "the Node peers: stripe-stateful-mock, and what drives a browser",
    },
    Package {
        name: "npm",
        // Asking npm itself takes as long as all the others together.
        probe: Probe::Command(&["sh", "-c", "command -v npm"]),
        needed_for: "the installation of the Node peer",
    },
    Package {
        name: "chromium",
        probe: Probe::Command(&["chromium", "--version"]),
        needed_for: "the dashboard in a real browser",
    },
    Package {
        name: "strace",
        probe: Probe::Command(&["strace", "--version"]),
        needed_for: "failed and delayed disk writes, injected into a running server",
    },
    Package {
        name: "hledger",
        probe: Probe::Command(&["hledger", "--version"]),
        needed_for: "the judgement of exported books by another hand",
    },
    Package {
        name: REDIS,
        probe: Probe::Command(&["redis-server", "--version"]),
        needed_for: "what several servers remember together",
    },
    Package {
        name: "iproute2",
        probe: Probe::Command(&["ss", "--version"]),
        needed_for: "connections that are destroyed, and networks that are cut",
    },
    Package { name: POSTGRES, probe: Probe::Postgres, needed_for: "a real database under the store" },
    Package {
        name: "patroni",
        probe: Probe::Command(&["patroni", "--version"]),
        needed_for: "a cluster of PostgreSQL that replaces its primary",
    },
    Package {
        name: "etcd-server",
        probe: Probe::Command(&["etcd", "--version"]),
        needed_for: "the agreement of that cluster about its primary",
    },
];

const POSTGRES: &str = "postgresql";
const REDIS: &str = "redis-server";

/// Tells Debian's package to make and start no server of its own: the tests start theirs, in folders of theirs.
const NO_CLUSTER: (&str, &str) = ("/etc/postgresql-common/createcluster.d", "quittance-tests.conf");

impl Package {
    /// How a person installs it.
    pub(crate) fn remedy(&self) -> String {
        format!("apt-get install {}, or cargo xtask test --all", self.name)
    }

    fn is_present(&self, repository: &Repository) -> bool {
        match self.probe {
            Probe::Command([program, arguments @ ..]) => succeeds(repository.command(program).args(arguments)),
            Probe::Command([]) => true,
            Probe::Postgres => postgres::ensure(repository, Path::new("")).is_ok(),
        }
    }
}

/// The packages that this machine lacks.
pub(crate) fn missing(repository: &Repository) -> Vec<&'static Package> {
    PACKAGES.iter().filter(|package| !package.is_present(repository)).collect()
}

/// Installs packages with apt, as root or through sudo without a password. An error when one is still absent after that.
pub(crate) fn install(repository: &Repository, packages: &[&Package]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = packages.iter().map(|package| package.name).collect();
    println!("installing system packages: {}", names.join(", "));
    let apt = ["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"];
    as_root(repository, &[&apt[..], &["update"]].concat()).context("refresh the list of system packages")?;
    let arguments = [&apt[..], &["install", "--yes", "--no-install-recommends"], &names].concat();
    let (folder, file) = NO_CLUSTER;
    let file = format!("{folder}/{file}");
    if names.contains(&POSTGRES) {
        let script = format!("mkdir -p {folder} && echo 'create_main_cluster = false' > {file}");
        as_root(repository, &["sh", "-c", &script]).context("ask for no server of the system's own")?;
    }
    let installed = as_root(repository, &arguments).context("install system packages");
    if names.contains(&POSTGRES) {
        as_root(repository, &["rm", &file]).context("take back what only this installation is asked")?;
    }
    installed?;
    for package in packages {
        if !package.is_present(repository) {
            bail!("{} was installed and is still not found as tests need it, for {}", package.name, package.needed_for);
        }
    }
    Ok(())
}

/// Runs a command, which may begin with variables, as root or through sudo without a password.
fn as_root(repository: &Repository, words: &[&str]) -> Result<()> {
    let mut command = repository.command("env");
    if !is_root(repository)? {
        command = repository.command("sudo");
        command.args(["--non-interactive", "env"]);
    }
    check(command.args(words))
}

fn is_root(repository: &Repository) -> Result<bool> {
    let user = output(repository.command("id").arg("-u")).context("ask for the user's id")?;
    Ok(user.trim() == "0")
}
