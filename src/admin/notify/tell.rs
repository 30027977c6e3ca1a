//! Owns: one round of one channel: what is due, the notice, how it went.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Item, Matter, Notifier, Overview, is_about, key, staff};
use crate::admin::overview::history_of;
use crate::domain::notice::Notice;
use crate::metrics::ChannelResult;
use crate::notify::plan::{Holding, Manner, Plan, digest_due, look, plan};
use crate::notify::{self, Channel, Failure, Letter};
use crate::store::StoreError;
use crate::store::notice::{self, ChannelState};

/// The first wait after a failure; it doubles up to the longest.
const PAUSE_MIN: SignedDuration = SignedDuration::from_mins(1);
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(30);
/// A digest that could not go out by then is left out.
const DIGEST_LATE: SignedDuration = SignedDuration::from_hours(24);

impl Notifier {
    /// Tells by each channel what is due. Returns how many notices went out.
    pub(super) async fn tell(&self, overview: &Overview) -> Result<u32, StoreError> {
        let states = notice::channels(&self.view.store).await?;
        let mut sent = 0;
        for channel in Channel::ALL.iter().copied().filter(|one| one.is_on(&self.view.config.notify)) {
            let state = states.iter().find(|one| one.channel == channel.code()).cloned().unwrap_or_default();
            sent += self.by(channel, &state, overview).await?;
        }
        Ok(sent)
    }

    async fn by(&self, channel: Channel, state: &ChannelState, overview: &Overview) -> Result<u32, StoreError> {
        let (store, config, at) = (&self.view.store, &self.view.config.notify, overview.at);
        let manner = Manner::of(config, channel.manner(config), &self.zone);
        let told = |need: &&crate::admin::overview::need::Need| {
            (need.is_urgent() || !manner.urgent_only) && !is_about(need, channel)
        };
        let holding: Vec<Holding> = overview.needs.iter().filter(told).map(|need| self.holding(need, at)).collect();
        let before = notice::of(store, channel.code()).await?;
        let now = look(&before, &holding, at);
        let changed: Vec<Notice> = now.iter().filter(|one| !before.contains(one)).cloned().collect();
        let plan = plan(&now, &holding, &manner, at);
        let left = before.iter().filter(|one| now.iter().all(|now| now.need != one.need)).map(|one| one.need.clone());
        let gone: Vec<String> = left.chain(plan.forget.iter().cloned()).collect();
        notice::put(store, channel.code(), &changed, &gone).await?;
        if state.next_at.is_some_and(|next| next > at) {
            return Ok(0);
        }
        let mut sent = 0;
        if !plan.is_silent() {
            let matter = self.matter(overview, &now, &plan);
            let told = told_by(&now, &holding, &plan, at);
            if !self.deliver(channel, state, &matter, (&told, &plan.over), overview).await? {
                return Ok(0);
            }
            sent += 1;
        }
        Ok(sent + self.digest(channel, state, &manner, overview).await?)
    }

    fn holding(&self, need: &crate::admin::overview::need::Need, at: Timestamp) -> Holding {
        Holding { key: key(need), urgent: need.is_urgent(), n: need.n, says: self.writer.says(need, at) }
    }

    fn matter(&self, overview: &Overview, now: &[Notice], plan: &Plan) -> Matter<'static> {
        let item = |wanted: &String| {
            let need = overview.needs.iter().find(|need| key(need) == *wanted).cloned();
            let before = || now.iter().find(|one| one.need == *wanted).map(|one| one.says.clone()).unwrap_or_default();
            let says = need.as_ref().map_or_else(before, |need| self.writer.says(need, overview.at));
            Item { key: wanted.clone(), need, says }
        };
        let items = |keys: &[String]| keys.iter().map(item).collect::<Vec<_>>();
        Matter::Needs {
            fresh: items(&plan.fresh),
            grown: items(&plan.grown),
            again: items(&plan.again),
            over: items(&plan.over),
        }
    }

    async fn digest(
        &self,
        channel: Channel,
        state: &ChannelState,
        manner: &Manner,
        overview: &Overview,
    ) -> Result<u32, StoreError> {
        let (store, config, at) = (&self.view.store, &self.view.config.notify, overview.at);
        let Some(due) = digest_due(config, &self.zone, at).filter(|_| channel.manner(config).digest) else {
            return Ok(0);
        };
        let Some(done) = state.digest_at else {
            // The first look: the week before is not reported.
            notice::digested(store, channel.code(), at).await?;
            return Ok(0);
        };
        if due <= done || manner.is_quiet(at) {
            return Ok(0);
        }
        if at.duration_since(due) <= DIGEST_LATE {
            let past = history_of(&self.view, at).await?;
            let matter = Matter::Digest { now: overview, past: &past };
            if !self.deliver(channel, state, &matter, (&[], &[]), overview).await? {
                return Ok(0);
            }
        }
        notice::digested(store, channel.code(), due).await?;
        Ok(1)
    }

    /// Sends one notice and notes how it went. False: it is tried again.
    async fn deliver(
        &self,
        channel: Channel,
        state: &ChannelState,
        matter: &Matter<'_>,
        (told, over): (&[Notice], &[String]),
        overview: &Overview,
    ) -> Result<bool, StoreError> {
        let store = &self.view.store;
        let id = state.sending.as_deref().and_then(|id| id.parse().ok()).unwrap_or_else(Uuid::now_v7);
        notice::begin(store, channel.code(), &id.to_string()).await?;
        let letter = self.writer.letter(id, overview.at, matter);
        let result = match channel {
            Channel::WhatsApp => staff::queue(&self.view, &letter, overview).await?,
            other => send(&self.view.config.notify, other, &letter).await,
        };
        let now = self.view.clock.now();
        self.count(channel, &result);
        match result {
            Ok(()) => notice::sent(store, channel.code(), (told, over), None, now).await?,
            Err(failure) if failure.partly => {
                notice::sent(store, channel.code(), (told, over), Some(&failure.detail), now).await?;
            }
            Err(failure) => {
                let pause = pause(state.failures, failure.after);
                tracing::warn!(%channel, error = failure.detail, "a notice to administrators did not go out");
                notice::failed(store, channel.code(), &failure.detail, now + pause, now).await?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn count(&self, channel: Channel, result: &Result<(), Failure>) {
        let result = match result {
            Ok(()) => "sent",
            Err(failure) if failure.partly => "partly",
            Err(_) => "failed",
        };
        self.metrics.notices.get_or_create(&ChannelResult { channel: channel.code(), result }).inc();
    }
}

/// What is known once the notice is out.
fn told_by(now: &[Notice], holding: &[Holding], plan: &Plan, at: Timestamp) -> Vec<Notice> {
    let told = [&plan.fresh, &plan.grown, &plan.again];
    let is_told = |one: &&Notice| told.iter().any(|keys| keys.contains(&one.need));
    let write = |one: &Notice| {
        let holds = holding.iter().find(|holding| holding.key == one.need);
        let (n, says) = holds.map_or((one.notified_count, one.says.clone()), |holds| (holds.n, holds.says.clone()));
        Notice { notified_at: Some(at), notified_count: n, says, ..one.clone() }
    };
    now.iter().filter(is_told).map(write).collect()
}

/// By what is no message of ours.
pub(super) async fn send(
    config: &crate::config::notify::NotifyConfig,
    channel: Channel,
    letter: &Letter,
) -> Result<(), Failure> {
    match channel {
        Channel::Email => notify::by_mail(&config.email, letter).await,
        Channel::Webhook => notify::by_hook(&config.webhook, letter).await,
        Channel::WhatsApp => Err(Failure::new("a message of ours goes by its number")),
    }
}

fn pause(failures: u32, asked: Option<Duration>) -> SignedDuration {
    let doubled = PAUSE_MIN * (1_i32 << failures.min(5));
    let asked = asked.and_then(|asked| SignedDuration::try_from(asked).ok()).unwrap_or_default();
    doubled.min(PAUSE_MAX).max(asked)
}
