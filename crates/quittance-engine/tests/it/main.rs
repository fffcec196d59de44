//! Integration tests of the engine: the real engine and store, a model of a gateway, time and chance in the test's hand.

mod crashes;
mod disputes;
mod gateway;
mod hostile;
mod idempotency;
mod pause;
mod payments;
mod review;
mod webhooks;
mod world;
