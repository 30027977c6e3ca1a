//! Owns: what operators do in many tests.

use hookbridge::admin::{AdminError, Desk};
use hookbridge::domain::admin::Who;
use hookbridge::domain::ids::MessageId;
use hookbridge::ops::events::ProcessAgain;
use hookbridge::ops::holds::{DiscardHold, PostponeHold, ReleaseHold};
use hookbridge::ops::messages::{CancelMessage, SettleMessage, Verdict};
use hookbridge::ops::numbers::{PauseNumber, ResumeNumber, SetPace};
use hookbridge::ops::restored::{DiscardRestored, ReleaseRestored, SayRestored, ShowRestored};
use hookbridge::ops::{Code, act, change, read};
use hookbridge::store::{Store, lane};
use jiff::Timestamp;

pub async fn pause(desk: &Desk, who: &Who, name: &str, minutes: u32) -> Result<(), AdminError> {
    let (name, why) = (name.to_owned(), "a test".to_owned());
    change(desk, who, PauseNumber { name, minutes, why }).await.map(drop)
}

pub async fn resume(desk: &Desk, who: &Who, name: &str) -> Result<(), AdminError> {
    change(desk, who, ResumeNumber { name: name.to_owned() }).await.map(drop)
}

/// Resumes it behind the page's back, whatever the instance knows of it.
pub async fn resume_lane(store: &Store, name: &str, now: Timestamp) {
    let mut tx = store.begin().await.expect("a transaction");
    lane::resume(&mut tx, name, now).await.expect("resumed");
    tx.commit().await.expect("it is stored");
}

pub async fn set_pace(desk: &Desk, who: &Who, name: &str, per_second: Option<u32>) -> Result<(), AdminError> {
    change(desk, who, SetPace { name: name.to_owned(), per_second }).await.map(drop)
}

pub async fn cancel_message(desk: &Desk, who: &Who, id: MessageId) -> Result<(), AdminError> {
    change(desk, who, CancelMessage { id: id.to_string() }).await.map(drop)
}

pub async fn settle_message(desk: &Desk, who: &Who, id: MessageId, verdict: Verdict) -> Result<(), AdminError> {
    change(desk, who, SettleMessage { id: id.to_string(), verdict: Code(verdict) }).await.map(drop)
}

pub async fn process_again(desk: &Desk, who: &Who, id: &str) -> Result<(), AdminError> {
    change(desk, who, ProcessAgain { id: id.to_owned() }).await.map(drop)
}

/// Releases a hookpoint's hold for 5 minutes.
pub async fn release_hold(desk: &Desk, who: &Who, hookpoint: &str) -> Result<usize, AdminError> {
    let release = ReleaseHold { hookpoint: hookpoint.to_owned(), client_id: None, minutes: 5 };
    act(desk, who, release).await.map(|done| done.messages)
}

/// Postpones it for 5 minutes.
pub async fn postpone_hold(desk: &Desk, who: &Who, hookpoint: &str) -> Result<(), AdminError> {
    let postpone = PostponeHold { hookpoint: hookpoint.to_owned(), client_id: None, minutes: 5 };
    act(desk, who, postpone).await.map(drop)
}

pub async fn discard_hold(desk: &Desk, who: &Who, hookpoint: &str) -> Result<usize, AdminError> {
    let discard = DiscardHold { hookpoint: hookpoint.to_owned(), client_id: None };
    act(desk, who, discard).await.map(|done| done.messages)
}

pub async fn say_restored(desk: &Desk, who: &Who) -> Result<u64, AdminError> {
    act(desk, who, SayRestored {}).await.map(|done| done.messages)
}

pub async fn release_restored(desk: &Desk, who: &Who) -> Result<u64, AdminError> {
    act(desk, who, ReleaseRestored {}).await.map(|done| done.messages)
}

pub async fn discard_restored(desk: &Desk, who: &Who) -> Result<u64, AdminError> {
    act(desk, who, DiscardRestored {}).await.map(|done| done.messages)
}

/// How many messages are on hold because the schema was restored.
pub async fn held_as_restored(desk: &Desk, who: &Who) -> u64 {
    read(desk, who, ShowRestored {}).await.expect("it can be read").held
}
