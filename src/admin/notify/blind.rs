//! Owns: the one need that no table can tell: this instance has no database, or one that takes no writes. Then there is no turn to
//! take, and each instance speaks for itself, by the channels that need no queue of ours.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::tell::send;
use super::{Matter, Notifier};
use crate::notify::Channel;
use crate::notify::plan::Manner;
use crate::store::StoreError;

/// A database that is away for less is restarting.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

/// Since when this instance cannot look, and who knows.
#[derive(Debug, Default)]
pub(super) struct Blind {
    since: Option<Timestamp>,
    told: BTreeSet<Channel>,
}

impl Notifier {
    /// Notes that it cannot look, and says so once.
    pub(super) async fn note_blind(&self, error: &StoreError) -> u32 {
        let now = self.view.clock.now();
        let (since, told) = {
            let mut blind = self.blind.lock().unwrap_or_else(PoisonError::into_inner);
            (*blind.since.get_or_insert(now), blind.told.clone())
        };
        if now.duration_since(since) < PATIENCE {
            return 0;
        }
        let config = &self.view.config.notify;
        let due = Channel::ALL.iter().copied().filter(|one| {
            let manner = Manner::of(config, one.manner(config), &self.zone);
            let quiet = manner.is_quiet(now) && !manner.quiet_urgent;
            *one != Channel::WhatsApp && one.is_on(config) && !told.contains(one) && !quiet
        });
        let mut sent = 0;
        for channel in due {
            if self.say(channel, Some(error.kind()), now).await {
                self.blind.lock().unwrap_or_else(PoisonError::into_inner).told.insert(channel);
                sent += 1;
            }
        }
        sent
    }

    /// It can look again: whoever got the first notice gets this one, too.
    pub(super) async fn see_again(&self) -> u32 {
        let told = std::mem::take(&mut *self.blind.lock().unwrap_or_else(PoisonError::into_inner)).told;
        let mut sent = 0;
        for channel in told {
            if channel.manner(&self.view.config.notify).recovery {
                sent += u32::from(self.say(channel, None, self.view.clock.now()).await);
            }
        }
        sent
    }

    async fn say(&self, channel: Channel, why: Option<&str>, now: Timestamp) -> bool {
        let matter = Matter::Blind { instance: &self.instance, why };
        let result = send(&self.view.config.notify, channel, &self.writer.letter(Uuid::now_v7(), now, &matter)).await;
        self.count(channel, &result);
        if let Err(failure) = &result {
            tracing::warn!(%channel, error = failure.detail, "a notice to administrators did not go out");
        }
        result.map_or_else(|failure| failure.partly, |()| true)
    }
}
