//! Owns: the closed list of why something was not sent, or not yet. "Why did this client get nothing?" is answered with
//! one of these and nothing else. `docs/RULES.md` explains each; a test compares.

use super::closed_list::closed_list;
closed_list! {
    /// Why an event, a recipient or a message led to nothing, or must wait.
    Reason {
        /// No hookpoint uses this hook.
        HookNotUsed = "hook_not_used",
        /// The hookpoint is switched off.
        HookpointOff = "hookpoint_off",
        /// The event lacks the id of its subject: an unknown shape of the hook.
        FieldMissing = "field_missing",
        /// The event is older than the hookpoint's alerts may be.
        EventTooOld = "event_too_old",

        /// The billing database has no such row (any more).
        SubjectMissing = "subject_missing",
        /// A row could not be understood; the detail names table, column and id.
        SubjectUnreadable = "subject_unreadable",
        /// The hook named one client, the row belongs to another.
        OwnerMismatch = "owner_mismatch",
        /// The login belongs to no client.
        UserWithoutClient = "user_without_client",

        /// A condition without a reason of its own was false.
        ConditionFalse = "condition_false",
        /// A condition could not be evaluated.
        ConditionFailed = "condition_failed",
        /// Staff made the change, not the client.
        ActorNotClient = "actor_not_client",
        /// The edit changed nothing.
        NothingChanged = "nothing_changed",
        /// The invoice is a draft: its client cannot see it.
        InvoiceDraft = "invoice_draft",
        /// The invoice was paid already (e.g. from credit).
        InvoicePaid = "invoice_paid",
        /// The invoice was cancelled or refunded.
        InvoiceCancelled = "invoice_cancelled",
        /// The invoice is not cancelled (any more).
        InvoiceNotCancelled = "invoice_not_cancelled",
        /// The invoice was refunded.
        InvoiceRefunded = "invoice_refunded",
        /// The invoice's payment is on its way: the client is not asked for it again.
        InvoicePaymentPending = "invoice_payment_pending",
        /// The invoice only bundles others to be paid at once: nothing new is owed.
        InvoiceBundle = "invoice_bundle",
        /// One payment paid several invoices: the alert is that of the invoice that bundles them.
        PaidInBundle = "paid_in_bundle",
        /// Nothing is to be paid.
        AmountZero = "amount_zero",
        /// The amount is below zero: a credit is no invoice.
        AmountNegative = "amount_negative",
        /// No payment is on the invoice.
        PaymentMissing = "payment_missing",
        /// The payment was given back.
        PaymentRefunded = "payment_refunded",
        /// The module call was for an addon, not for the service.
        ServiceAddon = "service_addon",
        /// The service is in another state by now.
        ServiceChanged = "service_changed",
        /// The quote is not in stage Delivered (any more).
        QuoteNotDelivered = "quote_not_delivered",
        /// The domain is still there.
        DomainKept = "domain_kept",

        /// The platform has no such cancellation request (any more).
        CancellationMissing = "cancellation_missing",
        /// The company's rule does not allow it.
        CancellationRefused = "cancellation_refused",
        /// The event says that a decision was not to be had in time; it is on record.
        DecisionMissed = "decision_missed",

        /// The account that it belonged to before is deleted: there is no recipient on that side.
        FormerOwnerGone = "former_owner_gone",
        /// The moment of a step passed too long ago for an alert.
        StepLate = "step_late",
        /// The date that a step was counted from is another by now: renewed, paid, or put off.
        StepMoved = "step_moved",
        /// The reminder belongs to the other side of the date: another hookpoint tells of it.
        StepElsewhere = "step_elsewhere",
        /// The invoice was made on the day of the reminder: its own alert says the same.
        InvoiceNew = "invoice_new",
        /// The invoice is with a debt collector, who asks for it.
        InvoiceCollections = "invoice_collections",
        /// The quote was valid until an earlier day.
        QuoteOver = "quote_over",
        /// The platform is set to send this client no overdue notices.
        NoOverdueNotices = "no_overdue_notices",
        /// The platform does not suspend or terminate this service or client by itself.
        NeverSuspended = "never_suspended",
        /// Nothing is owed for the service.
        NothingOwed = "nothing_owed",
        /// The client asked to cancel the service.
        CancellationPending = "cancellation_pending",
        /// The client wants no renewal of the domain.
        NotRenewed = "not_renewed",
        /// The domain is in another state.
        DomainChanged = "domain_changed",
        /// The ticket is in another state by now: closed, answered or opened again.
        TicketChanged = "ticket_changed",
        /// The ticket is part of another one now.
        TicketMerged = "ticket_merged",
        /// The ticket is of a guest, who is no client.
        TicketGuest = "ticket_guest",

        /// Several services moved at once: one message tells of all.
        ToldTogether = "told_together",
        /// The accounts were merged, and that alert went out.
        ToldWithMerge = "told_with_merge",

        /// The same thing was alerted already.
        SameTransition = "same_transition",
        /// A later event of the same subject was processed before.
        Superseded = "superseded",
        /// A message for this transition and recipient exists.
        AlreadyQueued = "already_queued",

        /// The client's account is closed.
        ClientClosed = "client_closed",
        /// The quote is for a prospect, not for a client.
        Prospect = "prospect",
        /// No phone number is stored.
        PhoneMissing = "phone_missing",
        /// The stored phone number cannot be read as one.
        PhoneInvalid = "phone_invalid",
        /// A kind of number that gets no alerts (toll free, premium, short, a switchboard, a fax).
        PhoneNotMobile = "phone_not_mobile",
        /// The client named a billing contact, who gets it instead.
        BillingContact = "billing_contact",
        /// Another recipient of this alert has the same number.
        SamePhone = "same_phone",
        /// This number asked not to be written to.
        OptedOut = "opted_out",
        /// The contact or login it was written to is deleted, or lost its right to this kind of alert.
        RecipientGone = "recipient_gone",
        /// The provider says that its user changed to another number: it may be somebody else's.
        NumberChanged = "number_changed",

        /// No template in the recipient's language.
        TemplateMissing = "template_missing",
        /// The template could not be rendered; the detail says where.
        RenderFailed = "render_failed",

        /// The number's rate is used up for the moment.
        PacedNumber = "paced_number",
        /// This recipient got a message a moment ago.
        PacedRecipient = "paced_recipient",
        /// The number has reached its recipients of 24 hours.
        PacedDay = "paced_day",
        /// Made in the hookpoint's quiet hours: it goes when they end.
        QuietHours = "quiet_hours",
        /// The platform may still change what the alert says: it goes after the hookpoint's settle time.
        Settling = "settling",
        /// The sending number is stopped by the provider or an operator.
        LanePaused = "lane_paused",
        /// The template is paused or broken at the provider.
        TemplateHeld = "template_held",
        /// A passing fault; the message is tried again.
        RetryLater = "retry_later",
        /// Another instance took over the number before this was sent.
        LeaseLost = "lease_lost",
        /// More alerts than usual: the hookpoint's wait for an operator's word.
        MassSend = "mass_send",
        /// More alerts to one client than a day may have: they wait for an operator's word.
        ClientCeiling = "client_ceiling",
        /// The bridge's schema was restored from an older dump: it may have been sent since, and waits for an operator.
        Restored = "restored",
        /// Whether it was sent is unknown and no receipt came: it waits for an operator's word.
        OutcomeHeld = "outcome_held",
        /// Whether it was sent is unknown; by its class's policy it is sent again.
        SentAgain = "sent_again",
        /// Whether it was sent is unknown; an operator sends it again.
        SentAgainByOperator = "sent_again_by_operator",

        /// The message waited longer than it may.
        Expired = "expired",
        /// The provider refused it for good.
        Refused = "refused",
        /// It was tried as often as allowed.
        AttemptsExhausted = "attempts_exhausted",
        /// The bridge's own code failed on it (a bug): the log says where.
        InternalFault = "internal_fault",
        /// Sent, but no answer came: delivered or not is unknown until a receipt says.
        OutcomeUnknown = "outcome_unknown",
        /// An operator cancelled it.
        CancelledByOperator = "cancelled_by_operator",
        /// It was held, and an operator dropped what was held.
        DroppedByOperator = "dropped_by_operator",
        /// The provider's 24 hours after the client wrote are over: free text is not taken any more.
        WindowClosed = "window_closed",
        /// The same request of the same person was confirmed before.
        AlreadyConfirmed = "already_confirmed",
        /// The request came from somebody to whom no alert of ours ever went.
        ReplyUnmatched = "reply_unmatched",
        /// By the configuration requests are not confirmed.
        ConfirmationOff = "confirmation_off",
        /// What it answers was never said: suspended and reactivated before the first message could go.
        Collapsed = "collapsed",
        /// What it says is not true any more, and the event to write it anew from is pruned.
        TextOutdated = "text_outdated",
    }
}

impl Reason {
    /// Whether this is what a message waits for, rather than why it ended.
    #[must_use]
    pub fn is_wait(self) -> bool {
        matches!(
            self,
            Self::PacedNumber
                | Self::PacedRecipient
                | Self::PacedDay
                | Self::QuietHours
                | Self::Settling
                | Self::LanePaused
                | Self::TemplateHeld
                | Self::RetryLater
                | Self::LeaseLost
                | Self::MassSend
                | Self::ClientCeiling
                | Self::Restored
                | Self::OutcomeHeld
                | Self::SentAgain
                | Self::SentAgainByOperator
        )
    }
}
