//! Owns: making an error of a panic. A panic is a bug; it must harm only what it happened in.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use futures_util::FutureExt as _;

use crate::telemetry;

thread_local! {
    /// Where the last panic of this thread was.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Our own code failed. Says where, and never with what: a panic's words may quote a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("internal fault at {place}")]
pub struct Panicked {
    /// File and line.
    pub place: String,
}

impl Panicked {
    fn here() -> Self {
        Self { place: PLACE.with(|place| std::mem::take(&mut *place.borrow_mut())) }
    }
}

/// Runs `work` to its end.
///
/// # Errors
/// It panicked. What it held was dropped: locks are free, transactions rolled back.
pub async fn caught<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| Panicked::here())
}

/// From now on each panic leaves its place for [`Panicked`], and a line in the log in place of Rust's own words on standard
/// error, which would wait for whoever reads there.
pub fn note_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let place = info.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
            PLACE.with(|kept| kept.borrow_mut().clone_from(&place));
            if telemetry::is_started() {
                tracing::error!(place, "panic");
            } else {
                before(info);
            }
        }));
    });
}
