//! Owns: filling the texts that people try out: off the runtime's threads, two at a time, and not for long. What takes longer than it
//! may keeps its place until it ends, so that it cannot take a second one.

use std::time::Duration;

use tokio::sync::Semaphore;

use super::AdminError;

static AT_ONCE: Semaphore = Semaphore::const_new(2);
/// Far above what any text needs: they take microseconds.
const DEADLINE: Duration = Duration::from_secs(2);

/// Does `work`.
///
/// # Errors
/// It took too long.
pub(super) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AdminError> {
    let too_slow = || AdminError::invalid("body", "templates.too_slow");
    let all = async {
        let turn = AT_ONCE.acquire().await.map_err(|e| AdminError::Internal(e.to_string()))?;
        let busy = move || {
            let done = work();
            drop(turn);
            done
        };
        tokio::task::spawn_blocking(busy).await.map_err(|e| AdminError::Internal(e.to_string()))
    };
    tokio::time::timeout(DEADLINE, all).await.map_err(|_| too_slow())?
}
