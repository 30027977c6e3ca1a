//! Owns: the faults that a test or an operator orders, and which message meets them (Meta's rules).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::error::ErrorData;
use super::request::SendRequest;

/// What goes wrong. As JSON: `"hang_after_accept"` or `{"answer_late": {"ms": 500}}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Trouble {
    /// The message is refused with this code.
    Error {
        code: u32,
        /// `None`: the usual one of the code.
        #[serde(default)]
        http_status: Option<u16>,
        #[serde(default)]
        subcode: Option<u32>,
        #[serde(default)]
        error_data: ErrorData,
        #[serde(default)]
        transient: Option<bool>,
    },
    /// Accepted at once, answered after `ms`.
    AnswerLate { ms: u64 },
    /// Accepted, never answered; the connection stays open.
    HangAfterAccept,
    /// The request is read, then the socket closed. `accepted` says which of the two the sender cannot tell apart.
    CloseAfterReading { accepted: bool },
    /// The socket is closed before the body is read; cannot wait for a recipient or a template.
    CloseBeforeReading,
    /// HTTP 502 with an HTML page.
    BadGateway { accepted: bool },
    /// HTTP 200 with half a JSON document.
    Garbage { accepted: bool },
    /// 200 without `contacts`.
    WithoutContacts,
    /// 200 whose contact has no `wa_id`.
    WithoutWaId,
    /// 200 without `message_status`.
    WithoutMessageStatus,
    /// 200 with this id instead of the message's own.
    AnswersId { id: String },
    /// 200 with `held_for_quality_assessment`; then delivered when `released`, else `failed` with 132015.
    Held { released: bool },
    /// No receipt ever.
    ReceiptsNever,
    /// Receipts `ms` later than planned.
    ReceiptsLate { ms: i64 },
    /// Each receipt twice.
    ReceiptsDoubled,
    /// The last status first.
    ReceiptsReordered,
    /// All receipts are posted before the HTTP answer.
    ReceiptsBeforeAnswer,
    /// Receipts signed with another key.
    ReceiptsWrongSignature,
    /// Accepted with 200, then a `failed` receipt with this code.
    ReceiptFailed { code: u32 },
}

/// An order: this trouble for the next `times` messages that match.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub fault: Trouble,
    /// Messages that meet it; 1 when left out.
    #[serde(default = "once")]
    pub times: u32,
    /// Only for this recipient: `wa_id` digits, as in the answer of a send call, or with `+` as sent.
    #[serde(default)]
    pub to: Option<String>,
    /// Only for this template.
    #[serde(default)]
    pub template: Option<String>,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// For the next message, whoever it is for.
    #[must_use]
    pub fn next(fault: Trouble) -> Self {
        Self { fault, times: 1, to: None, template: None }
    }

    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    #[must_use]
    pub fn to(mut self, to: &str) -> Self {
        self.to = Some(to.to_owned());
        self
    }

    #[must_use]
    pub fn template(mut self, template: &str) -> Self {
        self.template = Some(template.to_owned());
        self
    }

    fn meets(&self, request: &SendRequest) -> bool {
        self.to.as_deref().is_none_or(|to| to == request.wa_id || to == request.to)
            && self.template.as_deref().is_none_or(|name| Some(name) == request.template())
    }
}

/// Where a trouble strikes. One message can meet one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Reading,
    Answer,
    Receipts,
}

impl Trouble {
    fn stage(&self) -> Stage {
        match self {
            Self::CloseBeforeReading => Stage::Reading,
            Self::ReceiptsNever
            | Self::ReceiptsLate { .. }
            | Self::ReceiptsDoubled
            | Self::ReceiptsReordered
            | Self::ReceiptsBeforeAnswer
            | Self::ReceiptsWrongSignature
            | Self::ReceiptFailed { .. } => Stage::Receipts,
            _ => Stage::Answer,
        }
    }
}

/// Open orders, oldest first.
#[derive(Debug, Default)]
pub struct Faults(VecDeque<Fault>);

impl Faults {
    pub fn order(&mut self, fault: Fault) {
        self.0.push_back(fault);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    #[must_use]
    pub fn open(&self) -> Vec<Fault> {
        self.0.iter().cloned().collect()
    }

    /// Whether this connection is to be closed before its body is read.
    pub fn take_before_reading(&mut self) -> bool {
        self.take(|fault| fault.fault.stage() == Stage::Reading).is_some()
    }

    pub fn take_for_answer(&mut self, request: &SendRequest) -> Option<Trouble> {
        self.take(|fault| fault.fault.stage() == Stage::Answer && fault.meets(request))
    }

    pub fn take_for_receipts(&mut self, request: &SendRequest) -> Option<Trouble> {
        self.take(|fault| fault.fault.stage() == Stage::Receipts && fault.meets(request))
    }

    fn take(&mut self, wanted: impl Fn(&Fault) -> bool) -> Option<Trouble> {
        self.0.retain(|fault| fault.times > 0);
        let fault = self.0.iter_mut().find(|fault| wanted(fault))?;
        fault.times -= 1;
        Some(fault.fault.clone())
    }
}
