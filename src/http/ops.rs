//! Owns: `/healthz` (the process lives), `/readyz` (it can do its work), `/metrics`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use warp::Filter;
use warp::http::{HeaderValue, StatusCode, header};
use warp::reply::Response;

use super::Route;
use super::problem::json_response;
use crate::admin::View;
use crate::admin::overview::need::Kind;
use crate::admin::overview::{Overview, state};
use crate::billing::Billing;
use crate::clock::Clock;
use crate::config::section::SourceConfig;
use crate::domain::heartbeat::Trouble;
use crate::figures::stubs::stubs;
use crate::health::{Finding, Health};
use crate::metrics::{KindLabel, LaneLabel, LaneState, Metrics, NeedLabel, SourceLabel, SourceTrouble};
use crate::store::hold::{self, HoldState};
use crate::store::{Store, StoreError, inbox, outbox, prune};

/// A database that takes longer does not answer: whoever asks every few seconds must not wait as long as work may.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the routes work with.
#[derive(Clone, Debug)]
pub struct Ops {
    pub store: Store,
    pub billing: Billing,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    pub health: Arc<Health>,
    pub sources: BTreeMap<String, SourceConfig>,
    pub view: View,
}

/// All three.
#[must_use]
pub fn route(ops: Ops) -> Route {
    let (ready, ops) = (ops.clone(), ops);
    let live =
        warp::path!("healthz").and(warp::get()).map(|| json_response(StatusCode::OK, "{\"live\":true}".to_owned()));
    let ready = warp::path!("readyz").and(warp::get()).then(move || {
        let ops = ready.clone();
        async move { ops.ready().await }
    });
    let metrics = warp::path!("metrics").and(warp::get()).then(move || {
        let ops = ops.clone();
        async move { ops.metrics().await }
    });
    live.boxed().or(ready.boxed()).unify().boxed().or(metrics.boxed()).unify().boxed()
}

impl Ops {
    /// Ready means: events can be stored, and are worked on. Without the billing database they wait, which is no reason to refuse
    /// them.
    async fn ready(&self) -> Response {
        let (report, billing) = tokio::join!(self.health.report(), within(self.billing.ping()));
        let ready = report.is_ready();
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let problems: Vec<_> =
            report.problems.iter().map(|one| json!({ "finding": one.finding.code(), "detail": one.detail })).collect();
        let body = json!({ "ready": ready, "database": !report.has(Finding::NotWritable), "billing": billing,
            "problems": problems });
        json_response(status, body.to_string())
    }

    async fn metrics(&self) -> Response {
        match tokio::time::timeout(PATIENCE, self.refresh()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the queues' depth is not known"),
            Err(_) => tracing::warn!("the queues' depth is not known: the database does not answer"),
        }
        match tokio::time::timeout(PATIENCE, state(&self.view)).await {
            Ok(Ok(state)) => self.show(&state),
            Ok(Err(error)) => tracing::warn!(%error, "what needs a person is not known"),
            Err(_) => tracing::warn!("what needs a person is not known: the database does not answer"),
        }
        let mut response = Response::new(self.metrics.text().into());
        let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }

    /// What the first page says, as numbers.
    fn show(&self, state: &Overview) {
        for kind in Kind::ALL {
            let n: u64 = state.needs.iter().filter(|need| need.kind == *kind).map(|need| need.n.max(1)).sum();
            let label = NeedLabel { need: kind.code() };
            self.metrics.needs.get_or_create(&label).set(i64::try_from(n).unwrap_or(i64::MAX));
        }
    }

    async fn refresh(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let age = |since: jiff::Timestamp| now.duration_since(since).as_secs_f64().max(0.0);
        let (depth, oldest) = inbox::depth(&self.store).await?;
        self.metrics.inbox_depth.set(i64::try_from(depth).unwrap_or(i64::MAX));
        self.metrics.inbox_oldest_seconds.set(oldest.map_or(0.0, age));
        for (kind, oldest) in prune::oldest(&self.store).await? {
            let label = KindLabel { kind: kind.code() };
            self.metrics.retention_oldest_seconds.get_or_create(&label).set(oldest.map_or(0.0, age));
        }
        let asking = hold::all(&self.store).await?.iter().filter(|hold| hold.state == HoldState::Asked).count();
        self.metrics.holds_asking.set(i64::try_from(asking).unwrap_or(i64::MAX));
        self.metrics.stub_heartbeat_seconds.clear();
        self.metrics.stub_troubles.clear();
        for line in stubs(&self.store, &self.sources, now).await?.iter().rev() {
            // The newest of a source is the last.
            let source = || line.last.source.clone();
            let label = SourceLabel { source: source() };
            self.metrics.stub_heartbeat_seconds.get_or_create(&label).set(age(line.last.received_at));
            for trouble in Trouble::ALL {
                let gauge = SourceTrouble { source: source(), trouble: trouble.code() };
                self.metrics.stub_troubles.get_or_create(&gauge).inc_by(line.troubles.contains(trouble).into());
            }
        }
        self.metrics.outbox_depth.clear();
        self.metrics.outbox_oldest_seconds.clear();
        for (lane, state, count, oldest) in outbox::depth(&self.store).await? {
            if state == "queued" {
                let label = LaneLabel { lane: lane.clone() };
                self.metrics.outbox_oldest_seconds.get_or_create(&label).set(oldest.map_or(0.0, age));
            }
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.metrics.outbox_depth.get_or_create(&LaneState { lane, state }).set(count);
        }
        Ok(())
    }
}

/// Whether it went well, and soon.
async fn within<E>(work: impl Future<Output = Result<(), E>>) -> bool {
    matches!(tokio::time::timeout(PATIENCE, work).await, Ok(Ok(())))
}
