//! Which types the keys of a side turn out to have, where nobody declared them: keys of two types never match, and a
//! comparison of such would call every record missing on both sides.

use super::error::DiffError;
use super::plan::key_remedy;
use quittance_core::pair::row::Record;
use quittance_core::pair::transform::Transform;
use quittance_core::pair::{Pair, Side};
use quittance_core::record::key::key_types;
use quittance_core::record::value::Type;

/// The types that were met, for each column of each rule.
#[derive(Clone, Debug)]
pub(super) struct KeyTypes(Vec<Vec<Met>>);

/// Types and how to tell one: there are few, and most columns have one.
type Met = Vec<Type>;

impl KeyTypes {
    pub(super) fn new(side: &Side) -> Self {
        Self(side.rules.iter().map(|rule| vec![Met::new(); rule.len()]).collect())
    }

    /// Takes the keys of a record into account.
    pub(super) fn note(&mut self, record: Record<'_>) {
        for (rule, columns) in self.0.iter_mut().enumerate() {
            let Some(key) = record.key(rule) else { continue };
            for (met, found) in columns.iter_mut().zip(key_types(key)) {
                if !met.contains(&found) {
                    met.push(found);
                }
            }
        }
    }
}

/// Refuses sides whose keys have no type in common. A column that is read as what the other side declares is not asked:
/// what of it cannot be read so matches nothing, as any other wrong value.
pub(super) fn check(pair: &Pair, left: &KeyTypes, right: &KeyTypes) -> Result<(), DiffError> {
    for (rule, (left_met, right_met)) in left.0.iter().zip(&right.0).enumerate() {
        for (part, (one, other)) in left_met.iter().zip(right_met).enumerate() {
            let left_column = &pair.left.columns[pair.left.rules[rule][part]];
            let right_column = &pair.right.columns[pair.right.rules[rule][part]];
            let is_read = [left_column, right_column]
                .iter()
                .any(|column| matches!(column.transforms.last(), Some(Transform::TryReadAs(_))));
            let (Some(left_type), Some(right_type)) = (one.first(), other.first()) else { continue };
            if !is_read && one.iter().all(|met| !other.contains(met)) {
                let what = format!(
                    "every key `{}` of the left is {left_type} and every key `{}` of the right is {right_type}: \
                     they never match",
                    left_column.name, right_column.name
                );
                let remedy = key_remedy(left_column, right_column, *left_type, *right_type);
                return Err(DiffError::Pair { pair: pair.name.clone(), what, remedy });
            }
        }
    }
    Ok(())
}
