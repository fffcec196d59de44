//! Owns: the tests that speak HTTP with a running sandbox. Does not own: tests of its parts, which
//! sit beside them.

mod balance;
mod bodies;
mod catalogue;
mod charges;
mod disputes;
mod faults;
mod idempotency;
mod invoices;
mod lagging_lists;
mod late_clients;
mod late_effects;
mod lifecycle;
mod list_faults;
mod lists;
mod peers;
mod permissions;
mod profiles;
mod rail;
mod rail_clients;
mod rail_faults;
mod refund_clients;
mod refunds;
mod seeding;
mod shop;
mod subscriptions;
mod traffic;
mod unauthorised;
mod webhooks;
mod wrong_clock;
