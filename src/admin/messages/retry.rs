//! Owns: sending many messages again: which would go, which not and why, how long it takes; and doing it. Whoever looks first and
//! does it then names the messages that were looked at, so that nothing goes that was not seen; doing it twice sends nothing twice.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::SignedDuration;

use super::{queue, still_fit};
use crate::admin::{AdminError, Desk, numbers};
use crate::domain::admin::{Role, Who};
use crate::domain::ids::MessageId;
use crate::domain::message::{Message, Standing};
use crate::domain::phone::E164;
use crate::domain::reason::Reason;
use crate::store::message;
use crate::store::resend::{self, RESEND_MAX};
use crate::store::search::{self, MessageSearch};
use crate::store::trail::MessageTrail;

/// Messages whose facts are looked at together.
const STEP: usize = 100;
/// Pages of a search that are looked through for messages that nobody sent again yet.
const PAGES_MAX: usize = 10;

/// Which messages are meant.
#[derive(Clone, Debug)]
pub enum Picked {
    /// These.
    Ids(Vec<MessageId>),
    /// All that a search finds: failed ones, if it names no state.
    All(Box<MessageSearch>),
}

/// Why a message is not sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// It waits, is being sent, or arrived.
    NotEnded,
    /// Another message does so already.
    ResentAlready,
    /// It may have arrived, and nobody said that twice is fine.
    MayHaveArrived,
    Because(Reason),
}

impl LeftOut {
    /// A stable name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotEnded => "not_ended",
            Self::ResentAlready => "resent_already",
            Self::MayHaveArrived => "may_have_arrived",
            Self::Because(reason) => reason.code(),
        }
    }

    /// The key of the pages' words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::NotEnded => "messages.not_ended".to_owned(),
            Self::ResentAlready => "messages.resent_already".to_owned(),
            Self::MayHaveArrived => "messages.left_unsure".to_owned(),
            Self::Because(reason) => format!("reason.{reason}"),
        }
    }
}

/// What would come of it.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Those that go, oldest first.
    pub fit: Vec<Message>,
    /// Those that go if it is understood that they may arrive twice.
    pub unsure: Vec<Message>,
    pub left_out: Vec<(MessageId, LeftOut)>,
    /// There are more than [`RESEND_MAX`]: do it again afterwards.
    pub more: bool,
    pub takes: Takes,
}

/// How long the sending takes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Takes {
    /// At most about so long, with all that waits before them.
    pub lasts: SignedDuration,
    /// A number among those that send is stopped.
    pub stopped: bool,
    /// The limit of 24 hours is reached before all are sent: the rest waits.
    pub over_day: bool,
}

impl Plan {
    /// What is left out, counted.
    #[must_use]
    pub fn reasons(&self) -> BTreeMap<LeftOut, usize> {
        count(self.left_out.iter().map(|(_, why)| *why))
    }

    /// All that were looked at and may go.
    #[must_use]
    pub fn ids(&self) -> Vec<MessageId> {
        self.fit.iter().chain(&self.unsure).map(|one| one.id).collect()
    }
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub resent: usize,
    /// Left out, by reason.
    pub left_out: BTreeMap<LeftOut, usize>,
    /// There are more of them: do it again.
    pub more: bool,
}

fn count<T: Ord>(all: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts
}

/// What would come of sending `picked` again.
///
/// # Errors
/// Too many, none, or a search for messages that have not ended; a database.
pub async fn plan(desk: &Desk, picked: &Picked) -> Result<Plan, AdminError> {
    let (found, more) = select(desk, picked).await?;
    let mut plan = Plan { more, ..Plan::default() };
    let resent = match picked {
        Picked::Ids(ids) => resend::resent(&desk.store, ids).await?,
        // Such a search leaves them out.
        Picked::All(_) => HashSet::new(),
    };
    let candidates = sift(desk, &found, &resent, &mut plan.left_out);
    let unsure = unsure(desk, &found).await?;
    for step in candidates.chunks(STEP) {
        let (fit, refused) = still_fit(desk, message::load(&desk.store, step).await?).await?;
        plan.left_out.extend(refused.into_iter().map(|(id, reason)| (id, LeftOut::Because(reason))));
        let (may_be_there, fit): (Vec<_>, Vec<_>) = fit.into_iter().partition(|one| unsure.contains(&one.id));
        plan.unsure.extend(may_be_there);
        plan.fit.extend(fit);
    }
    plan.takes = takes(desk, plan.fit.iter().chain(&plan.unsure)).await?;
    Ok(plan)
}

/// Sends `picked` again, at most [`RESEND_MAX`]. `twice`: it is understood that those that may have arrived may arrive twice.
///
/// # Errors
/// The role; too many, none, or a search for messages that have not ended; a database: what was queued stays queued, and doing
/// it again goes on.
pub async fn retry(desk: &Desk, who: &Who, picked: &Picked, twice: bool) -> Result<Report, AdminError> {
    desk.require(who, Role::Operator)?;
    let plan = plan(desk, picked).await?;
    let mut report = Report { left_out: plan.reasons(), more: plan.more, ..Report::default() };
    let mut go = plan.fit;
    if twice {
        go.extend(plan.unsure);
    } else if !plan.unsure.is_empty() {
        report.left_out.insert(LeftOut::MayHaveArrived, plan.unsure.len());
    }
    // In the order in which they were queued first.
    go.sort_by_key(|one| (one.queued_at, one.id));
    let left: Vec<String> = report.left_out.iter().map(|(why, n)| format!("{n} {}", why.code())).collect();
    let left = if left.is_empty() { "none".to_owned() } else { left.join(", ") };
    let record = |done: &[(MessageId, MessageId)]| {
        let detail = format!("{} queued; left out: {left}", done.len());
        desk.record(who, "message.retry", ("messages", Some(detail)), false)
    };
    for step in go.chunks(STEP) {
        let done = queue(desk, step, record).await?.len();
        report.resent += done;
        // Somebody else was faster.
        if done < step.len() {
            *report.left_out.entry(LeftOut::ResentAlready).or_default() += step.len() - done;
        }
    }
    // What came to nothing was tried all the same.
    if report.resent == 0 {
        desk.note(who, "message.retry", "messages", Some(&format!("0 queued; left out: {left}"))).await?;
    }
    Ok(report)
}

/// The messages meant, oldest first, and whether there are more.
async fn select(desk: &Desk, picked: &Picked) -> Result<(Vec<MessageTrail>, bool), AdminError> {
    let (mut found, more) = match picked {
        Picked::Ids(ids) if ids.is_empty() || ids.len() > RESEND_MAX => {
            return Err(AdminError::invalid("ids", "messages.retry_none"));
        }
        Picked::Ids(ids) => (search::of_ids(&desk.store, ids).await?, false),
        Picked::All(search) => all(desk, search.as_ref().clone()).await?,
    };
    found.sort_by_key(|one| (one.created_at, one.id));
    Ok((found, more))
}

/// The newest of a search that nobody sent again yet.
async fn all(desk: &Desk, mut search: MessageSearch) -> Result<(Vec<MessageTrail>, bool), AdminError> {
    if !matches!(search.state.get_or_insert(Standing::Failed), Standing::Failed | Standing::Cancelled) {
        return Err(AdminError::invalid("state", "messages.retry_state"));
    }
    // One more tells whether there are more.
    search.limit = RESEND_MAX + 1;
    let mut kept = Vec::new();
    for _ in 0..PAGES_MAX {
        let page = search::messages(&desk.store, &search).await?;
        let ids: Vec<MessageId> = page.items.iter().map(|one| one.id).collect();
        let resent = resend::resent(&desk.store, &ids).await?;
        kept.extend(page.items.into_iter().filter(|one| !resent.contains(&one.id)));
        if kept.len() > RESEND_MAX {
            kept.truncate(RESEND_MAX);
            return Ok((kept, true));
        }
        match page.next {
            Some(place) => search.before = Some(place),
            None => return Ok((kept, false)),
        }
    }
    Ok((kept, true))
}

/// Those that what we have ourselves does not rule out.
fn sift(
    desk: &Desk,
    found: &[MessageTrail],
    resent: &HashSet<MessageId>,
    left_out: &mut Vec<(MessageId, LeftOut)>,
) -> Vec<MessageId> {
    let age_max = SignedDuration::from_hours(desk.config.alerts.event_age_max_h.into());
    let (templates, now) = (desk.templates.load(), desk.now());
    let has_text = |one: &MessageTrail| {
        templates.iter().any(|(alert, locale, _)| alert == one.hookpoint && locale.code() == one.locale)
    };
    let mut candidates = Vec::with_capacity(found.len());
    for one in found {
        let why = if !one.is_over() {
            LeftOut::NotEnded
        } else if resent.contains(&one.id) {
            LeftOut::ResentAlready
        } else if now.duration_since(one.created_at) > age_max {
            LeftOut::Because(Reason::EventTooOld)
        } else if !has_text(one) {
            LeftOut::Because(Reason::TemplateMissing)
        } else {
            candidates.push(one.id);
            continue;
        };
        left_out.push((one.id, why));
    }
    candidates
}

/// Those that the recipient may have although they count as failed.
async fn unsure(desk: &Desk, found: &[MessageTrail]) -> Result<HashSet<MessageId>, AdminError> {
    let silent: Vec<MessageId> = found.iter().filter(|one| one.receipt.is_none()).map(|one| one.id).collect();
    let mut unsure = resend::unsure(&desk.store, &silent).await?;
    unsure.extend(found.iter().filter(|one| one.may_have_arrived()).map(|one| one.id));
    Ok(unsure)
}

/// How long it takes at the numbers' pace, behind all that waits there.
async fn takes(desk: &Desk, all: impl Iterator<Item = &Message>) -> Result<Takes, AdminError> {
    let mut by_lane: HashMap<String, HashMap<&E164, u32>> = HashMap::new();
    for one in all {
        *by_lane.entry(super::lane(desk, one)).or_default().entry(&one.to).or_default() += 1;
    }
    let mut takes = Takes::default();
    for number in numbers::all(desk).await? {
        let Some(people) = by_lane.get(&number.name) else { continue };
        let n: u64 = people.values().map(|n| u64::from(*n)).sum();
        let paced = (n + number.queued).div_ceil(number.per_second.max(1).into());
        let between = desk.config.senders.get(&number.name).map_or(0, |sender| sender.pair_interval_s);
        let repeated = people.values().max().map_or(0, |most| u64::from(most.saturating_sub(1)) * between);
        let seconds = i64::try_from(paced.max(repeated)).unwrap_or(i64::MAX);
        takes.lasts = takes.lasts.max(SignedDuration::from_secs(seconds));
        takes.stopped |= number.paused_until.is_some();
        takes.over_day |= number.recipients_day_max > 0
            && number.recipients_day + people.len() as u64 > u64::from(number.recipients_day_max);
    }
    Ok(takes)
}
