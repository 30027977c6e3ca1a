//! Owns: what becomes of each reason: by design nobody need look, or something on the first page names it. Exhaustive, so that a new
//! reason cannot be forgotten; a test brings the bridge into each and compares.

use super::overview::need::Kind;
use crate::domain::reason::Reason;

/// Who cares for what has this reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// It is meant so: why.
    Design(&'static str),
    /// An event that ended with it is failed, and counted by [`Kind::EventsFailed`]; a message, by [`Kind::Lost`].
    Failed,
    /// A message that ended with it was lost: [`Kind::Lost`].
    Lost,
    /// A message that waits for it is named by this need, at once or when it waits for long.
    Waits(Kind),
    /// It is named while it lasts, or until somebody took note.
    Named(Kind),
    /// One alone is its recipient's matter; many are named: [`Kind::Failing`].
    Many,
}

/// Who cares for what has this reason.
#[must_use]
#[allow(clippy::match_same_arms, reason = "reasons of one kind stand together, whoever cares for them")]
pub fn care(reason: Reason) -> Care {
    use Care::{Design, Failed, Lost, Many, Named, Waits};
    match reason {
        Reason::HookNotUsed | Reason::HookpointOff => Design("the company does not want this alert"),
        Reason::EventTooOld => Design("an alert that is too late confuses; what made it late is named while it lasts"),
        Reason::FieldMissing | Reason::SubjectUnreadable | Reason::ConditionFailed => Failed,
        Reason::TemplateMissing | Reason::RenderFailed => Failed,
        Reason::AttemptsExhausted | Reason::InternalFault => Failed,
        Reason::SubjectMissing => Design("the row is deleted at the platform: there is nothing to say"),
        Reason::OwnerMismatch => Design("a stranger must not get it; the client's page says so"),
        Reason::UserWithoutClient | Reason::Prospect => Design("there is no client"),
        Reason::ConditionFalse | Reason::ActorNotClient | Reason::NothingChanged => Design("the rule of the alert"),
        Reason::InvoiceDraft
        | Reason::InvoicePaid
        | Reason::InvoiceCancelled
        | Reason::InvoiceNotCancelled
        | Reason::InvoiceRefunded
        | Reason::InvoicePaymentPending
        | Reason::InvoiceBundle
        | Reason::PaidInBundle => Design("the invoice's state makes the alert untrue, or another one says it"),
        Reason::AmountZero | Reason::AmountNegative | Reason::PaymentMissing | Reason::PaymentRefunded => {
            Design("there is no money to speak of")
        }
        Reason::ServiceAddon | Reason::ServiceChanged | Reason::DomainKept => {
            Design("the state of the service or domain makes the alert untrue")
        }
        Reason::QuoteNotDelivered => Design("the quote's state makes the alert untrue"),
        Reason::CancellationMissing | Reason::CancellationRefused => {
            Design("the request to cancel is withdrawn or refused")
        }
        Reason::DecisionMissed => Named(Kind::Missed),
        Reason::StepLate => {
            Design("a step by date that is too late is old news; what made it late is named while it lasts")
        }
        Reason::StepMoved | Reason::StepElsewhere => Design("the date is another by now, or another alert tells of it"),
        Reason::InvoiceNew | Reason::InvoiceCollections | Reason::QuoteOver => Design("another says it, or it is over"),
        Reason::NoOverdueNotices | Reason::NeverSuspended | Reason::NothingOwed => {
            Design("the platform's settings or books make the alert untrue")
        }
        Reason::CancellationPending | Reason::NotRenewed | Reason::DomainChanged => {
            Design("the client decided otherwise, or the state changed")
        }
        Reason::TicketChanged | Reason::TicketMerged => Design("the ticket's state makes the alert untrue"),
        Reason::TicketGuest => Design("the ticket is nobody's account"),
        Reason::FormerOwnerGone => Design("there is nobody left on that side"),
        Reason::ToldTogether | Reason::ToldWithMerge | Reason::Collapsed => Design("another message says it"),
        Reason::SameTransition | Reason::Superseded | Reason::AlreadyQueued => Design("it was said already"),
        Reason::ClientClosed => Design("a closed account gets no alerts"),
        Reason::PhoneMissing | Reason::PhoneInvalid | Reason::PhoneNotMobile => {
            Design("the audit of the phones lists the client")
        }
        Reason::NumberChanged => Named(Kind::NumberChanged),
        Reason::BillingContact => Design("the client named another contact for it"),
        Reason::SamePhone => Design("the same phone gets it once"),
        Reason::OptedOut => Design("the person asked for it"),
        Reason::RecipientGone => Design("that person no longer gets alerts of this account"),
        Reason::QuietHours | Reason::Settling => Design("it goes at a set time"),
        Reason::PacedNumber | Reason::PacedRecipient | Reason::PacedDay => Waits(Kind::Waiting),
        Reason::RetryLater | Reason::LeaseLost => Waits(Kind::Waiting),
        Reason::SentAgain | Reason::SentAgainByOperator => Waits(Kind::Waiting),
        Reason::LanePaused => Waits(Kind::Stopped),
        Reason::TemplateHeld => Waits(Kind::TextsHeld),
        Reason::MassSend | Reason::ClientCeiling => Waits(Kind::Held),
        Reason::Restored => Waits(Kind::Restored),
        Reason::OutcomeHeld => Waits(Kind::Unknown),
        Reason::Expired | Reason::OutcomeUnknown | Reason::TextOutdated => Lost,
        Reason::Refused => Many,
        Reason::CancelledByOperator | Reason::DroppedByOperator => Design("somebody decided it"),
        Reason::WindowClosed | Reason::AlreadyConfirmed | Reason::ConfirmationOff => {
            Design("the request is obeyed; only its confirmation is left out")
        }
        Reason::ReplyUnmatched => Named(Kind::Replies),
    }
}

/// The reasons for which a message counts as lost.
#[must_use]
pub fn losing() -> Vec<Reason> {
    Reason::ALL.iter().copied().filter(|one| matches!(care(*one), Care::Lost | Care::Failed)).collect()
}
