//! Owns: the last look before a request leaves. The connection may take its time; so the right to send is asked for again
//! by the body itself, when it is about to be written and nothing has been.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

/// A request body that breaks off before its first byte when the gate is closed.
///
/// hyper (1.12, HTTP/1) takes the body before it flushes the head, so that a broken body means an unsent request; and a head
/// alone would be no request either, because its length is announced.
pub(super) struct GatedBody {
    bytes: Option<Bytes>,
    gate: Gate,
    closed: Arc<AtomicBool>,
}

impl GatedBody {
    /// The body, and whether it broke off because of the gate.
    pub(super) fn new(bytes: Vec<u8>, gate: Gate) -> (Self, Arc<AtomicBool>) {
        let closed = Arc::new(AtomicBool::new(false));
        (Self { bytes: Some(bytes.into()), gate, closed: closed.clone() }, closed)
    }
}

impl Body for GatedBody {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Closed>>> {
        let Some(bytes) = self.bytes.take() else { return Poll::Ready(None) };
        if (self.gate.0)() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        self.closed.store(true, Ordering::SeqCst);
        Poll::Ready(Some(Err(Closed)))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
