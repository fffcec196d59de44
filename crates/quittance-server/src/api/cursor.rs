//! Cursors: opaque to clients, bound to one list of one tenant under one set of filters.

use crate::problem::{Problem, catalogue};
use quittance_core::id::TenantId;
use quittance_core::idempotency::digest16;

/// What a cursor belongs to.
pub(super) struct List([u8; 16]);

impl List {
    /// A list of a tenant, under these filters.
    pub(super) fn new(name: &str, tenant: TenantId, filters: &str) -> Self {
        Self(digest16(format!("{name} {tenant} {filters}").as_bytes()))
    }

    /// The cursor of a position. The list's mark comes first, the position is its remaining bytes.
    pub(super) fn cursor(&self, position: &[u8]) -> String {
        let mut text = String::from("c1_");
        for byte in self.0[..6].iter().chain(position) {
            text.push_str(&format!("{byte:02x}"));
        }
        text
    }

    /// The position of a cursor.
    pub(super) fn position(&self, cursor: &str) -> Result<Vec<u8>, Problem> {
        let bytes = cursor.strip_prefix("c1_").and_then(unhex);
        let position = bytes.as_deref().and_then(|bytes| bytes.strip_prefix(&self.0[..6]));
        position.map(<[u8]>::to_vec).ok_or_else(invalid)
    }

    /// The position of a cursor, of exactly so many bytes.
    pub(super) fn fixed_position<const N: usize>(&self, cursor: Option<&str>) -> Result<Option<[u8; N]>, Problem> {
        let Some(cursor) = cursor else {
            return Ok(None);
        };
        self.position(cursor)?.try_into().map(Some).map_err(|_| invalid())
    }
}

fn invalid() -> Problem {
    Problem::new(&catalogue::CURSOR_INVALID, "it is not one that this list gave out for these filters")
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| digit.to_digit(16).map(|value| value as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_alone() {
        let tenant = TenantId::from_bytes([7; 16]);
        let list = List::new("payments", tenant, "status=9:succeeded;");
        let cursor = list.cursor(&[1, 254]);
        assert_eq!(list.position(&cursor).expect("its own"), [1, 254]);
        assert!(List::new("payments", tenant, "").position(&cursor).is_err());
        for text in ["", "c1_", "c1_0", "c1_zz", &cursor[..cursor.len() - 1], "c1_é0"] {
            assert!(list.position(text).is_err(), "{text}");
        }
    }
}
