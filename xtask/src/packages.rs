//! System packages that tests use: what each is for, how to see whether it is there, and how to install it on Debian and Ubuntu.

use anyhow::{Context, Result, bail};

use crate::repository::{Repository, check, output, succeeds};

/// A package of the operating system.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    /// Ends well when the package is there.
    probe: &'static [&'static str],
    /// What cannot be tested without it.
    pub(crate) needed_for: &'static str,
}

const PACKAGES: &[Package] = &[
    Package {
        name: "python3-venv",
        probe: &["python3", "-c", "import ensurepip, venv"],
        needed_for: "the Python peers: the official Stripe client and localstripe",
    },
    Package { name: "nodejs", probe: &["node", "--version"], needed_for: "the Node peer: stripe-stateful-mock" },
    Package {
        name: "npm",
        // Asking npm itself takes as long as all the others together.
        probe: &["sh", "-c", "command -v npm"],
        needed_for: "the installation of the Node peer",
    },
    Package {
        name: "strace",
        probe: &["strace", "--version"],
        needed_for: "failed and delayed disk writes, injected into a running server",
    },
];

impl Package {
    /// How a person installs it.
    pub(crate) fn remedy(&self) -> String {
        format!("apt-get install {}, or cargo xtask test --all", self.name)
    }

    fn is_present(&self, repository: &Repository) -> bool {
        let Some((program, arguments)) = self.probe.split_first() else {
            return true;
        };
        succeeds(repository.command(program).args(arguments))
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
    let apt = |arguments: &[&str]| -> Result<()> {
        let mut command = repository.command("env");
        if !is_root(repository)? {
            command = repository.command("sudo");
            command.args(["--non-interactive", "env"]);
        }
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"]).args(arguments);
        check(&mut command)
    };
    apt(&["update"]).context("refresh the list of system packages")?;
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(&names);
    apt(&arguments).context("install system packages")?;
    for package in packages {
        if !package.is_present(repository) {
            bail!("{} was installed and still does not answer to {:?}", package.name, package.probe);
        }
    }
    Ok(())
}

fn is_root(repository: &Repository) -> Result<bool> {
    let user = output(repository.command("id").arg("-u")).context("ask for the user's id")?;
    Ok(user.trim() == "0")
}
