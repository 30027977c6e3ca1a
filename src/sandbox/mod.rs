//! Owns: the stand-in for Meta's Cloud API: a strict, stateful provider for tests, the demo and benchmarks. It answers
//! like the real one (Meta's rules), refuses what the real one refuses, posts signed receipts, plays faults on
//! order, and shows on a page what the clients' phones would show.
//! Must not know: how we send. It imports the clock, the signatures and the accept loop only, so that a mistake in the
//! sender cannot hide in a stand-in that makes the same one.
//!
//! In reading order: `config` → `routes` (the way in) → `request` → `world` (the decision: `limits`, `template`,
//! `pattern`, `fill`, `phone`, `faults`, `clients`, `users`) → `ledger` → `queue`, `receipts` and `webhook` (the way back) →
//! `management`, `control`, `page`.

mod clients;
mod config;
mod control;
mod error;
mod faults;
mod fill;
mod ledger;
mod limits;
mod management;
mod page;
mod pattern;
mod phone;
mod queue;
mod receipts;
mod request;
mod routes;
mod template;
mod users;
mod webhook;
mod world;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::task::JoinHandle;

use crate::http::server::{self, Limits};
use crate::signature;

pub use clients::{Reply, ReplyButton};
pub use config::{PhoneNumber, Rates, ReceiptPlan, SandboxConfig};
pub use error::{ApiError, ErrorData};
pub use faults::{Fault, Trouble};
pub use fill::{Param, Rendered, RenderedButton};
pub use ledger::{Message, Stats, Status, StatusAt};
pub use template::TemplateStatus;

use world::World;

/// Time that open requests get when the stand-in stops. Hung ones never end by themselves.
const DRAIN: Duration = Duration::from_millis(200);
/// How long a connection may be idle.
const IDLE: Duration = Duration::from_mins(1);

/// Why a stand-in did not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("cannot listen: {0}")]
    Listen(#[from] std::io::Error),
    #[error("cannot build the client that posts receipts: {0}")]
    Client(#[from] reqwest::Error),
    #[error("a stand-in needs at least one sending number")]
    NoNumber,
}

/// A running stand-in. Stops when dropped.
pub struct Sandbox {
    /// Where it listens.
    pub addr: SocketAddr,
    inner: Arc<Inner>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
    pump: Option<JoinHandle<()>>,
}

/// What the handlers share.
struct Inner {
    config: SandboxConfig,
    world: Mutex<World>,
    /// Notified when an update was queued.
    bell: Notify,
    /// POSTs that may be under way.
    slots: Arc<Semaphore>,
    client: reqwest::Client,
    traces: AtomicU64,
}

impl Sandbox {
    /// Listens on `config.listen`.
    ///
    /// # Errors
    /// [`SandboxError`].
    pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        let listener = TcpListener::bind(config.listen).await?;
        Self::start_on(listener, config)
    }

    /// Serves on a listener that the caller bound. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`SandboxError`].
    pub fn start_on(listener: TcpListener, config: SandboxConfig) -> Result<Self, SandboxError> {
        if config.phone_numbers.is_empty() {
            return Err(SandboxError::NoNumber);
        }
        // reqwest panics without a provider; a second installation is refused and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(config.receipts.timeout)
            .build()?;
        let addr = listener.local_addr()?;
        let inner = Arc::new(Inner {
            world: Mutex::new(World::new(config.clone())),
            bell: Notify::new(),
            slots: Arc::new(Semaphore::new(config.receipts.posts_max.max(1))),
            client,
            traces: AtomicU64::new(0),
            config,
        });
        let limits = Limits {
            connections_max: inner.config.connections_max,
            header_timeout: IDLE,
            drain_timeout: DRAIN,
            ..Limits::default()
        };
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(server::serve(listener, routes::route(inner.clone()), limits, async {
            // A dropped sender stops the server, too.
            let _ = stopped.await;
        }));
        let pump = (!inner.config.receipts.manual).then(|| tokio::spawn(receipts::pump(inner.clone())));
        Ok(Self { addr, inner, stop: Some(stop), server, pump })
    }

    /// Stops and waits until the socket is closed.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        let _ = (&mut self.server).await;
    }

    /// The address to configure as the provider's base, without version: `http://127.0.0.1:1234`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Registers an approved template. `create` is the body of a create call (Meta's rules).
    ///
    /// # Errors
    /// The refusal that the API would answer.
    pub fn add_template(&self, create: &Value) -> Result<(), ApiError> {
        self.inner.world().create_template(create, TemplateStatus::Approved).map(drop)
    }

    /// Changes a template's status and tells the callback. Whether there is such a template.
    #[must_use]
    pub fn set_template_status(&self, name: &str, language: &str, status: TemplateStatus) -> bool {
        let known = self.inner.world().set_template_status(name, language, status, self.inner.now_ms());
        self.inner.bell.notify_one();
        known
    }

    /// Where webhooks go from now on.
    pub fn set_callback_url(&self, url: Option<String>) {
        self.inner.world().callback_url = url;
    }

    /// Asks the callback for the handshake (Meta's rules). Whether it answered the challenge.
    pub async fn verify_callback(&self) -> bool {
        self.inner.verify_callback().await
    }

    /// Orders a fault.
    pub fn fault(&self, fault: Fault) {
        self.inner.world().faults.order(fault);
    }

    /// Takes back every fault that nobody has met yet.
    pub fn forget_faults(&self) {
        self.inner.world().faults.clear();
    }

    /// A client writes or presses a button; opens the 24-h window. The message's id.
    ///
    /// # Errors
    /// 100, when the number or the content cannot be read.
    pub fn reply(&self, reply: &Reply) -> Result<String, ApiError> {
        let id = self.inner.world().reply(reply, self.inner.now_ms())?;
        self.inner.bell.notify_one();
        Ok(id)
    }

    /// Gives a user an id of the provider's own, or a new one. With a user name, webhooks leave the number out.
    ///
    /// # Errors
    /// 100, when number or id cannot be read.
    pub fn set_user(&self, number: &str, id: &str, username: Option<&str>) -> Result<(), ApiError> {
        let wa_id = phone::wa_id(&format!("+{}", number.trim_start_matches('+')))?;
        self.inner.world().set_user(&wa_id, id, username.map(str::to_owned), self.inner.now_ms())?;
        self.inner.bell.notify_one();
        Ok(())
    }

    /// Posts every queued update, due or not, one POST after the other, and waits for those under way. Updates that
    /// the callback refuses are tried again until they are given up. How many it took.
    pub async fn drain_receipts(&self) -> usize {
        receipts::post_queued(&self.inner, None).await
    }

    /// Posts the updates that are due by the clock. How many the callback took.
    pub async fn deliver_due_receipts(&self) -> usize {
        let now_ms = self.inner.now_ms();
        receipts::post_queued(&self.inner, Some(now_ms)).await
    }

    /// The accepted messages that are still kept, oldest first; incoming ones left out.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.inner.world().ledger.messages().filter(|one| !one.incoming).cloned().collect()
    }

    /// The counts since the start or the last reset.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.world().stats()
    }

    /// Forgets messages, counts, limits, windows, faults and queued updates; keeps templates and the callback.
    pub fn reset(&self) {
        self.inner.world().reset();
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The server stops by itself when `stop` is dropped; the pump has no end of its own.
        if let Some(pump) = &self.pump {
            pump.abort();
        }
    }
}

impl Inner {
    /// The state. A panic of another holder leaves it usable: every change is complete before anything can panic.
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> i64 {
        self.config.clock.now().as_millisecond()
    }

    /// `fbtrace_id`: unlike any other, same length as the real ones.
    fn trace_id(&self) -> String {
        let mut source = self.config.seed.to_be_bytes().to_vec();
        source.extend_from_slice(&self.traces.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        format!("A{}", URL_SAFE_NO_PAD.encode(&signature::sha256(&source)[..16]))
    }

    async fn verify_callback(&self) -> bool {
        let Some(url) = self.world().callback_url.clone() else { return false };
        let challenge = format!("11{}", self.config.seed);
        let query = [
            ("hub.mode", "subscribe"),
            ("hub.challenge", &challenge),
            ("hub.verify_token", self.config.verify_token.expose_secret()),
        ];
        let Ok(answer) = self.client.get(url).query(&query).send().await else { return false };
        answer.status() == 200 && answer.text().await.is_ok_and(|text| text == challenge)
    }
}
