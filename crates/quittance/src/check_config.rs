//! `quittance check-config`: every mistake at once, before a server refuses to start for one of them.

use crate::arguments::Global;
use crate::failure::Exit;
use crate::output::{Document, Format};
use clap::Args;
use quittance_server::config::{Config, ConfigErrors, Mistake, Origin, SecretState, WebhookSecret};
use serde_json::{Value, json};
use std::process::ExitCode;

/// How far to look.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Do not look whether the secrets are there, as where the configuration is only tested
    #[arg(long)]
    without_secrets: bool,
}

/// Checks the configuration and the secrets it refers to.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    match check(arguments, global) {
        Ok(config) => {
            good(&config).print(global.format())?;
            Ok(Exit::Good.into())
        }
        Err(errors) => {
            eprintln!("{errors}");
            if global.format() != Format::Table {
                bad(&errors).print(global.format())?;
            }
            Ok(Exit::Usage.into())
        }
    }
}

fn check(arguments: &Arguments, global: &Global) -> Result<Config, ConfigErrors> {
    let config = Config::load(global.config.as_deref())?;
    if !arguments.without_secrets {
        config.resolve_secrets()?;
        config.systems.values().try_for_each(|system| config.system_secret(system).map(drop))?;
    }
    Ok(config)
}

fn good(config: &Config) -> Document {
    let file = config.file.as_ref().map(|file| file.display().to_string());
    let gateways: Vec<&String> = config.gateways.keys().collect();
    let row = |(name, gateway): (&String, &quittance_server::config::Gateway)| {
        vec![name.clone(), gateway.api_base.clone(), gateway.webhook_endpoint.clone().unwrap_or_default()]
    };
    let explained = |(name, gateway): (&String, &quittance_server::config::Gateway)| {
        let secrets =
            gateway.webhook_secrets.iter().map(|secret| format!("gateways.{name}: secret {}", secret.explanation()));
        secrets.collect::<Vec<_>>()
    };
    let is_plain = |secret: &WebhookSecret| secret.state == SecretState::Active;
    let rotating = config.gateways.iter().filter(|(_, gateway)| !gateway.webhook_secrets.iter().all(is_plain));
    let secrets: Vec<String> = rotating.flat_map(explained).collect();
    let source = file.as_deref().unwrap_or("no file, only defaults");
    Document {
        json: json!({
            "ok": true,
            "file": file,
            "gateways": gateways,
            "systems": config.systems.keys().collect::<Vec<_>>(),
            "pairs": config.pairs.keys().collect::<Vec<_>>(),
            "mistakes": [],
            "secrets": secrets,
        }),
        columns: vec!["gateway", "api_base", "webhook_endpoint"],
        rows: config.gateways.iter().map(row).collect(),
        notes: [format!("no mistakes in {source}; listening would be on {}", config.server.listen)]
            .into_iter()
            .chain(config.pairs.iter().map(|(name, pair)| compared(name, pair)))
            .chain(secrets)
            .collect(),
        text: None,
    }
}

fn compared(name: &str, pair: &quittance_server::config::Pair) -> String {
    let (left, right) = (&pair.left, &pair.right);
    format!("pair {name}: {} of {} and {} of {}", left.object, left.system, right.object, right.system)
}

fn bad(errors: &ConfigErrors) -> Document {
    let file = errors.file.as_ref().map(|file| file.display().to_string());
    let row = |mistake: &Mistake| {
        let (line, variable) = place(&mistake.origin);
        vec![
            line.map(|line| line.to_string()).unwrap_or_default(),
            variable.unwrap_or_default().to_owned(),
            mistake.setting.clone(),
            mistake.what.clone(),
            mistake.remedy.clone(),
        ]
    };
    Document {
        json: json!({"ok": false, "file": file, "mistakes": errors.mistakes.iter().map(object).collect::<Vec<_>>()}),
        columns: vec!["line", "variable", "setting", "what", "remedy"],
        rows: errors.mistakes.iter().map(row).collect(),
        notes: Vec::new(),
        text: None,
    }
}

fn object(mistake: &Mistake) -> Value {
    let (line, variable) = place(&mistake.origin);
    json!({
        "line": line,
        "variable": variable,
        "setting": mistake.setting,
        "what": mistake.what,
        "remedy": mistake.remedy,
    })
}

fn place(origin: &Origin) -> (Option<usize>, Option<&str>) {
    match origin {
        Origin::Line(line) => (Some(*line), None),
        Origin::Variable(name) => (None, Some(name)),
        Origin::File => (None, None),
    }
}
