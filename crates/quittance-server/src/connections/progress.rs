//! How far a connection is with its request: whether all of it was read, all of its answer was taken, and the next one
//! is waited for. Judged only by what is promised of bodies and streams, not by the insides of what speaks HTTP.

use hyper::body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

/// How far a connection is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing has been asked.
    #[default]
    Listening,
    /// A request is read, worked on or answered, or nothing is known of it for certain.
    Busy,
    /// It was answered, and the other end has all of the answer.
    Answered,
    /// After that more was asked for, and nothing was there.
    Idle,
}

/// The progress of one connection, shared by all who see a part of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    step: Step,
    exchange: Option<Exchange>,
}

/// A request and its answer. Whoever works on them holds one; the connection's own is the last.
#[derive(Clone, Debug, Default)]
pub(super) struct Exchange(Arc<AtomicBool>);

impl Progress {
    pub(super) fn step(&self) -> Step {
        self.state().step
    }

    /// The head of a request has been read.
    pub(super) fn begin(&self) -> Exchange {
        let exchange = Exchange::default();
        *self.state() = State { step: Step::Busy, exchange: Some(exchange.clone()) };
        exchange
    }

    /// Whatever there was to write has been taken.
    pub(super) fn taken(&self) {
        let mut state = self.state();
        if state.step == Step::Busy && state.exchange.as_ref().is_some_and(Exchange::is_over) {
            state.step = Step::Answered;
        }
    }

    /// Something was to be read, and nothing was there.
    pub(super) fn nothing_heard(&self) {
        let mut state = self.state();
        if state.step == Step::Answered {
            state.step = Step::Idle;
        }
    }

    /// Something was read, or the connection is ending: it is not idle before another request has been answered.
    pub(super) fn moved(&self) {
        let mut state = self.state();
        if matches!(state.step, Step::Answered | Step::Idle) {
            *state = State { step: Step::Busy, exchange: None };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exchange {
    /// The body of the request: known to be read when its end has been seen.
    pub(super) fn request<B: Body>(&self, body: B) -> Followed<B> {
        let followed = Followed { body, exchange: self.clone(), part: Part::Request };
        followed.look();
        followed
    }

    /// The body of the answer: written, or not wanted, when it is dropped.
    pub(super) fn answer<B: Body>(self, body: B) -> Followed<B> {
        Followed { body, exchange: self, part: Part::Answer }
    }

    fn is_over(&self) -> bool {
        Arc::strong_count(&self.0) == 1 && self.0.load(Ordering::Acquire)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Request,
    Answer,
}

/// A body that is a part of an exchange.
pub(super) struct Followed<B> {
    body: B,
    exchange: Exchange,
    part: Part,
}

impl<B: Body> Followed<B> {
    fn look(&self) {
        if self.body.is_end_stream() {
            self.ended();
        }
    }

    fn ended(&self) {
        if self.part == Part::Request {
            self.exchange.0.store(true, Ordering::Release);
        }
    }
}

impl<B: Body + Unpin> Body for Followed<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match frame {
            Some(Ok(_)) => self.look(),
            // What is left of a body that failed is not known.
            Some(Err(_)) => {}
            None => self.ended(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body;
    use futures_util::FutureExt;

    /// Reads a body to its end.
    fn read(body: Followed<body::Body>) -> body::Bytes {
        body::to_bytes(body::Body::new(body), 9).now_or_never().expect("it is there").expect("no error")
    }

    /// What comes of a flush, and of a read that finds nothing.
    fn after(progress: &Progress) -> [Step; 2] {
        progress.taken();
        let step = progress.step();
        progress.nothing_heard();
        [step, progress.step()]
    }

    #[test]
    fn a_connection_is_idle_once_all_was_read_answered_taken_and_nothing_more_is_there() {
        let progress = Progress::default();
        assert_eq!(after(&progress), [Step::Listening; 2]);
        let exchange = progress.begin();
        let request = exchange.request(body::Body::from("asked"));
        assert_eq!(after(&progress), [Step::Busy; 2], "it is worked on");
        assert_eq!(read(request), "asked");
        assert_eq!(after(&progress), [Step::Busy; 2], "it is worked on");
        let answer = exchange.answer(body::Body::from("answered"));
        assert_eq!(after(&progress), [Step::Busy; 2], "it is answered");
        assert_eq!(read(answer), "answered");
        progress.nothing_heard();
        assert_eq!(progress.step(), Step::Busy, "not all was taken");
        assert_eq!(after(&progress), [Step::Answered, Step::Idle]);
        progress.moved();
        assert_eq!(after(&progress), [Step::Busy; 2], "more has been heard");
    }

    #[test]
    fn nobody_knows_where_the_next_request_begins_after_a_body_that_was_not_read() {
        let progress = Progress::default();
        let exchange = progress.begin();
        drop(exchange.request(body::Body::from("asked")));
        drop(exchange.answer(body::Body::empty()));
        assert_eq!(after(&progress), [Step::Busy; 2]);
        let exchange = progress.begin();
        drop(exchange.request(body::Body::empty()));
        drop(exchange);
        assert_eq!(after(&progress), [Step::Answered, Step::Idle], "a request without a body has none to read");
    }
}
