//! Owns: the end of a run: no more faults, and everything that waits comes to its end. First by the true clock, so that
//! what lies in the spool is taken; then the bridges' clock runs fast, so that every wait ends within seconds.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;

use crate::ground::{Ground, OWN};
use crate::progress::Progress;

const LOOK: Duration = Duration::from_millis(250);
/// The spool must be empty by then, and after it every queue.
const PATIENCE: Duration = Duration::from_mins(4);
/// Looks at which nothing is due before the clock goes on to the next that will be, by so much.
const STILL: i32 = 3;
const STEP_MS: i64 = 5_000;
/// Longer than any message or unknown outcome may wait.
const END_MS: i64 = 72 * 3_600_000;

/// What is left in the queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    pub spool: usize,
    pub inbox: u64,
    pub queued: u64,
    pub sending: u64,
    /// Of unknown outcome, or held.
    pub unknown: u64,
    /// Events and messages that are due by the bridges' clock.
    due: u64,
    /// When the next one is, counted from the true time.
    next_ms: Option<i64>,
}

impl Left {
    pub fn nothing(self) -> bool {
        self == Self::default()
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { spool, inbox, queued, sending, unknown, .. } = self;
        write!(f, "{spool} in the spool, {inbox} events, {queued} queued, {sending} sending, {unknown} unknown")
    }
}

pub async fn drain(ground: &Ground, progress: &Progress) -> anyhow::Result<Left> {
    for bridge in &ground.bridges {
        ensure!(bridge.listens().await, "bridge {} does not come up: see {}", bridge.name, bridge.log.display());
    }
    let started = Instant::now();
    while ground.platform.spooled().0 > 0 && started.elapsed() < PATIENCE {
        progress.say("the spool is sent", ground);
        ground.platform.flush().await?;
    }
    let mut root = ground.own.root(OWN).await?;
    let (started, mut ahead_ms, mut still) = (Instant::now(), 0, 0);
    let mut left = look(&mut root, ground, ahead_ms).await?;
    while !left.nothing() && started.elapsed() < PATIENCE {
        progress.say(&format!("the queues run empty ({left}, {} s ahead)", ahead_ms / 1_000), ground);
        tokio::time::sleep(LOOK).await;
        ground.sandbox.drain_receipts().await;
        left = look(&mut root, ground, ahead_ms).await?;
        still = if left.due + left.sending == 0 { still + 1 } else { 0 };
        if still >= STILL {
            // What waits for a time gets it; what waits for a receipt that never comes gets its end.
            ahead_ms = left.next_ms.map_or(END_MS, |next| next.max(ahead_ms) + STEP_MS.max((next - ahead_ms) / 2));
            ground.bridges.iter().for_each(|bridge| bridge.control.set_clock(ahead_ms));
            still = if ahead_ms == END_MS { i32::MIN } else { 0 };
        }
    }
    ground.sandbox.drain_receipts().await;
    root.disconnect().await?;
    Ok(left)
}

async fn look(root: &mut Conn, ground: &Ground, ahead_ms: i64) -> anyhow::Result<Left> {
    let states: Vec<(String, u64)> = root.query("SELECT state, COUNT(*) FROM outbox GROUP BY state").await?;
    let of = |name: &str| states.iter().find(|(state, _)| state == name).map_or(0, |(_, count)| *count);
    // An unknown outcome waits for its receipt, then for its class's policy; one that is left to an operator, for a year.
    let sql = "SELECT (SELECT COUNT(*) FROM inbox), SUM(run_at <= UTC_TIMESTAMP(3) + INTERVAL ? * 1000 MICROSECOND), \
               CAST(TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(3), MIN(run_at)) DIV 1000 AS SIGNED) \
               FROM (SELECT run_at FROM inbox UNION ALL SELECT run_at FROM outbox \
               WHERE state = 'queued' OR (state = 'unknown' AND run_at < UTC_TIMESTAMP() + INTERVAL 60 DAY)) AS waiting";
    let (inbox, due, next_ms): (u64, Option<u64>, Option<i64>) =
        root.exec_first(sql, (ahead_ms,)).await?.context("a count")?;
    Ok(Left {
        spool: ground.platform.spooled().0,
        inbox,
        queued: of("queued"),
        sending: of("sending"),
        unknown: of("unknown") + of("held"),
        due: due.unwrap_or_default(),
        next_ms,
    })
}
