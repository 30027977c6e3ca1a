//! Owns: whose turn it is among the tests that keep the whole machine busy: browsers, a cluster, a fuzzer. Two of them at once
//! would make each other's patience run out.

use tokio::sync::{Mutex, MutexGuard};

static TURN: Mutex<()> = Mutex::const_new(());

/// Waits for the turn, and keeps it until the guard is dropped.
pub async fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().await
}
