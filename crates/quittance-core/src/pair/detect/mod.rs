//! Detectors: what a run says beyond its differences, beside what earlier runs said; and what a gateway lists beside what it sent.
//!
//! Pure rules over numbers. Does not own how they are counted, kept, or told.

pub mod shape;
pub mod silence;
pub mod webhooks;
