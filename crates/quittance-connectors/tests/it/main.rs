//! Tests of the connectors at their boundary: bytes in, facts out; parameters in, bytes out.
//!
//! Nothing here opens a socket or reads a clock. Third-party data is read from the folder that `QUITTANCE_TEST_DATA`
//! names, and skipped by name where it is absent; every rule also has a case that is written here.

mod answers;
mod capabilities;
mod charges;
mod conformance;
mod copy;
mod data;
mod disputes;
mod events;
mod intents;
mod key;
mod lists;
mod machines;
mod message;
mod pointers;
mod properties;
mod rail;
mod reading;
mod refunds;
mod requests;
mod signature;
mod surface;
mod verdicts;
