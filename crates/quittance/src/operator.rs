//! Operators' commands: carried out by the server that runs on the data, or, where none does, on the data itself.

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use crate::output::Document;
use anyhow::Context;
use quittance_server::admin::socket_path;
use quittance_server::operate::{self, Operation};
use quittance_store::store::StoreError;
use serde_json::Value;

/// Carries an operation out and returns its answer.
pub(crate) fn perform(operation: &Operation, global: &Global) -> anyhow::Result<Value> {
    let makes_data = matches!(operation, Operation::CreateTenant { .. } | Operation::CreateKey { .. });
    let has_data = global.data.join("quittance.db").is_file() || socket_path(&global.data).exists();
    if !makes_data && !has_data {
        // A question must not leave an empty data directory behind.
        return Err(StoreError::Missing { path: global.data.display().to_string() }.into());
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start a thread")?;
    Ok(runtime.block_on(operate::run(&global.data, operation))?)
}

/// An answer that is one object, as a row of these members.
pub(crate) fn object(answer: Value, columns: &[&'static str], notes: Vec<String>) -> Document {
    Document { rows: vec![row(&answer, columns)], columns: columns.to_vec(), json: answer, notes, text: None }
}

/// An answer that is a list (`{"data": […]}`), a row of these members for each.
pub(crate) fn list(answer: Value, columns: &[&'static str]) -> Document {
    let rows = answer["data"].as_array().into_iter().flatten().map(|item| row(item, columns)).collect();
    Document { rows, columns: columns.to_vec(), json: answer, notes: Vec::new(), text: None }
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
