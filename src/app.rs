//! Owns: the only wiring. Configuration in; a running service out, with a handle to drain it (tests), reload it and stop
//! it.

pub mod accounts;
mod by_hand;
mod desk;
mod lanes;
mod launch;
mod live;
mod open;
mod restored;
mod routes;
mod settings;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use anyhow::Context as _;
use jiff::SignedDuration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use self::desk::{DeskParts, desk};
pub use self::desk::{desk_at_the_command_line, desk_without_secrets};
use self::lanes::{Lanes, instance_name, lanes};
use self::live::Live;
pub use self::open::{decider, gateway, needs, open_billing, open_store};
use self::restored::RestoreWatch;
use self::settings::{process_settings, sweep_settings};
use crate::admin::notify::Notifier;
use crate::admin::{Apply, Desk};
use crate::billing::Billing;
use crate::clock::Clock;
use crate::config::Config;
use crate::decide::Decider;
use crate::dispatch::leadership::Leadership;
use crate::dispatch::recheck::Words;
use crate::dispatch::{Lane, lane};
use crate::domain::phone::{PhonePolicy, warm_up};
use crate::figures::Figures;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::process::schedule::Scheduler;
use crate::process::sweep::Sweep;
use crate::process::{Usual, Worker};
use crate::retention::Retention;
use crate::rules::recipients::Policy;
use crate::stop::{Stopper, pair};
use crate::store::decision_writer::DecisionWriter;
use crate::store::{Store, hold, inbox, outbox};
use crate::tasks::{Failures, Tasks};

/// Rows that housekeeping ends at once.
const EXPIRE_BATCH: usize = 500;
/// Longer than any wait of an event: an hour for the platform's rows (`wait_s`), its lease, or minutes after a failed try.
const AHEAD: SignedDuration = SignedDuration::from_hours(2);
/// What closing takes at most, besides what is in flight.
const CLOSING_MAX: Duration = Duration::from_secs(5);

/// A running service.
#[derive(Debug)]
pub struct App {
    pub address: SocketAddr,
    pub store: Store,
    pub billing: Billing,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
    worker: Arc<Worker>,
    lanes: Vec<Arc<Lane>>,
    leaderships: Vec<Arc<Leadership>>,
    retention: Arc<Retention>,
    sweep: Arc<Sweep>,
    scheduler: Arc<Scheduler>,
    figures: Arc<Figures>,
    notifier: Option<Arc<Notifier>>,
    /// Answers questions to the company's rules.
    pub decider: Arc<Decider>,
    outbox_bell: Arc<Notify>,
    decision_writer: Option<DecisionWriter>,
    /// Whether it does its work.
    pub health: Arc<Health>,
    live: Arc<Live>,
    restore: Arc<RestoreWatch>,
    /// What administrators work with; `None` without `admin.key`.
    pub desk: Option<Arc<Desk>>,
    /// Where administrators reach the bridge, if not at `address`.
    pub admin_address: Option<SocketAddr>,
    config: Config,
    stopper: Stopper,
    running: JoinSet<()>,
    /// How its tasks are.
    pub tasks: Tasks,
}

/// Whether the workers run by themselves, or only when a test drains them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workers {
    Running,
    ByHand,
}

impl App {
    /// Starts everything on `listener`.
    ///
    /// # Errors
    /// The configuration, the texts or the database do not allow it.
    pub async fn start(config: Config, clock: Clock, listener: TcpListener, workers: Workers) -> anyhow::Result<Self> {
        warm_up();
        let store = open_store(&config)?;
        store.ping().await?;
        let billing = open_billing(&config)?;
        let metrics = Arc::new(Metrics::default());
        let tasks = Tasks::new(metrics.clone());
        let live = Live::start(&config, &store, &clock).await?;
        let restore = Arc::new(RestoreWatch::new(&config));
        restore.begin(&store, &clock).await.context("whether the schema was restored from an older dump")?;
        let (inbox_bell, outbox_bell) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let decider = Arc::new(decider(&config, &store, &billing)?);
        let worker = Arc::new(Worker {
            store: store.clone(),
            billing: billing.clone(),
            decider: decider.clone(),
            catalogue: live.catalogue.clone(),
            templates: live.templates.clone(),
            settings: process_settings(&config)?,
            usual: Usual::new(clock.clone()),
            put_offs: AtomicU32::new(0),
            clock: clock.clone(),
            metrics: metrics.clone(),
            inbox_bell: inbox_bell.clone(),
            outbox_bell: outbox_bell.clone(),
            failures: Failures::default(),
        });
        let parts = lane::Parts {
            store: store.clone(),
            billing: billing.clone(),
            catalogue: live.catalogue.clone(),
            words: Words {
                templates: live.templates.clone(),
                decider: decider.clone(),
                people: Policy::of(&config),
                zone: jiff::tz::TimeZone::get(&config.billing.timezone)?,
            },
            paces: live.paces.clone(),
            clock: clock.clone(),
            metrics: metrics.clone(),
            bell: outbox_bell.clone(),
        };
        let name = instance_name();
        let Lanes { lanes, leaderships } = lanes(&config, &parts, &name)?;
        let late_max = seconds(config.server.ready_late_max_s);
        let health = Health::new(store.clone(), clock.clone(), tasks.clone(), metrics.clone(), name, late_max);
        let health = Arc::new(health);
        let retention = Arc::new(retention(&config, &store, &clock, &metrics));
        let figures = Arc::new(Figures::new(
            store.clone(),
            clock.clone(),
            metrics.clone(),
            live.catalogue.clone(),
            &config.retention,
        ));
        let sweep = Arc::new(Sweep {
            store: store.clone(),
            billing: billing.clone(),
            catalogue: live.catalogue.clone(),
            settings: sweep_settings(&config)?,
            clock: clock.clone(),
            metrics: metrics.clone(),
            inbox_bell: inbox_bell.clone(),
            owner: uuid::Uuid::now_v7().as_simple().to_string(),
        });
        let scheduler = Arc::new(Scheduler {
            store: store.clone(),
            billing: billing.clone(),
            catalogue: live.catalogue.clone(),
            zones: config.zones(),
            clock: clock.clone(),
            metrics: metrics.clone(),
            inbox_bell: inbox_bell.clone(),
            owner: uuid::Uuid::now_v7().as_simple().to_string(),
        });
        let mut app = Self {
            address: listener.local_addr()?,
            store,
            billing,
            metrics,
            clock,
            worker,
            lanes,
            leaderships,
            retention,
            sweep,
            scheduler,
            figures,
            notifier: None,
            decider,
            outbox_bell,
            decision_writer: None,
            health,
            live,
            restore,
            desk: None,
            admin_address: None,
            config,
            stopper: pair().0,
            running: JoinSet::new(),
            tasks,
        };
        app.desk = app.desk()?;
        app.notifier = Some(Arc::new(app.notifier()));
        let people = app.people_listener().await?;
        app.launch(listener, people, workers, inbox_bell);
        Ok(app)
    }

    /// What administrators work with.
    fn desk(&self) -> anyhow::Result<Option<Arc<Desk>>> {
        let live = self.live.clone();
        let apply: Apply = Arc::new(move || {
            let live = live.clone();
            Box::pin(async move {
                if let Err(error) = live.refresh().await {
                    tracing::error!(%error, "a change is not in force here yet: it is tried again");
                }
            })
        });
        let parts = DeskParts { store: &self.store, billing: &self.billing, config: &self.config, clock: &self.clock };
        let desk = desk(&parts, &self.live, &self.metrics, self.decider.clone())?;
        Ok(desk.map(|desk| Arc::new(Desk { apply: Some(apply), ..desk })))
    }

    async fn people_listener(&mut self) -> anyhow::Result<Option<TcpListener>> {
        let listen = &self.config.admin.listen;
        if listen.is_empty() || self.desk.is_none() {
            return Ok(None);
        }
        let listener =
            TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen} (admin.listen)"))?;
        self.admin_address = Some(listener.local_addr()?);
        Ok(Some(listener))
    }

    /// Takes what may change while running out of a new configuration: hookpoints, texts, sources and their secrets.
    ///
    /// # Errors
    /// A mistake in it; then all stays as it was.
    pub async fn reload(&self, config: &Config) -> anyhow::Result<()> {
        self.live.reload(config).await
    }

    /// Takes over what administrators changed on another instance, or at the command line.
    ///
    /// # Errors
    /// The database.
    pub async fn refresh(&self) -> anyhow::Result<()> {
        self.live.refresh().await
    }

    /// Waits until one of its tasks ended too often, and says which: the process must end.
    pub async fn failed(&self) -> String {
        self.tasks.failed().await
    }

    /// Takes nothing new, finishes what is in flight, closes the connections. Ends in bounded time whatever hangs: what could
    /// not be written down by then is found as of unknown outcome by whoever sends next.
    pub async fn stop(mut self) {
        self.stopper.stop();
        // Once their last handles are dropped, the writers of decisions and outcomes write what they have and end.
        self.decision_writer = None;
        self.lanes.clear();
        let max = self.stop_max();
        let finished = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(max, finished).await.is_err() {
            let left: Vec<String> = self.tasks.unfinished().iter().map(ToString::to_string).collect();
            tracing::error!(tasks = left.join(", "), ?max, "not everything was finished in time: it is left as it is");
            self.running.shutdown().await;
        }
        let ended = async {
            // What was sent until now is newer than every dump of before.
            if let Err(error) = self.restore.again(&self.store, &self.clock).await {
                tracing::warn!(%error, "a restore of an older dump may go unnoticed");
            }
            for leadership in &self.leaderships {
                leadership.give_back(&self.store).await;
            }
            self.health.end().await;
        };
        if tokio::time::timeout(CLOSING_MAX, ended).await.is_err() {
            tracing::warn!("the leases were not given back: the next instance waits for them");
        }
        self.store.database().clone().close().await;
        self.billing.database().clone().close().await;
    }
}

impl App {
    /// How long a stop may take: the requests of clients, then an attempt in flight and writing it down.
    fn stop_max(&self) -> Duration {
        let drain = self.config.server.drain_timeout_ms;
        let sending = self.config.senders.values().map(|sender| sender.timeout_ms).max().unwrap_or(0);
        Duration::from_millis(drain.max(sending)) + CLOSING_MAX
    }
}

/// Retention, as configured.
#[must_use]
pub fn retention(config: &Config, store: &Store, clock: &Clock, metrics: &Arc<Metrics>) -> Retention {
    let event_age_max = SignedDuration::from_hours(config.alerts.event_age_max_h.into());
    Retention::new(store.clone(), clock.clone(), metrics.clone(), &config.retention, event_age_max)
}

async fn keep_house(store: &Store, clock: &Clock, restore: &RestoreWatch) -> anyhow::Result<()> {
    let now = clock.now();
    restore.again(store, clock).await?;
    let brought = inbox::bring_back(store, now + AHEAD, now).await?;
    if brought > 0 {
        tracing::warn!(events = brought, "the clock was set back: they are due now");
    }
    let freed = hold::free(store, None, now).await?;
    if freed > 0 {
        tracing::warn!(messages = freed, "held messages without a hold are due now");
    }
    while outbox::expire(store, now, EXPIRE_BATCH).await? == EXPIRE_BATCH {}
    Ok(())
}

/// How phone numbers are read.
#[must_use]
pub fn phone_policy(config: &Config) -> PhonePolicy {
    config.alerts.phone_policy()
}

fn seconds(s: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(s).unwrap_or(i64::MAX))
}
