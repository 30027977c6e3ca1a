//! Owns: the wiring of the routes: what each works with, and which address it is served on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::{App, seconds};
use crate::admin::notify::Notifier;
use crate::admin::{Desk, View};
use crate::domain::locale::Locale;
use crate::http::admin::notices::Pen;
use crate::http::answers::{Answers, Manners};
use crate::http::decide::Decide;
use crate::http::heartbeat::Heartbeats;
use crate::http::ingest::Ingest;
use crate::http::ops::Ops;
use crate::http::preferences::Preferences;
use crate::http::receipts::{Receipts, Seen, SenderKeys};
use crate::http::request::BodyLimits;
use crate::http::{Route, admin, api, batches, decide, heartbeat, ingest, join, manifest, ops, preferences, receipts};
use crate::render::confirmation::button_texts;
use crate::rules::consent::Words;
use crate::store::decision_writer::DecisionWriter;
use crate::store::writer::{InboxWriter, InboxWriting};

/// The routes, by the address they are served on.
pub(super) struct Routes {
    pub main: Route,
    /// Of their own address, if administrators have one.
    pub people: Option<Route>,
    /// What stores the events.
    pub writing: InboxWriting,
}

impl App {
    /// All routes.
    pub(super) fn routes(&self, bell: Arc<Notify>, decision_writer: &DecisionWriter) -> Routes {
        let (mut main, writing) = self.service_routes(bell, decision_writer);
        let Some(desk) = self.desk.clone() else { return Routes { main: join(main), people: None, writing } };
        let people = people(&desk);
        if self.config.admin.listen.is_empty() {
            main.extend(people);
            return Routes { main: join(main), people: None, writing };
        }
        Routes { main: join(main), people: Some(join(people)), writing }
    }

    /// The routes of stubs, provider and machines.
    fn service_routes(&self, bell: Arc<Notify>, decision_writer: &DecisionWriter) -> (Vec<Route>, InboxWriting) {
        let server = &self.config.server;
        let wait_max = Duration::from_millis(server.ingest_wait_ms);
        let (writer, writing) = InboxWriter::new(&self.store, server.ingest_queue_max, wait_max, bell);
        let limits = |bytes_max| BodyLimits { bytes_max, timeout: Duration::from_millis(server.body_timeout_ms) };
        let senders = self.config.senders.iter().map(|(name, sender)| {
            let keys = SenderKeys {
                app_secrets: sender.app_secret.clone(),
                verify_token: sender.verify_token.clone(),
                portfolio: sender.portfolio.clone(),
                phone_number_id: sender.phone_number_id.clone(),
            };
            (name.clone(), keys)
        });
        let ingest = Arc::new(Ingest {
            sources: self.live.sources.clone(),
            catalogue: self.live.catalogue.clone(),
            writer,
            clock: self.clock.clone(),
            metrics: self.metrics.clone(),
            limits: limits(server.event_bytes_max),
            refusals: Arc::default(),
        });
        let routes = vec![
            ingest::route(ingest.clone()),
            batches::route(ingest),
            decide::route(Decide {
                sources: self.live.sources.clone(),
                decider: self.decider.clone(),
                decision_writer: decision_writer.clone(),
                clock: self.clock.clone(),
                metrics: self.metrics.clone(),
                limits: limits(server.event_bytes_max),
                refusals: Arc::default(),
            }),
            manifest::route(
                self.live.sources.clone(),
                self.live.catalogue.clone(),
                self.config.rules.clone(),
                self.clock.clone(),
            ),
            heartbeat::route(Heartbeats {
                sources: self.live.sources.clone(),
                catalogue: self.live.catalogue.clone(),
                rules: self.config.rules.clone(),
                store: self.store.clone(),
                clock: self.clock.clone(),
                limits: limits(server.event_bytes_max),
                refusals: Arc::default(),
            }),
            preferences::route(Preferences {
                sources: self.live.sources.clone(),
                catalogue: self.live.catalogue.clone(),
                billing: self.billing.clone(),
                store: self.store.clone(),
                phone: self.config.alerts.phone_policy(),
                default_locale: self.config.alerts.default_locale.parse().unwrap_or(Locale::EsAr),
                clock: self.clock.clone(),
                limits: limits(server.event_bytes_max),
                refusals: Arc::default(),
            }),
            receipts::route(Receipts {
                senders: senders.collect(),
                store: self.store.clone(),
                answers: self.answers(),
                clock: self.clock.clone(),
                metrics: self.metrics.clone(),
                limits: limits(server.receipt_bytes_max),
                number_hold: seconds(self.config.dispatch.number_hold_s),
                refusals: Arc::default(),
                failures: Arc::default(),
                unknown_max: self.config.retention.unknown_receipts_max,
                seen: Seen::default(),
            }),
            ops::route(Ops {
                health: self.health.clone(),
                view: self.view(),
                store: self.store.clone(),
                billing: self.billing.clone(),
                clock: self.clock.clone(),
                metrics: self.metrics.clone(),
                sources: self.config.sources.clone(),
            }),
        ];
        (routes, writing)
    }
}

impl App {
    /// What looking at how things stand needs.
    fn view(&self) -> View {
        View {
            store: self.store.clone(),
            catalogue: self.live.catalogue.clone(),
            templates: self.live.templates.clone(),
            left_out: self.live.left_out.clone(),
            config: Arc::new(self.config.clone()),
            clock: self.clock.clone(),
        }
    }

    /// Tells administrators what needs a person.
    pub(super) fn notifier(&self) -> Notifier {
        let pen = Pen::of(&self.config);
        Notifier::new(self.view(), self.metrics.clone(), Box::new(pen), self.health.name().to_owned())
    }

    /// What becomes of clients' replies.
    fn answers(&self) -> Answers {
        let consent = &self.config.consent;
        let security: Vec<String> = consent.security_words.iter().cloned().chain(button_texts()).collect();
        Answers {
            store: self.store.clone(),
            billing: self.billing.clone(),
            manners: Manners {
                words: Words::new(&consent.opt_out_words, &consent.opt_in_words, &security),
                confirm: consent.confirm,
                start: consent.opt_in_words.clone(),
                stop: consent.opt_out_words.clone(),
            },
            metrics: self.metrics.clone(),
            outbox_bell: self.outbox_bell.clone(),
        }
    }
}

/// The routes of people and their programs.
fn people(desk: &Arc<Desk>) -> Vec<Route> {
    vec![admin::route(desk.clone()), api::route(desk.clone())]
}
