//! Owns: telling administrators what needs a person, besides the first page: which instance sends, what each channel has sent, what
//! it tells now. `notify` knows the ways, the words come from [`Writer`].

mod blind;
mod staff;
mod state;
mod tell;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use self::blind::Blind;
pub use self::staff::{STAFF, submit_text, text_at_provider};
pub use self::state::{Standing, all, channel_named, test};
use super::View;
use super::overview::need::{Kind, Need, Value};
use super::overview::{History, Overview, state};
use crate::metrics::Metrics;
use crate::notify::Letter;
use crate::road::{Step, mark_one};
use crate::stop::Stop;
use crate::store::{StoreError, notice};
use crate::tasks::Task;
use uuid::Uuid;

/// How often the instance whose turn it is looks.
const EVERY: Duration = Duration::from_secs(20);
/// The turn ends by itself after so long: longer than a notice may take by all channels.
const TURN: SignedDuration = SignedDuration::from_mins(5);

/// What a notice says of one need.
#[derive(Clone, Debug)]
pub struct Item {
    pub key: String,
    /// `None`: it is over.
    pub need: Option<Need>,
    /// Its sentence; of what is over, as it was reported.
    pub says: String,
}

/// What a notice is about.
#[derive(Clone, Debug)]
pub enum Matter<'a> {
    /// Needs that are new, have grown, hold still, are over.
    Needs { fresh: Vec<Item>, grown: Vec<Item>, again: Vec<Item>, over: Vec<Item> },
    /// The week.
    Digest { now: &'a Overview, past: &'a History },
    /// Somebody wants to see whether notices arrive.
    Test { by: &'a str },
    /// This instance cannot look or write: why; `None`: it can again.
    Blind { instance: &'a str, why: Option<&'a str> },
}

/// Writes notices in the words of people. Lies above this room, where the pages' words are.
pub trait Writer: Send + Sync {
    fn letter(&self, id: Uuid, at: Timestamp, matter: &Matter<'_>) -> Letter;
    /// The sentence of a need.
    fn says(&self, need: &Need, at: Timestamp) -> String;
}

/// Tells.
pub struct Notifier {
    view: View,
    metrics: Arc<Metrics>,
    writer: Box<dyn Writer>,
    zone: TimeZone,
    /// This instance, among the others.
    instance: String,
    blind: Mutex<Blind>,
}

impl fmt::Debug for Notifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifier").field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl Notifier {
    #[must_use]
    pub fn new(view: View, metrics: Arc<Metrics>, writer: Box<dyn Writer>, instance: String) -> Self {
        let zone = TimeZone::get(&view.config.billing.timezone).unwrap_or(TimeZone::UTC);
        Self { view, metrics, writer, zone, instance, blind: Mutex::default() }
    }

    /// Tells until asked to stop.
    pub async fn run(&self, mut stop: Stop) {
        while !stop.is_stopped() {
            mark_one(Step::Turning, &Task::Notices);
            self.round().await;
            tokio::select! {
                () = stop.stopped() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    /// Looks once, and tells what is due, if it is this instance's turn. Returns how many notices went out.
    pub async fn round(&self) -> u32 {
        if !self.view.config.notify.is_on() {
            return 0;
        }
        match self.look().await {
            Ok(sent) => sent + self.see_again().await,
            Err(error) => {
                tracing::warn!(%error, "what needs a person is not known, or cannot be noted");
                self.note_blind(&error).await
            }
        }
    }

    async fn look(&self) -> Result<u32, StoreError> {
        let now = self.view.clock.now();
        if !notice::take_turn(&self.view.store, &self.instance, now + TURN, now).await? {
            return Ok(0);
        }
        let overview = state(&self.view).await?;
        let sent = self.tell(&overview).await?;
        notice::end_turn(&self.view.store, &self.instance, self.view.clock.now()).await?;
        Ok(sent)
    }
}

/// Which need it is, with what it is about: two numbers that are stopped are two needs.
fn key(need: &Need) -> String {
    const CHARS_MAX: usize = 180;
    let of = |(name, value): &(&'static str, Value)| match value {
        Value::Text(text) if matches!(*name, "lane" | "hook" | "who" | "channel") => Some(text.clone()),
        Value::Reason(reason) => Some(reason.code().to_owned()),
        _ => None,
    };
    let about = need.values.iter().find_map(of);
    let key = about.map_or_else(|| need.code().to_owned(), |about| format!("{}:{about}", need.code()));
    key.chars().take(CHARS_MAX).collect()
}

/// Whether a need is about the channel that would tell it.
fn is_about(need: &Need, channel: crate::notify::Channel) -> bool {
    need.kind == Kind::NoticesFail && key(need).ends_with(&format!(":{channel}"))
}
