//! Integration tests of the core: one binary, a module per module of the crate.

mod allocate;
mod currency;
mod data;
mod effect_model;
mod effect_table;
mod golden;
mod id;
mod idempotency;
mod machine_table;
mod money;
mod pan;
mod rounding;
