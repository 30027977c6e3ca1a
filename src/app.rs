//! Owns: the only wiring. Configuration in; a running service out, with a handle to drain it (tests), reload it and stop
//! it.

mod lanes;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use jiff::SignedDuration;
use mysql_async::{Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use self::lanes::{Lanes, lanes};
use crate::billing::{Billing, Overrides};
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::section::SenderConfig;
use crate::decide::{Decider, Policies};
use crate::dispatch::tenure::Tenure;
use crate::dispatch::{Lane, lane};
use crate::domain::locale::Locale;
use crate::domain::phone::{PhonePolicy, warm_up};
use crate::http::decide::Decide;
use crate::http::ingest::Ingest;
use crate::http::limit::{Sources, sources};
use crate::http::ops::Ops;
use crate::http::raw::BodyLimits;
use crate::http::receipts::{Receipts, SenderKeys};
use crate::http::server::{Limits, connections_within, serve};
use crate::http::{decide, ingest, join, manifest, ops, receipts};
use crate::metrics::Metrics;
use crate::process::sweep::{self, Sweep, Swept};
use crate::process::{MassSettings, Settings, Usual, Worker};
use crate::render::Templates;
use crate::retention::Retention;
use crate::rules::consent::Words;
use crate::rules::mass::MassPolicy;
use crate::sql::Database;
use crate::stop::{Stop, Stopper, pair};
use crate::store::finish::House;
use crate::store::hold::Ceilings;
use crate::store::keeper::Keeper;
use crate::store::writer::InboxWriter;
use crate::store::{Store, inbox, outbox};
use crate::whatsapp::{CloudApi, CloudApiSettings, Gateway};

/// Rows that housekeeping ends at once.
const EXPIRE_BATCH: usize = 500;
/// How often housekeeping looks.
const HOUSEKEEPING: Duration = Duration::from_secs(15);
/// Longer than any wait of an event (256 s after a failed try, or its lease).
const AHEAD: SignedDuration = SignedDuration::from_mins(30);
/// A pooled connection that nobody used for so long is closed.
const CONNECTION_IDLE: Duration = Duration::from_mins(1);

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
    tenures: Vec<Arc<Tenure>>,
    retention: Arc<Retention>,
    sweep: Arc<Sweep>,
    /// Answers questions to the company's rules.
    pub decider: Arc<Decider>,
    keeper: Option<Keeper>,
    catalogue: Arc<ArcSwap<Catalogue>>,
    templates: Arc<ArcSwap<Templates>>,
    sources: Arc<ArcSwap<Sources>>,
    config: Config,
    stopper: Stopper,
    tasks: JoinSet<()>,
}

/// Whether the workers run by themselves, or only when a test drains them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workers {
    Running,
    ByHand,
}

/// A pool for `url`.
///
/// # Errors
/// The text is no MySQL URL. The error never shows it: it holds a password.
pub fn database(url: &SecretString, min: usize, max: usize, acquire: Duration) -> anyhow::Result<Database> {
    let opts = Opts::from_url(url.expose_secret()).map_err(|_| anyhow::anyhow!("a database URL is not readable"))?;
    let constraints = PoolConstraints::new(min, max).context("pool_min and pool_max do not fit")?;
    let pool = PoolOpts::default()
        .with_constraints(constraints)
        .with_inactive_connection_ttl(CONNECTION_IDLE)
        // Connections are never left with state behind, and resetting costs a round trip each time.
        .with_reset_connection(false);
    let opts = OptsBuilder::from_opts(opts).pool_opts(pool).setup(vec![
        // A process that is stopped in the middle of a transaction must not keep its locks for hours: MariaDB ends a
        // transaction that is silent for so many seconds. MySQL has no such setting and reads a comment.
        "SET SESSION time_zone = '+00:00', SESSION sql_mode = 'STRICT_ALL_TABLES' \
         /*M!100300 , SESSION idle_transaction_timeout = 5 */",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    ]);
    Ok(Database::new(Pool::new(opts), acquire))
}

/// Our own schema, as configured.
///
/// # Errors
/// As [`database`].
pub fn open_store(config: &Config) -> anyhow::Result<Store> {
    let d = &config.database;
    let acquire = Duration::from_millis(d.acquire_timeout_ms);
    Ok(Store::new(database(&d.url, d.pool_min, d.pool_max, acquire).context("database.url")?))
}

/// The platform's database, as configured.
///
/// # Errors
/// As [`database`].
pub fn open_billing(config: &Config) -> anyhow::Result<Billing> {
    let b = &config.billing;
    let acquire = Duration::from_millis(b.acquire_timeout_ms);
    let database = database(&b.url, b.pool_min, b.pool_max, acquire).context("billing.url")?;
    let overrides = Overrides {
        system_url: b.system_url.clone(),
        company_name: b.company_name.clone(),
        default_country: b.default_country.clone(),
        cache_s: b.cache_s,
    };
    Ok(Billing::new(database, overrides))
}

/// Who answers questions to the company's rules, as configured.
///
/// # Errors
/// A time zone that does not exist.
pub fn decider(config: &Config, store: &Store, billing: &Billing) -> anyhow::Result<Decider> {
    let policies = Policies::new(config).context("billing.timezone")?;
    Ok(Decider { billing: billing.clone(), store: store.clone(), policies })
}

/// The gateway of one sender.
///
/// # Errors
/// The client cannot be built: no certificates, a bad proxy or base URL.
pub fn gateway(name: &str, sender: &SenderConfig) -> anyhow::Result<Gateway> {
    let proxy = (!sender.proxy.is_empty()).then(|| SecretString::from(sender.proxy.clone()));
    let api = CloudApi::new(CloudApiSettings {
        lane: name.to_owned(),
        base_url: sender.base_url.clone(),
        version: sender.version.clone(),
        phone_number_id: sender.phone_number_id.clone(),
        token: sender.token.clone(),
        proxy,
        timeout: Duration::from_millis(sender.timeout_ms),
        connect_timeout: Duration::from_millis(sender.connect_timeout_ms),
        idle_timeout: Duration::from_secs(20),
    })
    .with_context(|| format!("senders.{name}"))?;
    Ok(Gateway::CloudApi(api))
}

impl App {
    /// Starts everything on `listener`.
    ///
    /// # Errors
    /// The configuration, the texts or the database do not allow it.
    pub async fn start(config: Config, clock: Clock, listener: TcpListener, workers: Workers) -> anyhow::Result<Self> {
        warm_up();
        let store = open_store(&config)?;
        store.ping().await.context("the bridge's own database")?;
        let billing = open_billing(&config)?;
        let metrics = Arc::new(Metrics::default());
        let catalogue = Arc::new(ArcSwap::from_pointee(Catalogue::built_in(&config.hookpoints)?));
        let templates = Arc::new(ArcSwap::from_pointee(built_in_templates()?));
        let sources = Arc::new(ArcSwap::from_pointee(sources(&config.sources)?));
        let (inbox_bell, outbox_bell) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let decider = Arc::new(decider(&config, &store, &billing)?);
        let worker = Arc::new(Worker {
            store: store.clone(),
            billing: billing.clone(),
            decider: decider.clone(),
            catalogue: catalogue.clone(),
            templates: templates.clone(),
            settings: process_settings(&config)?,
            usual: Usual::new(clock.clone()),
            clock: clock.clone(),
            metrics: metrics.clone(),
            inbox_bell: inbox_bell.clone(),
            outbox_bell: outbox_bell.clone(),
        });
        let parts = lane::Parts {
            store: store.clone(),
            billing: billing.clone(),
            catalogue: catalogue.clone(),
            clock: clock.clone(),
            metrics: metrics.clone(),
            bell: outbox_bell,
        };
        let Lanes { lanes, tenures } = lanes(&config, &parts)?;
        let retention = Arc::new(retention(&config, &store, &clock, &metrics));
        let sweep = Arc::new(Sweep {
            store: store.clone(),
            billing: billing.clone(),
            catalogue: catalogue.clone(),
            settings: sweep_settings(&config)?,
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
            tenures,
            retention,
            sweep,
            decider,
            keeper: None,
            catalogue,
            templates,
            sources,
            config,
            stopper: pair().0,
            tasks: JoinSet::new(),
        };
        app.launch(listener, workers, inbox_bell);
        Ok(app)
    }

    fn launch(&mut self, listener: TcpListener, workers: Workers, inbox_bell: Arc<Notify>) {
        let (stopper, stop) = pair();
        self.stopper = stopper;
        let (keeper, write) = Keeper::new(&self.store, &self.metrics);
        self.tasks.spawn(write);
        let routes = self.routes(inbox_bell, &keeper);
        self.keeper = Some(keeper);
        let server = &self.config.server;
        let sending: usize = self.config.senders.values().map(|sender| sender.in_flight_max).sum();
        let outgoing = self.config.database.pool_max + self.config.billing.pool_max + sending;
        let limits = Limits {
            connections_max: connections_within(server.connections_max, outgoing),
            header_timeout: Duration::from_millis(server.header_timeout_ms),
            drain_timeout: Duration::from_millis(server.drain_timeout_ms),
            ..Limits::default()
        };
        let mut until = stop.clone();
        self.tasks.spawn(async move { serve(listener, routes, limits, async move { until.stopped().await }).await });
        if workers == Workers::ByHand {
            return;
        }
        for _ in 0..self.config.process.workers {
            let (worker, stop) = (self.worker.clone(), stop.clone());
            self.tasks.spawn(async move { worker.run(stop).await });
        }
        for lane in &self.lanes {
            let (lane, stop) = (lane.clone(), stop.clone());
            self.tasks.spawn(async move { lane.run(stop).await });
        }
        let (retention, until) = (self.retention.clone(), stop.clone());
        self.tasks.spawn(async move { retention.run(until).await });
        let (sweep, until) = (self.sweep.clone(), stop.clone());
        self.tasks.spawn(async move { sweep.run(until).await });
        self.tasks.spawn(housekeeping(self.store.clone(), self.clock.clone(), stop));
    }

    fn routes(&self, bell: Arc<Notify>, keeper: &Keeper) -> crate::http::Route {
        let server = &self.config.server;
        let limits = |bytes_max| BodyLimits { bytes_max, timeout: Duration::from_millis(server.body_timeout_ms) };
        let senders = self.config.senders.iter().map(|(name, sender)| {
            let keys = SenderKeys { app_secret: sender.app_secret.clone(), verify_token: sender.verify_token.clone() };
            (name.clone(), keys)
        });
        join(vec![
            ingest::route(Ingest {
                sources: self.sources.clone(),
                catalogue: self.catalogue.clone(),
                writer: InboxWriter::start(
                    &self.store,
                    server.ingest_queue_max,
                    Duration::from_millis(server.ingest_wait_ms),
                ),
                clock: self.clock.clone(),
                metrics: self.metrics.clone(),
                limits: limits(server.event_bytes_max),
                bell,
                refusals: Arc::default(),
            }),
            decide::route(Decide {
                sources: self.sources.clone(),
                decider: self.decider.clone(),
                keeper: keeper.clone(),
                clock: self.clock.clone(),
                metrics: self.metrics.clone(),
                limits: limits(server.event_bytes_max),
            }),
            manifest::route(
                self.sources.clone(),
                self.catalogue.clone(),
                self.config.rules.clone(),
                self.clock.clone(),
            ),
            receipts::route(Receipts {
                senders: senders.collect(),
                store: self.store.clone(),
                words: Words::new(&self.config.consent.opt_out_words, &self.config.consent.opt_in_words),
                clock: self.clock.clone(),
                metrics: self.metrics.clone(),
                limits: limits(server.receipt_bytes_max),
                number_hold: seconds(self.config.dispatch.number_hold_s),
            }),
            ops::route(Ops {
                store: self.store.clone(),
                billing: self.billing.clone(),
                clock: self.clock.clone(),
                metrics: self.metrics.clone(),
            }),
        ])
    }

    /// Takes what may change while running out of a new configuration: hookpoints, texts, sources and their secrets.
    ///
    /// # Errors
    /// A mistake in it; then all stays as it was.
    pub fn reload(&self, config: &Config) -> anyhow::Result<()> {
        let catalogue = Catalogue::built_in(&config.hookpoints)?;
        let templates = built_in_templates()?;
        let fresh = sources(&config.sources)?;
        self.catalogue.store(Arc::new(catalogue));
        self.templates.store(Arc::new(templates));
        self.sources.store(Arc::new(fresh));
        Ok(())
    }

    /// Runs workers and lanes by hand until nothing is due, for tests: no waiting by the clock.
    ///
    /// # Errors
    /// What the workers could not do.
    pub async fn drain(&self) -> anyhow::Result<()> {
        loop {
            let mut busy = self.worker.tick().await? > 0;
            for lane in &self.lanes {
                busy |= lane.tick().await? == lane::Tick::Busy;
                lane.settled().await;
            }
            self.decisions_kept().await;
            if !busy {
                return Ok(());
            }
        }
    }

    /// One turn of each worker and lane by hand, for tests that move the clock between.
    ///
    /// # Errors
    /// What the workers could not do.
    pub async fn step(&self) -> anyhow::Result<()> {
        self.worker.tick().await?;
        for lane in &self.lanes {
            lane.tick().await?;
            lane.settled().await;
        }
        Ok(())
    }

    /// What the housekeeping does, once.
    ///
    /// # Errors
    /// The database.
    pub async fn keep_house(&self) -> anyhow::Result<()> {
        keep_house(&self.store, &self.clock).await
    }

    /// What the sweep does, once, if it is due.
    ///
    /// # Errors
    /// A database.
    pub async fn sweep(&self) -> anyhow::Result<Swept> {
        // Held until the end: a dropped stopper stops.
        let (_stopper, stop) = pair();
        Ok(self.sweep.round(&stop).await?)
    }

    /// What retention does, once.
    ///
    /// # Errors
    /// The database.
    pub async fn prune(&self) -> anyhow::Result<crate::retention::Round> {
        Ok(self.retention.round(&pair().1).await?)
    }

    /// Waits until every decision that was given is on record.
    pub async fn decisions_kept(&self) {
        if let Some(keeper) = &self.keeper {
            keeper.flush().await;
        }
    }

    /// Takes nothing new, finishes what is in flight, closes the connections.
    pub async fn stop(mut self) {
        self.stopper.stop();
        // With the last handle gone, the keeper writes what it has and ends.
        self.keeper = None;
        while self.tasks.join_next().await.is_some() {}
        for tenure in &self.tenures {
            tenure.give_back(&self.store).await;
        }
        self.store.database().clone().close().await;
        self.billing.database().clone().close().await;
    }
}

fn sweep_settings(config: &Config) -> anyhow::Result<sweep::Settings> {
    let (swept, alerts) = (&config.sweep, &config.alerts);
    Ok(sweep::Settings {
        enabled: swept.enabled,
        every: SignedDuration::from_mins(swept.every_min.into()),
        grace: SignedDuration::from_mins(swept.grace_min.into()),
        rows_max: swept.rows_max,
        events_max: swept.events_max,
        age_max: SignedDuration::from_hours(alerts.event_age_max_h.into()),
        zone: jiff::tz::TimeZone::get(&config.billing.timezone)?,
    })
}

/// Retention, as configured.
#[must_use]
pub fn retention(config: &Config, store: &Store, clock: &Clock, metrics: &Arc<Metrics>) -> Retention {
    let event_age_max = SignedDuration::from_hours(config.alerts.event_age_max_h.into());
    Retention::new(store.clone(), clock.clone(), metrics.clone(), &config.retention, event_age_max)
}

async fn housekeeping(store: Store, clock: Clock, mut stop: Stop) {
    while !stop.is_stopped() {
        if let Err(error) = keep_house(&store, &clock).await {
            tracing::warn!(%error, "housekeeping is put off");
        }
        tokio::select! {
            () = stop.stopped() => {}
            () = tokio::time::sleep(HOUSEKEEPING) => {}
        }
    }
}

async fn keep_house(store: &Store, clock: &Clock) -> anyhow::Result<()> {
    let now = clock.now();
    let brought = inbox::bring_back(store, now + AHEAD, now).await?;
    if brought > 0 {
        tracing::warn!(events = brought, "the clock was set back: they are due now");
    }
    while outbox::expire(store, now, EXPIRE_BATCH).await? == EXPIRE_BATCH {}
    Ok(())
}

fn built_in_templates() -> anyhow::Result<Templates> {
    Templates::built_in().map_err(|mistakes| anyhow::anyhow!(mistakes.join("\n")))
}

fn process_settings(config: &Config) -> anyhow::Result<Settings> {
    let alerts = &config.alerts;
    Ok(Settings {
        batch: config.process.batch,
        poll: Duration::from_millis(config.process.poll_ms),
        lease: SignedDuration::from_millis(i64::try_from(config.process.lease_ms)?),
        attempts_max: config.process.attempts_max,
        house: House {
            same_transition: SignedDuration::from_mins(alerts.same_transition_min.into()),
            ceilings: Ceilings {
                window: SignedDuration::from_mins(alerts.mass_window_min.into()),
                client_day_max: alerts.client_day_max,
                ..Ceilings::default()
            },
        },
        mass: MassSettings {
            policy: MassPolicy { min: alerts.mass_min, factor: alerts.mass_factor, window_min: alerts.mass_window_min },
            history: SignedDuration::from_hours(i64::from(alerts.mass_history_days) * 24),
            fixed: config.hookpoints.iter().filter_map(|(name, h)| Some((name.clone(), h.mass_max?))).collect(),
        },
        event_age_max: SignedDuration::from_hours(alerts.event_age_max_h.into()),
        lane: alerts.sender.clone(),
        zone: jiff::tz::TimeZone::get(&config.billing.timezone)?,
        default_locale: alerts.default_locale.parse::<Locale>().unwrap_or(Locale::EsAr),
        phone: phone_policy(config),
    })
}

/// How phone numbers are read.
#[must_use]
pub fn phone_policy(config: &Config) -> PhonePolicy {
    PhonePolicy { assume_argentine_mobile: config.alerts.assume_argentine_mobile, ..PhonePolicy::default() }
}

fn seconds(s: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(s).unwrap_or(i64::MAX))
}
