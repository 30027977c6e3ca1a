//! Owns: one round of each task, by hand: what tests and commands do instead of waiting for the clock.

use super::{App, keep_house};
use crate::dispatch::lane;
use crate::process::schedule::Round;
use crate::process::sweep::Swept;
use crate::stop::pair;

impl App {
    /// Runs workers and lanes by hand until nothing is due, for tests: no waiting by the clock.
    ///
    /// # Errors
    /// What the workers could not do.
    pub async fn drain(&self) -> anyhow::Result<()> {
        loop {
            let mut busy = self.worker.tick().await? > 0;
            for lane in &self.lanes {
                busy |= lane.tick().await? == lane::Tick::Busy;
                lane.settled().await;
            }
            self.decisions_kept().await;
            if !busy {
                return Ok(());
            }
        }
    }

    /// One turn of each worker and lane by hand, for tests that move the clock between.
    ///
    /// # Errors
    /// What the workers could not do.
    pub async fn step(&self) -> anyhow::Result<()> {
        self.worker.tick().await?;
        for lane in &self.lanes {
            lane.tick().await?;
            lane.settled().await;
        }
        Ok(())
    }

    /// What the housekeeping does, once.
    ///
    /// # Errors
    /// The database.
    pub async fn keep_house(&self) -> anyhow::Result<()> {
        keep_house(&self.store, &self.clock, &self.restore).await
    }

    /// What the sweep does, once, if it is due.
    ///
    /// # Errors
    /// A database.
    pub async fn sweep(&self) -> anyhow::Result<Swept> {
        // Held until the end: a dropped stopper stops.
        let (_stopper, stop) = pair();
        Ok(self.sweep.round(&stop).await?)
    }

    /// Looks which steps from dates have come, once, if it is our turn.
    ///
    /// # Errors
    /// A database.
    pub async fn look_at_dates(&self) -> anyhow::Result<Round> {
        // Held until the end: a dropped stopper stops.
        let (_stopper, stop) = pair();
        Ok(self.scheduler.round(&stop).await?)
    }

    /// What retention does, once.
    ///
    /// # Errors
    /// The database.
    pub async fn prune(&self) -> anyhow::Result<crate::retention::Round> {
        Ok(self.retention.round(&pair().1).await?)
    }

    /// What counting history does, once. Returns how many hours were counted.
    ///
    /// # Errors
    /// The database.
    pub async fn count(&self) -> anyhow::Result<usize> {
        Ok(self.figures.round(&pair().1).await?)
    }

    /// Tells administrators what is due, once, if it is our turn. Returns how many notices went out.
    pub async fn notify(&self) -> u32 {
        match &self.notifier {
            Some(notifier) => notifier.round().await,
            None => 0,
        }
    }

    /// Waits until every decision that was given is on record.
    pub async fn decisions_kept(&self) {
        if let Some(writer) = &self.decision_writer {
            writer.flush().await;
        }
    }
}
