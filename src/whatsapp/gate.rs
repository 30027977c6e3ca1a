//! Owns: the last look before a request leaves. The connection may take its time; so the right to send is asked for again
//! by the body itself, when it is about to be written and nothing has been.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Whether it may still be sent, asked at the last moment.
#[derive(Clone)]
pub struct Gate(Arc<dyn Fn() -> bool + Send + Sync>);

impl Gate {
    #[must_use]
    pub fn new(open: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }

    /// One that never closes.
    #[must_use]
    pub fn open() -> Self {
        Self::new(|| true)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

/// A closed gate, as the body's error.
#[derive(Debug, thiserror::Error)]
#[error("the right to send was lost before anything was sent")]
pub(super) struct Closed;

/// How far a body came.
#[derive(Clone, Debug, Default)]
pub(super) struct Passage(Arc<AtomicU8>);

const CLOSED: u8 = 1;
const HANDED_OVER: u8 = 2;

impl Passage {
    /// It broke off because of the gate.
    pub(super) fn is_closed(&self) -> bool {
        self.0.load(Ordering::SeqCst) == CLOSED
    }

    /// The connection has it: from here on nobody knows what the provider got. Before, it was at most the head, whose
    /// announced length makes it no request.
    pub(super) fn is_handed_over(&self) -> bool {
        self.0.load(Ordering::SeqCst) == HANDED_OVER
    }
}

/// A request body that breaks off before its first byte when the gate is closed.
///
/// hyper (1.12, HTTP/1) takes the body before it flushes the head, so that a broken body means an unsent request; and the
/// look and the write have no pause in between.
pub(super) struct GatedBody {
    bytes: Option<Bytes>,
    gate: Gate,
    passage: Passage,
}

impl GatedBody {
    /// The body, and how far it came.
    pub(super) fn new(bytes: Bytes, gate: Gate) -> (Self, Passage) {
        let passage = Passage::default();
        (Self { bytes: Some(bytes), gate, passage: passage.clone() }, passage)
    }
}

impl Body for GatedBody {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Closed>>> {
        let Some(bytes) = self.bytes.take() else { return Poll::Ready(None) };
        if (self.gate.0)() {
            self.passage.0.store(HANDED_OVER, Ordering::SeqCst);
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        self.passage.0.store(CLOSED, Ordering::SeqCst);
        Poll::Ready(Some(Err(Closed)))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
