//! Events: what a tenant's own systems are told when something changes that its clients see.
//!
//! Owns which changes are told and as what, how an endpoint is trusted and given up, and when a delivery is tried again. Does
//! not own how an event is written down, nor how it is sent.

mod delivery;
mod endpoint;
mod kind;
#[cfg(test)]
mod tests;

pub use delivery::{
    ATTEMPT_MS_MAX, ATTEMPTS_KEPT, Attempt, Delivery, DeliveryState, LEASE_MS_MIN, Learned, Replayed, SCHEDULE_MS,
    WAIT_MS_MAX, learn,
};
pub use endpoint::{
    ENDPOINTS_MAX, EndedBy, Endpoint, EndpointState, Endpoints, FAILING_MS_MAX, Kinds, OVERLAP_MS, SECRET_BYTES, Secret,
};
pub use kind::{Kind, Object, of_customer, of_dispute, of_payment, of_refund};
