//! Owns: what a lane does about once a second besides sending: taking over from an owner that fell silent, settling unknown
//! outcomes by policy, and reading what operators stopped.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::lane::{DispatchError, Lane};
use super::leadership::LeaseGuard;
use super::recipient_quota::RecipientQuota;
use super::retry_policy::AfterUnknown;
use super::send::store_pause;
use crate::domain::ids::MessageId;
use crate::domain::reason::Reason;
use crate::metrics::LaneLabel;
use crate::store::hold::HoldState;
use crate::store::lane::paused;
use crate::store::outbox::{bring_back, cancel};
use crate::store::unknown::{Lost, ask_operator, mark_lost, overdue, send_again};
use crate::store::{hold, recipient_window};

/// How often stored pauses, holds and unknown outcomes are looked at.
const EVERY: Duration = Duration::from_secs(1);
/// After another owner, nothing is sent for so long: its last second must be over before ours begins.
const AFTER_ANOTHER: Duration = Duration::from_millis(1_100);
/// Clocks of two machines may differ by so much when the recipients of the last owner are looked up.
const SKEW: SignedDuration = SignedDuration::from_secs(60);
/// Unknown messages settled by policy at once, per class.
const UNKNOWN_BATCH: usize = 200;
/// Longer than any wait for the pace (4^6 s for a pair, see [`super::backoff`]).
const AHEAD: SignedDuration = SignedDuration::from_hours(2);
/// Far enough for "until somebody says something"; the message expires before.
const HELD_FOR: SignedDuration = SignedDuration::from_hours(24 * 365);

impl Lane {
    /// Does it, if it is time.
    pub(super) async fn upkeep(&self, permit: &LeaseGuard, now: Timestamp) -> Result<(), DispatchError> {
        let fence = permit.holder.fence;
        let (fresh, ours) = {
            let holds = self.holds.lock().expect("no holder panics");
            let here = self.parts.clock.monotonic();
            let fresh = holds.read_at.is_some_and(|at| here.saturating_sub(at) < EVERY && here >= at);
            (fresh, holds.since.is_some_and(|(since, _)| since == fence))
        };
        if !ours {
            self.take_over(permit, now).await?;
        }
        if fresh && ours {
            return Ok(());
        }
        let older_than = self.settings.sending_timeout;
        let lost = Lost { fence, older_than, receipt_wait: self.settings.patience.unknown.receipt_wait };
        let count = mark_lost(&self.parts.store, &self.name, lost, now).await?;
        if count > 0 {
            self.parts.metrics.fault("lost");
            tracing::error!(lane = %self.name, messages = count, "their sender ended in mid-send: outcome unknown");
        }
        let brought = bring_back(&self.parts.store, &self.name, now + AHEAD, now).await?;
        if brought > 0 {
            tracing::warn!(lane = %self.name, messages = brought, "the clock was set back: they are due now");
        }
        self.settle_unknown(now).await?;
        self.read_stops(now).await
    }

    /// Begins to send where another owner ended, with the rate used so far.
    async fn take_over(&self, permit: &LeaseGuard, now: Timestamp) -> Result<(), DispatchError> {
        let rates = self.settings.rates;
        let pair = SignedDuration::from_secs(
            i64::try_from(rates.pair_interval_s.saturating_mul(rates.pair_burst.into())).unwrap_or(i64::MAX / 4),
        );
        let store = &self.parts.store;
        let since = if self.settings.recipients_per_day > 0 { recipient_window::WINDOW } else { pair };
        let recent = recipient_window::recent(store, &self.settings.portfolio, now - since.max(pair) - SKEW).await?;
        for (to, at) in &recent {
            if *at > now - pair - SKEW {
                self.pacer.use_up_pair(to);
            }
        }
        {
            // Another number of the portfolio may have read it already, and sent since.
            let mut day = self.day.lock().expect("no holder panics");
            if !day.is_of(permit.holder.fence) {
                *day = RecipientQuota::new(self.settings.recipients_per_day, permit.holder.fence, recent);
            }
        }
        let start = self.parts.clock.monotonic() + if permit.first { Duration::ZERO } else { AFTER_ANOTHER };
        let mut holds = self.holds.lock().expect("no holder panics");
        holds.since = Some((permit.holder.fence, start));
        Ok(())
    }

    /// Unknown outcomes that no receipt settled in time: by the policy of their class.
    async fn settle_unknown(&self, now: Timestamp) -> Result<(), DispatchError> {
        let store = &self.parts.store;
        let found = overdue(store, &self.name, now, UNKNOWN_BATCH).await?;
        if found.is_empty() {
            return Ok(());
        }
        let policy = self.settings.patience.unknown;
        let of = |what: AfterUnknown| -> Vec<MessageId> {
            found.iter().filter(|(_, priority)| policy.of(*priority) == what).map(|(id, _)| *id).collect()
        };
        let again = of(AfterUnknown::SendAgain);
        send_again(store, &again, Reason::SentAgain, now).await?;
        let held = of(AfterUnknown::Hold);
        ask_operator(store, &held, now + HELD_FOR).await?;
        let ended: Vec<_> = of(AfterUnknown::GiveUp).into_iter().map(|id| (id, Reason::OutcomeUnknown)).collect();
        cancel(store, &ended, now).await?;
        self.parts.metrics.fault("unknown_overdue");
        tracing::warn!(
            lane = %self.name, again = again.len(), held = held.len(), given_up = ended.len(),
            "no receipt came for messages of unknown outcome"
        );
        Ok(())
    }

    async fn read_stops(&self, now: Timestamp) -> Result<(), DispatchError> {
        let unstored = self.holds.lock().expect("no holder panics").unstored.clone();
        if let Some(stop) = unstored {
            if stop.until > now {
                store_pause(&stop, &self.holds, &self.parts).await;
            } else {
                self.holds.lock().expect("no holder panics").unstored = None;
            }
        }
        let all = paused(&self.parts.store, now).await?;
        let mine = all.into_iter().find(|pause| pause.lane == self.name).map(|pause| pause.until);
        if hold::ask_again(&self.parts.store, now).await? > 0 {
            self.parts.metrics.fault("alerts_held");
            tracing::error!("held alerts wait for an operator again: see `hookbridge holds`");
        }
        let held = hold::all(&self.parts.store).await?;
        let label = LaneLabel { lane: self.name.clone() };
        self.parts.metrics.lane_paused.get_or_create(&label).set(mine.is_some().into());
        let mut holds = self.holds.lock().expect("no holder panics");
        holds.read_at = Some(self.parts.clock.monotonic());
        holds.paused = mine.max(holds.unstored.as_ref().map(|stop| stop.until));
        holds.alerts = held
            .into_iter()
            .filter(|hold| hold.state != HoldState::Go)
            .map(|hold| (hold.hookpoint.to_string(), hold.client_id))
            .collect();
        self.pacer.forget_old();
        Ok(())
    }

    /// For how long the number is stopped, slowed down, or waits for the last owner's second to end.
    pub(super) fn stopped_for(&self, now: Timestamp) -> Option<Duration> {
        let holds = self.holds.lock().expect("no holder panics");
        let wall = holds.paused.max(holds.slow_until).filter(|until| *until > now);
        let wall = wall.map(|until| Duration::try_from(until.duration_since(now)).unwrap_or_default());
        let start = holds.since.map(|(_, start)| start.saturating_sub(self.parts.clock.monotonic()));
        wall.max(start.filter(|left| !left.is_zero()))
    }
}
