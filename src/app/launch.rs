//! Owns: starting the service's tasks, each of them supervised.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::live::Live;
use super::restored::RestoreWatch;
use super::{App, Workers, keep_house};
use crate::admin::Desk;
use crate::admin::templates::draft::promote;
use crate::clock::Clock;
use crate::http::server::{Limits, connections_within, serve};
use crate::road::{Step, mark_one};
use crate::stop::{Stop, pair};
use crate::store::Store;
use crate::store::decision_writer::DecisionWriter;
use crate::tasks::Task;

/// How often housekeeping looks.
const HOUSEKEEPING: Duration = Duration::from_secs(15);
/// How often each instance looks for changes by administrators.
const CHANGES: Duration = Duration::from_secs(2);
/// Of these rounds, each so manieth asks the provider for texts that wait for it: once a minute.
const DRAFT_ROUNDS: u32 = 30;
/// The provider's answer may take so long; changes wait for nobody.
const DRAFT_PATIENCE: Duration = Duration::from_secs(10);

impl App {
    pub(super) fn launch(
        &mut self,
        listener: TcpListener,
        people: Option<TcpListener>,
        workers: Workers,
        inbox_bell: Arc<Notify>,
    ) {
        let (stopper, stop) = pair();
        self.stopper = stopper;
        let (decision_writer, keeping) = DecisionWriter::new(&self.store, &self.metrics);
        let routes = self.routes(inbox_bell, &decision_writer);
        self.decision_writer = Some(decision_writer);
        let (tasks, set) = (self.tasks.clone(), &mut self.running);
        tasks.supervise(set, (Task::DecisionWriter, ""), &stop, keeping, |it, _| async move { it.run().await });
        tasks.supervise(set, (Task::InboxWriter, ""), &stop, routes.writing, |it, _| async move { it.run().await });
        for lane in &self.lanes {
            let settling = lane.settling();
            tasks.supervise(set, (Task::Settler, lane.name()), &stop, settling, |it, _| async move { it.run().await });
        }
        let limits = self.limits();
        let (set, mut until) = (&mut self.running, stop.clone());
        let main = serve(listener, routes.main, limits.clone(), async move { until.stopped().await });
        tasks.watch(set, (Task::Server, ""), &stop, main);
        if let (Some(listener), Some(routes)) = (people, routes.people) {
            let mut until = stop.clone();
            let people = serve(listener, routes, limits, async move { until.stopped().await });
            tasks.watch(set, (Task::Server, "admin"), &stop, people);
        }
        if workers == Workers::Running {
            self.launch_loops(&stop);
        }
    }

    fn limits(&self) -> Limits {
        let server = &self.config.server;
        let sending: usize = self.config.senders.values().map(|sender| sender.in_flight_max).sum();
        let outgoing = self.config.database.pool_max + self.config.billing.pool_max + sending;
        Limits {
            connections_max: connections_within(server.connections_max, outgoing),
            header_timeout: Duration::from_millis(server.header_timeout_ms),
            drain_timeout: Duration::from_millis(server.drain_timeout_ms),
            behind_tls: server.behind_tls,
            metrics: self.metrics.clone(),
            ..Limits::default()
        }
    }

    /// What works without being asked.
    fn launch_loops(&mut self, stop: &Stop) {
        let (tasks, set) = (self.tasks.clone(), &mut self.running);
        for number in 1..=self.config.process.workers {
            let (number, worker) = (number.to_string(), self.worker.clone());
            tasks.supervise(set, (Task::Worker, &number), stop, worker, |it, stop| async move { it.run(stop).await });
        }
        for lane in &self.lanes {
            let one = lane.clone();
            tasks.supervise(set, (Task::Lane, lane.name()), stop, one, |it, stop| async move { it.run(stop).await });
        }
        let retention = self.retention.clone();
        tasks.supervise(set, (Task::Retention, ""), stop, retention, |it, stop| async move { it.run(stop).await });
        let sweep = self.sweep.clone();
        tasks.supervise(set, (Task::Sweep, ""), stop, sweep, |it, stop| async move { it.run(stop).await });
        let dates = self.scheduler.clone();
        tasks.supervise(set, (Task::Schedule, ""), stop, dates, |it, stop| async move { it.run(stop).await });
        let figures = self.figures.clone();
        tasks.supervise(set, (Task::Figures, ""), stop, figures, |it, stop| async move { it.run(stop).await });
        if let Some(notifier) = self.notifier.clone() {
            tasks.supervise(set, (Task::Notices, ""), stop, notifier, |it, stop| async move { it.run(stop).await });
        }
        let health = self.health.clone();
        tasks.supervise(set, (Task::Health, ""), stop, health, |it, stop| async move { it.run(stop).await });
        tasks.supervise(set, (Task::Changes, ""), stop, (self.live.clone(), self.desk.clone()), notice_changes);
        let house = (self.store.clone(), self.clock.clone(), self.restore.clone());
        tasks.supervise(set, (Task::Housekeeping, ""), stop, house, housekeeping);
    }
}

/// Looks whether administrators changed something on another instance, or at the command line.
async fn notice_changes((live, desk): (Arc<Live>, Option<Arc<Desk>>), mut stop: Stop) {
    let mut rounds = 0_u32;
    while !stop.is_stopped() {
        mark_one(Step::Turning, &Task::Changes);
        if let Err(error) = live.refresh().await {
            tracing::warn!(%error, "whether administrators changed something is not known");
        }
        rounds = rounds.wrapping_add(1);
        if rounds.is_multiple_of(DRAFT_ROUNDS)
            && let Some(desk) = &desk
            && let Ok(Err(error)) = tokio::time::timeout(DRAFT_PATIENCE, promote(desk)).await
        {
            tracing::warn!(%error, "whether the provider has the drafts is not known");
        }
        tokio::select! {
            () = stop.stopped() => {}
            () = tokio::time::sleep(CHANGES) => {}
        }
    }
}

async fn housekeeping((store, clock, restore): (Store, Clock, Arc<RestoreWatch>), mut stop: Stop) {
    while !stop.is_stopped() {
        mark_one(Step::Turning, &Task::Housekeeping);
        if let Err(error) = keep_house(&store, &clock, &restore).await {
            tracing::warn!(%error, "housekeeping is put off");
        }
        tokio::select! {
            () = stop.stopped() => {}
            () = tokio::time::sleep(HOUSEKEEPING) => {}
        }
    }
}
