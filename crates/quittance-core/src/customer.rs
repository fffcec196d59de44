//! A customer. Its id names its book.

use crate::currency::Currency;
use crate::id::{CustomerId, TenantId};
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// A customer of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Its id, and its book's.
    pub id: CustomerId,
    /// The tenant.
    pub tenant: TenantId,
    /// The client's own id of it, unique within the tenant.
    pub external_id: Option<String>,
    /// Name, as shown to people.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Preferred currency.
    pub currency: Option<Currency>,
    /// IANA time zone.
    pub timezone: Option<String>,
    /// The gateways' ids of the customer, by gateway.
    pub gateway_ids: BTreeMap<String, String>,
    /// The client's own fields.
    pub metadata: BTreeMap<String, String>,
    /// When it was created.
    pub created_at: Timestamp,
}
