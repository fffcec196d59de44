//! Owns: what a restricted key may not do, and Stripe's words for it. Does not own: which keys there are
//! (`authentication`).

use std::collections::BTreeMap;

use crate::answer::{ApiError, ErrorKind};
use crate::config::RestrictedKey;

/// The restricted keys. All others may do everything.
#[derive(Debug, Default)]
pub(crate) struct Permissions(BTreeMap<String, Restriction>);

#[derive(Debug)]
struct Restriction {
    may_write: bool,
    may_not_read: Vec<String>,
}

/// The first word of each URL, and what its permission is called. The names are from memory, but for those of charges,
/// customers and subscriptions; their form is what counts.
const RESOURCES: [(&str, &str); 16] = [
    ("balance", "balance"),
    ("balance_transactions", "balance_transaction_source"),
    ("charges", "charge"),
    ("customers", "customer"),
    ("disputes", "dispute"),
    ("events", "event"),
    ("invoices", "invoice"),
    ("payment_intents", "payment_intent"),
    ("payment_methods", "payment_method"),
    ("payouts", "payout"),
    ("prices", "plan"),
    ("products", "product"),
    ("refunds", "charge"),
    ("subscription_items", "subscription"),
    ("subscriptions", "subscription"),
    ("webhook_endpoints", "webhook"),
];

impl Permissions {
    pub(crate) fn new(keys: Vec<RestrictedKey>) -> Self {
        let mut permissions = Self::default();
        keys.into_iter().for_each(|key| permissions.restrict(key));
        permissions
    }

    /// Replaces what was known of this key.
    pub(crate) fn restrict(&mut self, key: RestrictedKey) {
        let RestrictedKey { key, may_write, may_not_read } = key;
        self.0.insert(key, Restriction { may_write, may_not_read });
    }

    pub(crate) fn knows(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// `collection` is the first word of the URL.
    pub(crate) fn check(&self, key: &str, collection: &str, is_write: bool) -> Result<(), ApiError> {
        let Some(restriction) = self.0.get(key) else {
            return Ok(());
        };
        let resource = resource(collection).unwrap_or(collection);
        let is_hidden = restriction.may_not_read.iter().any(|hidden| hidden == collection);
        match is_write {
            true if restriction.may_write => Ok(()),
            false if !is_hidden => Ok(()),
            _ => Err(refusal(key, resource, if is_write { "write" } else { "read" })),
        }
    }
}

/// The name of the permission for what the URL begins with.
pub(crate) fn resource(collection: &str) -> Option<&'static str> {
    RESOURCES.iter().find(|(known, _)| *known == collection).map(|(_, resource)| *resource)
}

fn refusal(key: &str, resource: &str, access: &str) -> ApiError {
    let message = format!(
        "The provided key '{}' does not have the required permissions for this endpoint on account \
         'acct_1SandboxAccount'. Having the 'rak_{resource}_{access}' permission would allow this request to continue.",
        mask(key)
    );
    ApiError::new(403, ErrorKind::InvalidRequest, message)
}

/// Its kind and its end, as Stripe shows keys.
fn mask(key: &str) -> String {
    let length = key.chars().count();
    let shown_at_end = (length.saturating_sub(8) / 2).min(6);
    let letters = key.chars().enumerate();
    letters.map(|(place, letter)| if place < 8 || place >= length - shown_at_end { letter } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn a_key_is_shown_by_its_ends() {
        assert_eq!(mask("rk_test_abcdefghijklmnopqrst"), "rk_test_**************opqrst");
        assert_eq!(mask("rk_test_abcd"), "rk_test_**cd");
        assert_eq!(mask("rk"), "rk");
    }
}
