//! The effect machine against models of gateways that may do anything a network allows.

pub mod books;
mod one_request;
mod two_phase;

use quittance_core::currency::Currency;
use quittance_core::money::Money;

/// What every payment of the models is for.
pub fn money() -> Money {
    Money::new(500, Currency::from_code("EUR").expect("known currency"))
}
