//! Owns: what a stand-in is started with. Every number has its unit in its name and its source beside it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use secrecy::SecretString;

use crate::clock::Clock;

/// Everything a [`Sandbox`](super::Sandbox) is started with.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Where to listen; port 0 takes a free one. Keep it on loopback: the control paths ask for no password.
    pub listen: SocketAddr,
    /// Where webhooks are posted. `None`: statuses rise, no webhook is sent. Can be set later.
    pub callback_url: Option<String>,
    /// Key of `X-Hub-Signature-256` (Meta's rules).
    pub app_secret: SecretString,
    /// What the callback must know to answer the handshake (Meta's rules).
    pub verify_token: SecretString,
    /// The only bearer token that is accepted (Meta's rules).
    pub access_token: SecretString,
    /// The `WhatsApp` business account that owns templates and numbers.
    pub waba_id: String,
    /// The sending numbers.
    pub phone_numbers: Vec<PhoneNumber>,
    /// The only source of time.
    pub clock: Clock,
    /// Makes message ids differ between runs; the same seed gives the same ids.
    pub seed: u64,
    /// The provider's limits.
    pub rates: Rates,
    /// When and how receipts are sent.
    pub receipts: ReceiptPlan,
    /// Whether a created template waits for [`Sandbox::set_template_status`](super::Sandbox::set_template_status)
    /// (`PENDING`) instead of being approved at once.
    pub templates_wait_for_review: bool,
    /// Whether free text outside the window is accepted and fails by receipt, instead of at once (Meta's rules).
    pub closed_window_fails_late: bool,
    /// Messages kept for the ledger and the page; the oldest go first.
    pub messages_kept_max: usize,
    /// Connections open at once.
    pub connections_max: usize,
}

impl SandboxConfig {
    /// One account with one number, well-known test secrets, Meta's limits, receipts by themselves.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            callback_url: None,
            app_secret: "sandbox-app-secret".to_owned().into(),
            verify_token: "sandbox-verify-token".to_owned().into(),
            access_token: "sandbox-access-token".to_owned().into(),
            waba_id: "102290129340398".to_owned(),
            phone_numbers: vec![PhoneNumber::new("106540352242922", "+54 11 5550 7838")],
            clock,
            seed: getrandom::u64().unwrap_or_default(),
            rates: Rates::default(),
            receipts: ReceiptPlan::default(),
            templates_wait_for_review: false,
            closed_window_fails_late: false,
            messages_kept_max: 10_000,
            connections_max: 1_024,
        }
    }
}

/// One sending number, as `GET /{phone_number_id}` shows it.
#[derive(Clone, Debug)]
pub struct PhoneNumber {
    /// The id in the path of `/messages`; not the number itself.
    pub id: String,
    /// The number as people read it, with `+` and country code.
    pub display: String,
    pub verified_name: String,
    /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`.
    pub quality_rating: String,
}

impl PhoneNumber {
    #[must_use]
    pub fn new(id: &str, display: &str) -> Self {
        Self {
            id: id.to_owned(),
            display: display.to_owned(),
            verified_name: "Hosting de ejemplo".to_owned(),
            quality_rating: "GREEN".to_owned(),
        }
    }

    /// The number's digits, as in `metadata` of webhooks.
    #[must_use]
    pub fn digits(&self) -> String {
        self.display.chars().filter(char::is_ascii_digit).collect()
    }
}

/// The provider's limits (Meta's rules). `None` lifts one.
#[derive(Clone, Debug)]
pub struct Rates {
    /// Messages in and out of one number within any sliding second; over it 130429.
    pub throughput_per_s: Option<u32>,
    /// Gap between messages to one recipient in the long run; over it 131056. `None` lifts the pair limit.
    pub pair_gap_ms: Option<i64>,
    /// Messages that may come within one gap, borrowed from the gaps that follow.
    pub pair_burst: u32,
    /// Distinct recipients outside an open window within moving 24 h, over all numbers.
    pub recipients_per_24h: Option<u32>,
    /// The code of that limit. Meta documents none; 131048 is the nearest neighbour.
    pub recipients_code: u32,
    /// HTTP status of 130429 and 131056: sources disagree about 400 and 429 (Meta's rules).
    pub throttle_http_status: u16,
    /// Templates of the account; over it subcode 2388019 (Meta's rules).
    pub templates_max: usize,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            throughput_per_s: Some(80),
            pair_gap_ms: Some(6_000),
            pair_burst: 45,
            recipients_per_24h: Some(250),
            recipients_code: 131_048,
            throttle_http_status: 400,
            templates_max: 250,
        }
    }
}

impl Rates {
    /// No limits at all: for benchmarks.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { throughput_per_s: None, pair_gap_ms: None, recipients_per_24h: None, ..Self::default() }
    }
}

/// When receipts become due after a message was accepted, and how they are posted (Meta's rules).
#[derive(Clone, Debug)]
pub struct ReceiptPlan {
    /// Nothing is posted until the test says so: [`deliver_due_receipts`](super::Sandbox::deliver_due_receipts) or
    /// [`drain_receipts`](super::Sandbox::drain_receipts).
    pub manual: bool,
    pub sent_after_ms: i64,
    pub delivered_after_ms: i64,
    /// `None`: nobody reads, or their receipts are off.
    pub read_after_ms: Option<i64>,
    /// Updates in one POST; Meta's maximum is 1000.
    pub batch_max: usize,
    /// POSTs under way at once.
    pub posts_max: usize,
    /// Tries of one update before it is given up.
    pub attempts_max: u32,
    /// The wait before the third try; each later one is four times longer. The second comes at once.
    pub retry_ms: i64,
    /// How long the callback may take to answer.
    pub timeout: Duration,
    /// Whether `sent` carries `conversation`, as before v24 (Meta's rules).
    pub with_conversation: bool,
}

impl Default for ReceiptPlan {
    fn default() -> Self {
        Self {
            manual: false,
            sent_after_ms: 0,
            delivered_after_ms: 0,
            read_after_ms: None,
            batch_max: 1_000,
            posts_max: 4,
            attempts_max: 8,
            retry_ms: 250,
            timeout: Duration::from_secs(10),
            with_conversation: false,
        }
    }
}

impl ReceiptPlan {
    /// Receipts only when the test asks for them.
    #[must_use]
    pub fn manual() -> Self {
        Self { manual: true, ..Self::default() }
    }
}
