//! Names that are not there, and the ones that were probably meant.

use super::SystemError;
use crate::config::closest;

/// Most names that are listed.
const LISTED_MAX: usize = 20;

/// A remedy for a name that is not among those there are.
pub(crate) fn remedy(name: &str, known: &[&str]) -> String {
    match known {
        [] => "there is nothing in it".to_owned(),
        known if known.len() <= LISTED_MAX => closest(name, known),
        known => match closest(name, known).split_once("? ") {
            Some((meant, _)) => format!("{meant}?"),
            None => format!("known are {} and {} more", known[..LISTED_MAX].join(", "), known.len() - LISTED_MAX),
        },
    }
}

/// Says that an object has no such column.
pub(crate) fn no_column(system: &str, object: &str, column: &str, known: &[&str]) -> SystemError {
    SystemError::configuration(
        format!("there is no column `{column}` in `{object}` of the system `{system}`"),
        remedy(column, known),
    )
}
