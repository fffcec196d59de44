//! Rows by role: reads a list within its limit, and takes values as what a finder needs.

use super::List;
use super::roles::{Role, Roles};
use crate::systems::{SystemError, Wanted};
use quittance_core::pair::transform::Transform;
use quittance_core::record::number::Number;
use quittance_core::record::value::{Type, Value};
use quittance_core::time::Timestamp;
use std::ops::ControlFlow;

/// What was read, apart from the records themselves.
#[derive(Default)]
pub(super) struct Table {
    pub(super) examined: u64,
    pub(super) unjudged: Unjudged,
}

/// Records that cannot be judged: how many, and the first.
#[derive(Default)]
pub(super) struct Unjudged {
    count: u64,
    first: Option<String>,
}

impl Unjudged {
    pub(super) fn len(&self) -> u64 {
        self.count
    }

    pub(super) fn first(&self) -> Option<&str> {
        self.first.as_deref()
    }
}

/// What a row comes to.
pub(super) enum Judged<T> {
    /// A record for the finder.
    Record(T),
    /// Nothing that it looks at.
    Beside,
    /// What decides is not there or cannot be read.
    Unclear,
}

/// One row, by role.
pub(super) struct Row<'r, 'v> {
    roles: &'r Roles,
    values: &'r [Value<'v>],
}

impl<'v> Row<'_, 'v> {
    /// The first value of a role that says something; absent where no column has it.
    pub(super) fn value(&self, role: usize) -> Value<'v> {
        let values = self.roles.of(role).iter().map(|at| &self.values[*at]);
        let is_better = |value: &&Value<'_>| !value.is_nothing();
        let found = values.clone().find(is_better).or_else(|| values.clone().find(|value| **value == Value::Null));
        found.cloned().unwrap_or(Value::Absent)
    }

    /// As text, however it is stored; none where it says nothing.
    pub(super) fn text(&self, role: usize) -> Option<String> {
        text(&self.value(role))
    }

    pub(super) fn number(&self, role: usize) -> Option<Number<'static>> {
        match self.value(role).read_as(Type::Number)? {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn moment(&self, role: usize) -> Option<Timestamp> {
        moment(&self.value(role))
    }
}

/// A value as text, however it is stored; none where it says nothing.
pub(super) fn text(value: &Value<'_>) -> Option<String> {
    (!value.is_nothing()).then(|| value.to_string()).filter(|text| !text.trim().is_empty())
}

/// A value as a moment: a timestamp, a day from its beginning in UTC, or seconds since 1970.
pub(super) fn moment(value: &Value<'_>) -> Option<Timestamp> {
    let read = match value {
        Value::Date(day) => Value::Text(format!("{day}T00:00:00Z").into()).read_as(Type::Timestamp),
        Value::Number(_) => Transform::EpochToTimestamp.apply(value.clone(), &[]).ok().map(Value::into_owned),
        Value::Text(text) | Value::Untyped(text) => value.read_as(Type::Timestamp).or_else(|| {
            let number = Value::Untyped(text.as_ref().into()).read_as(Type::Number)?;
            Transform::EpochToTimestamp.apply(number, &[]).ok()
        }),
        other => other.read_as(Type::Timestamp),
    };
    match read? {
        Value::Timestamp(at) => Some(at),
        _ => None,
    }
}

/// Reads every row of a list; the first role names the record.
pub(super) fn read<T>(
    list: &mut List<'_>,
    roles: &[Role],
    judge: impl FnMut(&Row<'_, '_>, &Roles) -> Judged<T>,
) -> Result<(Vec<T>, Table), SystemError> {
    let resolved = Roles::resolve(list, roles)?;
    read_resolved(list, &resolved, judge)
}

/// As [`read`], where it is known already what is read.
pub(super) fn read_resolved<T>(
    list: &mut List<'_>,
    roles: &Roles,
    mut judge: impl FnMut(&Row<'_, '_>, &Roles) -> Judged<T>,
) -> Result<(Vec<T>, Table), SystemError> {
    let (mut records, mut table) = (Vec::new(), Table::default());
    let records_max = list.records_max as u64;
    list.system.read(list.object, &roles.side, &Wanted::All, &mut |values| {
        table.examined += 1;
        if table.examined > records_max {
            return ControlFlow::Break(());
        }
        let row = Row { roles, values };
        match judge(&row, roles) {
            Judged::Record(record) => records.push(record),
            Judged::Beside => {}
            Judged::Unclear => {
                table.unjudged.count += 1;
                let name = || row.text(0).unwrap_or_else(|| format!("record {}", table.examined));
                table.unjudged.first.get_or_insert_with(name);
            }
        }
        ControlFlow::Continue(())
    })?;
    if table.examined > records_max {
        let what =
            format!("`{}` of the system `{}` has more than {records_max} records", list.object, list.system_name);
        return Err(SystemError::configuration(what, "name a view or a file with a part of them, a year for example"));
    }
    Ok((records, table))
}
