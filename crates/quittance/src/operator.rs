//! Operators' commands: carried out by the server that runs on the data, or, where none does, on the data itself.

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use crate::output::Document;
use anyhow::Context;
use quittance_server::config::Config;
use quittance_server::operate::{self, Operation};
use quittance_store::store::StoreError;
use serde_json::Value;
use std::collections::BTreeSet;

/// Carries an operation out and returns its answer.
pub(crate) fn perform(operation: &Operation, global: &Global) -> anyhow::Result<Value> {
    let makes_data = matches!(operation, Operation::CreateTenant { .. } | Operation::CreateKey { .. });
    let data = global.data()?;
    if !makes_data && !data.may_exist() {
        // A question must not leave an empty data directory behind.
        return Err(StoreError::Missing { path: data.to_string() }.into());
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start a thread")?;
    Ok(runtime.block_on(operate::run(&data, operation, &configured(operation, global)))?)
}

/// The gateways that a brake can name where no server runs. A configuration that is broken has none: a server that runs
/// knows its own, and everything together can be paused without any.
fn configured(operation: &Operation, global: &Global) -> BTreeSet<String> {
    match operation {
        Operation::Pause { gateway: Some(_), .. } | Operation::Resume { gateway: Some(_), .. } => {
            Config::load(global.config.as_deref())
                .map(|config| config.gateways.into_keys().collect())
                .unwrap_or_default()
        }
        _ => BTreeSet::new(),
    }
}

/// An answer that is one object, as a row of these members.
pub(crate) fn object(answer: Value, columns: &[&'static str], notes: Vec<String>) -> Document {
    Document { rows: vec![row(&answer, columns)], columns: columns.to_vec(), json: answer, notes, text: None }
}

/// An answer that is a list (`{"data": […]}`), a row of these members for each.
pub(crate) fn list(answer: Value, columns: &[&'static str]) -> Document {
    let rows = rows(&answer["data"], columns);
    Document { rows, columns: columns.to_vec(), json: answer, notes: Vec::new(), text: None }
}

/// A row of these members for each object of a list.
pub(crate) fn rows(list: &Value, columns: &[&'static str]) -> Vec<Vec<String>> {
    list.as_array().into_iter().flatten().map(|item| row(item, columns)).collect()
}

fn row(object: &Value, columns: &[&'static str]) -> Vec<String> {
    let text = |column: &&'static str| match &object[*column] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    columns.iter().map(text).collect()
}

/// A name that is only blanks is a slip of a script, not a name.
pub(crate) fn named(name: &str) -> anyhow::Result<String> {
    if name.trim().is_empty() {
        return Err(Failure::new(Exit::Usage, "--name: the name is empty", "write what people will call it").into());
    }
    Ok(name.to_owned())
}
