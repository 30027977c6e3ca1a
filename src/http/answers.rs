//! Owns: what clients write back: each reply is kept once, its request is stated in the ledger before anything else, and confirmed once
//! inside the provider's window.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::billing::Billing;
use crate::domain::consent::{How, Meaning, Said};
use crate::domain::hookpoint::{Class, HookpointId, Subject, SubjectKind};
use crate::domain::ids::{EventId, MessageId, ProviderUserId};
use crate::domain::message::{FreeForm, Message, Print};
use crate::domain::phone::{E164, aliases};
use crate::domain::reason::Reason;
use crate::domain::receipt::{KnownUser, Reply, UserIdChange};
use crate::metrics::{Metrics, Result1};
use crate::render::confirmation::confirmation;
use crate::rules::consent::{SECURITY_ONLY, Words};
use crate::signature::{hex, sha256};
use crate::store::consent::{self, Statement, Word};
use crate::store::reply::{Answered, Confirming, NewReply, by_provider_id, keep, last_to};
use crate::store::{Store, StoreError, user_phone};

/// What the messages that confirm a request are called, where alerts have their hookpoint.
pub const CONFIRMATION: &str = "reply_confirmation";
/// Meta: free text is taken for 24 hours after the user's message. Some minutes less, for clocks and the queue.
const WINDOW: SignedDuration = SignedDuration::from_mins(24 * 60 - 5);

/// The provider's clock tells whole seconds, and may differ from ours.
const CLOCKS: SignedDuration = SignedDuration::from_secs(60);

/// What the words mean and whether requests are confirmed.
#[derive(Clone, Debug)]
pub struct Manners {
    pub words: Words,
    pub confirm: bool,
    /// The configured words, as confirmations name them.
    pub start: Vec<String>,
    pub stop: Vec<String>,
}

/// What replies are worked on with.
#[derive(Clone, Debug)]
pub struct Answers {
    pub store: Store,
    pub billing: Billing,
    pub manners: Manners,
    pub metrics: Arc<Metrics>,
    /// Notified when a confirmation was queued.
    pub outbox_bell: Arc<Notify>,
}

/// Everybody whom a reply can be of.
struct Writer {
    /// The user's number, in every spelling; and those of the message that is answered or of the user id.
    numbers: Vec<E164>,
    /// The number of the message that is answered.
    by_context: Option<E164>,
    answered: Option<Answered>,
}

impl Answers {
    /// Learns whose number a user id is.
    ///
    /// # Errors
    /// The database.
    pub async fn learn(&self, portfolio: &str, users: &[KnownUser], now: Timestamp) -> Result<(), StoreError> {
        user_phone::learn(&self.store, portfolio, &users.iter().cloned().collect(), now).await
    }

    /// Moves what is known of a user to the user's new id.
    ///
    /// # Errors
    /// The database.
    pub async fn follow(&self, portfolio: &str, change: &UserIdChange, now: Timestamp) -> Result<(), StoreError> {
        let (old, new) = (change.previous.as_str(), change.new.as_str());
        let moved = consent::carry_over(&self.store, &[old], &[new], now).await?;
        if !change.with_number {
            let numbers = user_phone::numbers_of(&self.store, &change.previous).await?;
            let pairs: BTreeSet<KnownUser> =
                numbers.into_iter().map(|phone| KnownUser { user_id: change.new.clone(), phone }).collect();
            user_phone::learn(&self.store, portfolio, &pairs, now).await?;
        }
        self.count("user_id_changed");
        tracing::info!(moved, "a user has a new id at the provider");
        Ok(())
    }

    /// Obeys, keeps and confirms one reply.
    ///
    /// # Errors
    /// The database; then the provider sends it again, and what was done is done once.
    pub async fn take(&self, lane: &str, portfolio: &str, reply: &Reply, now: Timestamp) -> Result<(), StoreError> {
        let from = reply.from.as_deref().and_then(E164::from_digits);
        let writer = self.writer(reply, from.as_ref()).await?;
        if let (Some(user_id), Some(phone)) = (&reply.user_id, &writer.by_context) {
            let known = KnownUser { user_id: user_id.clone(), phone: phone.clone() };
            self.learn(portfolio, &[known], now).await?;
        }
        let meaning = self.manners.words.meaning_of(reply);
        let before = self.state(reply, &writer, meaning).await?;
        let refused = self.unconfirmed(reply, &writer, meaning, &before, now);
        let confirming = match (&writer.answered, refused) {
            (Some(answered), None) => self.confirming(lane, reply, answered, meaning, &before, now).await,
            _ => None,
        };
        let kept = NewReply {
            provider_id: &reply.provider_id,
            lane,
            at: reply.at,
            from: from.as_ref(),
            user_id: reply.user_id.as_ref(),
            answered: writer.answered.as_ref(),
            kind: reply.kind,
            text: reply.shown.as_deref().unwrap_or(&reply.text),
            meaning,
            matched: writer.answered.is_some(),
            unconfirmed: refused,
        };
        if keep(&self.store, &kept, confirming.as_ref(), now).await? {
            self.outbox_bell.notify_waiters();
        }
        self.count(meaning.code());
        if meaning == Meaning::OptOut && writer.answered.is_none() {
            self.metrics.fault("opt_out_unmatched");
            tracing::warn!(lane, "somebody to whom no alert of ours went wants no more: look at the replies");
        }
        Ok(())
    }

    async fn writer(&self, reply: &Reply, from: Option<&E164>) -> Result<Writer, StoreError> {
        let answered = match &reply.answers {
            Some(id) => by_provider_id(&self.store, id).await?,
            None => None,
        };
        let mut numbers: Vec<E164> = from.map(aliases).unwrap_or_default();
        if let Some(user) = &reply.user_id {
            numbers.extend(user_phone::numbers_of(&self.store, user).await?);
        }
        if let Some(answered) = &answered {
            numbers.extend(aliases(&answered.to));
        }
        numbers.sort();
        numbers.dedup();
        let by_context = answered.as_ref().map(|one| one.to.clone());
        let answered = match answered {
            None => last_to(&self.store, &numbers, reply.at + CLOCKS).await?,
            known => known,
        };
        Ok(Writer { numbers, by_context, answered })
    }

    /// States the request in the ledger. Returns what was said there at other times, newest first.
    async fn state(&self, reply: &Reply, writer: &Writer, meaning: Meaning) -> Result<Vec<Word>, StoreError> {
        if meaning.statements().is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<&str> =
            writer.numbers.iter().map(E164::as_str).chain(reply.user_id.as_ref().map(ProviderUserId::as_str)).collect();
        let mut words = consent::words_of(&self.store, &keys).await?;
        words.retain(|word| word.said.at != reply.at);
        let evidence = format!("reply: {}", reply.shown.as_deref().unwrap_or(&reply.text).trim());
        for (scope, opted_out) in meaning.statements() {
            let said = Said { scope: *scope, opted_out: *opted_out, at: reply.at };
            consent::record(&self.store, &keys, Statement { said, how: How::Reply, evidence: &evidence }).await?;
        }
        Ok(words)
    }

    /// Why a request is not confirmed.
    fn unconfirmed(
        &self,
        reply: &Reply,
        writer: &Writer,
        meaning: Meaning,
        before: &[Word],
        now: Timestamp,
    ) -> Option<Reason> {
        let says_the_same = |word: &Word| {
            word.how == Some(How::Reply) && meaning.statements().contains(&(word.said.scope, word.said.opted_out))
        };
        match (meaning.statements(), before.first()) {
            ([], _) => None,
            _ if !self.manners.confirm => Some(Reason::ConfirmationOff),
            _ if writer.answered.is_none() => Some(Reason::ReplyUnmatched),
            _ if reply.at + WINDOW <= now => Some(Reason::WindowClosed),
            (_, Some(word)) if word.said.at > reply.at => Some(Reason::Superseded),
            (_, Some(word)) if says_the_same(word) => Some(Reason::AlreadyConfirmed),
            _ => None,
        }
    }

    async fn confirming(
        &self,
        lane: &str,
        reply: &Reply,
        answered: &Answered,
        meaning: Meaning,
        before: &[Word],
        now: Timestamp,
    ) -> Option<Confirming> {
        // The name is a courtesy: without the platform's database the request is confirmed all the same.
        let company =
            self.billing.platform(now).await.map(|platform| platform.company_name.clone()).unwrap_or_default();
        let Manners { start, stop, .. } = &self.manners;
        let made = confirmation(meaning, answered.locale, &company, start, stop)?;
        let buttons = made.button.map(|title| (SECURITY_ONLY.to_owned(), title.to_owned()));
        // Two messages of one second ask for one confirmation.
        let since = before.first().map(|word| word.said.at.to_string()).unwrap_or_default();
        let once = format!("{}\n{meaning}\n{since}", answered.to.as_str());
        let name = format!("reply_{}", &hex(&sha256(reply.provider_id.as_bytes()))[..32]);
        let message = Message {
            id: MessageId(Uuid::now_v7()),
            event_id: EventId::parse(&name)?,
            hookpoint: HookpointId::parse(CONFIRMATION)?,
            subject: Subject { kind: SubjectKind::Client, id: answered.client_id.0 },
            client_id: answered.client_id,
            contact_id: answered.contact_id,
            user_id: answered.user_id,
            to: answered.to.clone(),
            locale: answered.locale,
            class: Class::Status,
            lane: lane.to_owned(),
            call: FreeForm::no_template(),
            free_form: Some(FreeForm { buttons: buttons.into_iter().collect() }),
            text: made.text,
            queued_at: now,
            wait: None,
            print: Print::default(),
            expires_at: reply.at + WINDOW,
        };
        Some(Confirming { message, once })
    }

    fn count(&self, result: &'static str) {
        self.metrics.receipts.get_or_create(&Result1 { result }).inc();
    }
}
