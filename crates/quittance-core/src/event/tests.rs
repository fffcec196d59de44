//! What is told of which change, and what becomes of deliveries and endpoints.

mod deliveries;
mod endpoints;
mod kinds;
