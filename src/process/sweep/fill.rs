//! Owns: the first walk over all rows of a kind. It only remembers: whatever is there is how things are.

use std::time::Instant;

use super::compare::take;
use super::{PAGE_ROWS, Sweep, Swept};
use crate::domain::mirror::Kind;
use crate::process::worker::ProcessError;
use crate::stop::Stop;
use crate::store::mirror::{self, Change, Walk};

/// It rests after each page for so many times as long as the page took: it is in no hurry, and alerts are.
const REST: u32 = 3;

impl Sweep {
    pub(super) async fn fill(
        &self,
        kind: Kind,
        mut walk: Walk,
        stop: &Stop,
        swept: &mut Swept,
    ) -> Result<(), ProcessError> {
        let mut rows = 0;
        while !stop.is_stopped() && self.keep_turn().await? {
            let (now, began) = (self.clock.now(), Instant::now());
            let page = self.billing.watched_after(kind, walk.walk_after, PAGE_ROWS, now).await?;
            let changes: Vec<Change> = page.rows.iter().map(|row| take(kind, &row.seen, now)).collect();
            mirror::change(&self.store, kind, &changes).await?;
            self.anchors(kind, &page.rows, &[], |_| now, now).await?;
            rows += changes.len() as u64;
            if let Some(last) = page.last {
                (walk.walk_after, walk.newest_id, walk.newest_at) = (last, last, now);
            } else {
                (walk.filled_at, walk.walk_after, walk.newest_at) = (Some(now), 0, now);
                // The fill was the first round.
                (walk.round_before, walk.round_at) = (walk.round_at, now);
            }
            mirror::save_walk(&self.store, kind, &walk).await?;
            if walk.filled_at.is_some() {
                tracing::info!(kind = kind.code(), rows, "the sweep knows all rows: it tells of changes from now on");
                break;
            }
            if rows % (20 * PAGE_ROWS as u64) == 0 {
                tracing::info!(kind = kind.code(), rows, up_to_id = walk.walk_after, "the sweep looks around silently");
            }
            tokio::time::sleep(began.elapsed() * REST).await;
        }
        swept.rows += rows;
        Ok(())
    }
}
