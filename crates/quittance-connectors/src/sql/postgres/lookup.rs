//! Conditions by which records are found, in a form that indexes serve.

use super::Kind;
use super::array::array;
use super::catalog::Table;
use quittance_core::pair::Side;
use quittance_core::record::value::Value;

/// The condition under which rows are read that may hold one of these, in the columns of a side that are named by their
/// index. It finds all that do, and perhaps others (of a column whose equality ignores case, say).
///
/// None where no condition can be said, as inside JSON: every row has to be read then.
#[must_use]
pub fn lookup(table: &Table, side: &Side, columns: &[usize], values: &[Vec<Value<'static>>]) -> Option<String> {
    let mut kinds = Vec::with_capacity(columns.len());
    for at in columns {
        let column = &side.columns[*at];
        let (_, known) = table.column(&column.name).filter(|_| column.pointer.is_none())?;
        kinds.push((known.kind, known.kind.comparable(&known.name)?));
    }
    let literals: Vec<Vec<String>> = values.iter().filter_map(|values| literals(&kinds, values)).collect();
    if literals.is_empty() {
        return Some("false".to_owned());
    }
    let of_column = |at: usize| array(literals.iter().map(|literals| literals[at].as_str()), kinds[at].1.1);
    if let [(_, (expression, _))] = kinds.as_slice() {
        return Some(format!("{expression} = ANY ({})", of_column(0)));
    }
    let expressions: Vec<&str> = kinds.iter().map(|(_, (expression, _))| expression.as_str()).collect();
    let arrays: Vec<String> = (0..kinds.len()).map(of_column).collect();
    Some(format!("({}) IN (SELECT * FROM unnest({}))", expressions.join(", "), arrays.join(", ")))
}

/// None where a value is one that its column cannot hold.
fn literals(kinds: &[(Kind, (String, &'static str))], values: &[Value<'static>]) -> Option<Vec<String>> {
    kinds.iter().zip(values).map(|((kind, _), value)| kind.literal(&typed(*kind, value)?)).collect()
}

/// A value of a cell whose type nobody declared takes that of the column, or stays the text it is, such as `NaN`.
pub(super) fn typed(kind: Kind, value: &Value<'static>) -> Option<Value<'static>> {
    match value {
        Value::Untyped(text) => value.read_as(kind.value_type()).or_else(|| Some(Value::Text(text.clone()))),
        _ => Some(value.clone()),
    }
}
