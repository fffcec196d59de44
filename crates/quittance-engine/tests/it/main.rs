//! Integration tests of the engine: the real engine and store, a model of a gateway, time and chance in the test's hand.

mod approvals;
mod backlog;
mod brakes;
mod budgets;
mod crashes;
mod disputes;
mod fences;
mod gateway;
mod hostile;
mod hostile_steps;
mod idempotency;
mod late_generations;
mod late_refunds;
mod objects;
mod pause;
mod payments;
mod placing;
mod refunds_of_gone_money;
mod review;
mod scenarios;
mod searches;
mod trouble;
mod unlisted;
mod unreadable_events;
mod webhooks;
mod world;
