//! Owns: the provider's whole state, and what one send call does to it. One lock around all of it: an acceptance must
//! see and change limits, ledger and receipts as one.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::clients::Client;
use super::config::SandboxConfig;
use super::error::ApiError;
use super::faults::{Faults, Trouble};
use super::fill::{self, Rendered};
use super::ledger::{Ledger, Message, Stats, Status, StatusAt};
use super::limits::{Pairs, Reach, Throughput};
use super::phone;
use super::queue::Queue;
use super::request::{Content, SendRequest};
use super::template::{Template, TemplateStatus};
use super::users::User;
use super::webhook::{Event, StatusEvent, Update};

/// The provider's state.
#[derive(Debug)]
pub struct World {
    pub config: SandboxConfig,
    pub callback_url: Option<String>,
    pub ledger: Ledger,
    pub faults: Faults,
    /// name → language → template.
    templates: BTreeMap<String, BTreeMap<String, Template>>,
    pub throughput: Vec<Throughput>,
    pairs: Pairs,
    reach: Reach,
    pub clients: HashMap<String, Client>,
    pub users: HashMap<String, User>,
    queue: Queue,
    serial: u64,
}

/// A message that was taken.
#[derive(Debug)]
pub struct Accepted {
    pub wamid: String,
    /// Only templates carry `message_status` in the answer.
    pub is_template: bool,
    /// Receipts to be posted before the answer.
    pub early: Vec<Update>,
}

/// What becomes of a send call: an error, or an answer that a trouble may spoil.
#[derive(Debug)]
pub struct Verdict {
    pub accepted: Option<Accepted>,
    pub trouble: Option<Trouble>,
}

impl World {
    #[must_use]
    pub fn new(config: SandboxConfig) -> Self {
        Self {
            callback_url: config.callback_url.clone(),
            ledger: Ledger::new(config.messages_kept_max),
            faults: Faults::default(),
            templates: BTreeMap::new(),
            throughput: config.phone_numbers.iter().map(|_| Throughput::default()).collect(),
            pairs: Pairs::default(),
            reach: Reach::default(),
            clients: HashMap::new(),
            users: HashMap::new(),
            queue: Queue::default(),
            serial: 0,
            config,
        }
    }

    /// Forgets everything but templates, the callback and the serial (ids never repeat).
    pub fn reset(&mut self) {
        let fresh = Self::new(self.config.clone());
        let old = std::mem::replace(self, fresh);
        self.templates = old.templates;
        self.callback_url = old.callback_url;
        self.serial = old.serial;
    }

    pub fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    // Sending

    /// Takes or refuses one message; faults first.
    ///
    /// # Errors
    /// The provider's refusal.
    pub fn send(&mut self, phone: usize, request: SendRequest, now_ms: i64) -> Result<Verdict, ApiError> {
        let trouble = self.faults.take_for_answer(&request);
        let result = match trouble {
            Some(Trouble::Error { code, http_status, subcode, error_data, transient }) => {
                let mut error = ApiError::new(code, "Ordered as a fault");
                error.http_status = http_status.unwrap_or(error.http_status);
                Err(ApiError { subcode, error_data, transient, ..error })
            }
            Some(
                Trouble::BadGateway { accepted: false }
                | Trouble::Garbage { accepted: false }
                | Trouble::CloseAfterReading { accepted: false },
            ) => Ok(Verdict { accepted: None, trouble }),
            _ => self
                .accept(phone, request, trouble.as_ref(), now_ms)
                .map(|accepted| Verdict { accepted: Some(accepted), trouble }),
        };
        result.inspect_err(|error| self.ledger.refused(error.code))
    }

    fn accept(
        &mut self,
        phone: usize,
        request: SendRequest,
        trouble: Option<&Trouble>,
        now_ms: i64,
    ) -> Result<Accepted, ApiError> {
        if self.config.phone_numbers[phone].digits() == request.wa_id {
            return Err(ApiError::new(131_021, "Recipient and sender are the same number"));
        }
        let window_open = self.window_until_ms(&request.wa_id).is_some_and(|until| now_ms < until);
        let (content, category, mut failure) = self.render(&request, window_open)?;
        if let Some(Trouble::Held { released: false }) = trouble {
            failure = Some(132_015);
        }
        self.charge(phone, &request.wa_id, window_open, now_ms)?;
        let serial = self.next_serial();
        let wamid = phone::wamid(&request.wa_id, self.config.seed, serial);
        let receipts = self.faults.take_for_receipts(&request);
        let (template, language) = match request.content {
            Content::Template { name, language, .. } => (Some(name), Some(language)),
            Content::Text(_) | Content::Interactive { .. } => (None, None),
        };
        let is_template = template.is_some();
        let status = StatusEvent {
            id: wamid.clone(),
            wa_id: request.wa_id.clone(),
            user_id: self.user_id(&request.wa_id),
            status: Status::Accepted,
            at_ms: now_ms,
            opaque: request.opaque.clone(),
            category,
            code: None,
            with_conversation: self.config.receipts.with_conversation,
        };
        self.ledger.keep(Message {
            id: wamid.clone(),
            phone_number_id: self.config.phone_numbers[phone].id.clone(),
            to: request.to,
            wa_id: request.wa_id,
            incoming: false,
            template,
            language,
            content,
            biz_opaque_callback_data: request.opaque,
            accepted_at_ms: now_ms,
            statuses: vec![StatusAt { status: Status::Accepted, at_ms: now_ms, code: None }],
        });
        let early = self.plan_receipts(phone, &status, failure, receipts.as_ref());
        Ok(Accepted { wamid, is_template, early })
    }

    /// What the client will read, the pricing category, and the code with which it fails later, if it does.
    fn render(&self, request: &SendRequest, window_open: bool) -> Result<(Rendered, String, Option<u32>), ApiError> {
        match &request.content {
            Content::Text(_) | Content::Interactive { .. } => {
                let failure = (!window_open).then_some(131_047);
                if failure.is_some() && !self.config.closed_window_fails_late {
                    let details = "Message failed to send because more than 24 hours have passed since the customer \
                                   last replied to this number.";
                    return Err(ApiError::new(131_047, details));
                }
                Ok((fill::free_form(&request.content), "service".to_owned(), failure))
            }
            Content::Template { name, language, components } => {
                let template = self.sendable(name, language)?;
                Ok((fill::fill(template, components)?, template.category.to_ascii_lowercase(), None))
            }
        }
    }

    fn sendable(&self, name: &str, language: &str) -> Result<&Template, ApiError> {
        let missing = || {
            let details = format!("template name ({name}) does not exist in {language}");
            ApiError::new(132_001, details)
        };
        let template = self.templates.get(name).and_then(|all| all.get(language)).ok_or_else(missing)?;
        match template.status {
            TemplateStatus::Approved => Ok(template),
            TemplateStatus::Paused => Err(ApiError::new(132_015, "Template is paused due to low quality")),
            TemplateStatus::Disabled => Err(ApiError::new(132_016, "Template is disabled due to low quality")),
            TemplateStatus::Pending | TemplateStatus::Rejected => Err(missing()),
        }
    }

    /// Asks every limit, then counts the message in all of them.
    fn charge(&mut self, phone: usize, wa_id: &str, window_open: bool, now_ms: i64) -> Result<(), ApiError> {
        let rates = &self.config.rates;
        let recipient: u64 = wa_id.parse().unwrap_or_default();
        let throttled = |code, details: &str| ApiError::new(code, details).with_http_status(rates.throttle_http_status);
        if !self.throughput[phone].admits(rates.throughput_per_s, now_ms) {
            let error = throttled(130_429, "Cloud API message throughput has been reached.");
            return Err(ApiError { subcode: Some(2_494_055), ..error });
        }
        let pair = (phone, recipient);
        if let Some(gap_ms) = rates.pair_gap_ms
            && !self.pairs.admits(pair, gap_ms, rates.pair_burst, now_ms)
        {
            let details = "Message failed to send because there were too many messages sent from this phone number \
                           to the same phone number in a short period of time";
            return Err(throttled(131_056, details));
        }
        if !window_open && !self.reach.admits(recipient, rates.recipients_per_24h, now_ms) {
            return Err(ApiError::new(rates.recipients_code, "The messaging limit of 24 hours has been reached"));
        }
        self.throughput[phone].note(now_ms);
        if let Some(gap_ms) = rates.pair_gap_ms {
            self.pairs.note(pair, gap_ms, now_ms);
        }
        if !window_open && rates.recipients_per_24h.is_some() {
            self.reach.note(recipient, now_ms);
        }
        Ok(())
    }

    // Receipts

    /// Queues the receipts of an accepted message; hands back those that must come before the answer.
    fn plan_receipts(
        &mut self,
        phone: usize,
        accepted: &StatusEvent,
        failure: Option<u32>,
        trouble: Option<&Trouble>,
    ) -> Vec<Update> {
        let failure = match trouble {
            Some(Trouble::ReceiptFailed { code }) => Some(*code),
            _ => failure,
        };
        let plan = &self.config.receipts;
        let late_ms = if let Some(Trouble::ReceiptsLate { ms }) = trouble { *ms } else { 0 };
        let mut steps = match failure {
            Some(_) => vec![(Status::Failed, plan.sent_after_ms)],
            None => vec![(Status::Sent, plan.sent_after_ms), (Status::Delivered, plan.delivered_after_ms)],
        };
        steps.extend(plan.read_after_ms.filter(|_| failure.is_none()).map(|after| (Status::Read, after)));
        if trouble == Some(&Trouble::ReceiptsReordered) {
            let statuses: Vec<Status> = steps.iter().rev().map(|step| step.0).collect();
            steps.iter_mut().zip(statuses).for_each(|(step, status)| step.0 = status);
        }
        let copies = match trouble {
            Some(Trouble::ReceiptsNever) => 0,
            Some(Trouble::ReceiptsDoubled) => 2,
            _ => 1,
        };
        let mut early = Vec::new();
        for (status, after_ms) in steps {
            let at_ms = accepted.at_ms + after_ms + late_ms;
            let event = Event::Status(StatusEvent { status, at_ms, code: failure, ..accepted.clone() });
            let wrong_signature = trouble == Some(&Trouble::ReceiptsWrongSignature);
            let update = Update { phone, event, wrong_signature, attempts: 0 };
            for _ in 0..copies {
                if trouble == Some(&Trouble::ReceiptsBeforeAnswer) {
                    early.push(update.clone());
                } else {
                    self.queue(update.clone(), at_ms);
                }
            }
        }
        self.mark(&early);
        early
    }

    /// Puts an update into the queue, due at `due_ms`.
    pub fn queue(&mut self, update: Update, due_ms: i64) {
        self.queue.put(update, due_ms);
    }

    /// When the next update is due.
    #[must_use]
    pub fn next_due_ms(&self) -> Option<i64> {
        self.queue.next_due_ms()
    }

    /// The next updates that fit into one POST, due by `now_ms` (`None`: whenever they are due). From now on the
    /// messages have these statuses, whether or not the callback hears of it.
    pub fn take_batch(&mut self, now_ms: Option<i64>) -> Vec<Update> {
        let batch = self.queue.take_batch(now_ms, self.config.receipts.batch_max.max(1));
        self.mark(&batch);
        batch
    }

    fn mark(&mut self, updates: &[Update]) {
        for update in updates {
            if let Event::Status(event) = &update.event {
                let status = StatusAt { status: event.status, at_ms: event.at_ms, code: event.code };
                self.ledger.mark(&event.id, status);
            }
        }
    }

    // Templates and numbers

    /// Index of the sending number with this id.
    #[must_use]
    pub fn phone(&self, id: &str) -> Option<usize> {
        self.config.phone_numbers.iter().position(|phone| phone.id == id)
    }

    /// Registers a template from a create call's body.
    ///
    /// # Errors
    /// 100, with the subcodes of Meta's rules.
    pub fn create_template(&mut self, body: &Value, status: TemplateStatus) -> Result<&Template, ApiError> {
        let id = 1_000_000_000_000_000 + self.next_serial();
        let template = Template::create(id, body, status)?;
        if self.templates.get(&template.name).is_some_and(|all| all.contains_key(&template.language)) {
            let title = "Content in This Language Already Exists";
            let message = format!("There is already {} content for this template.", template.language);
            return Err(ApiError::template(2_388_024, title, message));
        }
        if self.templates.values().map(BTreeMap::len).sum::<usize>() >= self.config.rates.templates_max {
            return Err(ApiError::template(2_388_019, "Template limit reached", "Too many templates in this account"));
        }
        let languages = self.templates.entry(template.name.clone()).or_default();
        Ok(languages.entry(template.language.clone()).or_insert(template))
    }

    /// Replaces a template's components.
    ///
    /// # Errors
    /// There is none, it is in review, or the components break a rule.
    pub fn edit_template(&mut self, id: &str, components: &Value) -> Result<(), ApiError> {
        let all = self.templates.values_mut().flat_map(BTreeMap::values_mut);
        let template = all.into_iter().find(|one| one.id.to_string() == id).ok_or_else(|| ApiError::no_object(id))?;
        *template = template.with(components)?;
        Ok(())
    }

    /// All templates, oldest first.
    #[must_use]
    pub fn templates(&self) -> Vec<&Template> {
        let mut all: Vec<&Template> = self.templates.values().flat_map(BTreeMap::values).collect();
        all.sort_by_key(|template| template.id);
        all
    }

    /// Changes a template's status and queues the webhook that tells. Whether the template exists.
    pub fn set_template_status(&mut self, name: &str, language: &str, status: TemplateStatus, now_ms: i64) -> bool {
        let Some(template) = self.templates.get_mut(name).and_then(|all| all.get_mut(language)) else { return false };
        template.status = status;
        // The integer id and the hyphen are Meta's (Meta's rules).
        let value = json!({"event": status.as_str(), "message_template_id": template.id, "message_template_name": name,
            "message_template_language": language.replace('_', "-"), "reason": "NONE",
            "message_template_category": template.category});
        let update = Update { phone: 0, event: Event::Template(value), wrong_signature: false, attempts: 0 };
        self.queue(update, now_ms);
        true
    }

    /// Removes a template in all languages. Whether there was one.
    pub fn delete_template(&mut self, name: &str) -> bool {
        self.templates.remove(name).is_some()
    }

    /// The counts, completed by what is only known here.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let numbers = self.config.phone_numbers.iter().zip(&self.throughput);
        Stats {
            most_per_second: numbers.map(|(phone, second)| (phone.id.clone(), second.most_per_s)).collect(),
            receipts_queued: self.queue.len(),
            ..self.ledger.stats.clone()
        }
    }
}
