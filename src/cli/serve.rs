//! `hookbridge serve`

use std::path::PathBuf;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::ready;
use crate::app::{App, Workers};
use crate::billing::BillingError;
use crate::clock::Clock;
use crate::config::{Config, load};
use crate::road::{Step, mark};
use crate::sql::ConnectError;
use crate::store::migrate;
use crate::store::server::Fit;
use crate::telemetry;

/// How long reading the configuration again may take.
const READ_MAX: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Apply missing migrations first (otherwise a schema that is behind is an error)
    #[arg(long)]
    migrate: bool,
}

pub async fn run(args: Args, file: Option<PathBuf>) -> anyhow::Result<()> {
    let config = super::read(file.as_deref())?;
    telemetry::start(&config.log.format, &config.log.level).map_err(|e| anyhow::anyhow!(e))?;
    let clock = Clock::system();
    mark(Step::Starting);
    prepare(&config, args.migrate, &clock).await?;
    let listener = ready::listener(config.server.listen).await?;
    // Before anything runs: a signal that comes early must not be lost.
    let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let hangup = signal(SignalKind::hangup())?;
    let app = App::start(config, clock, listener, Workers::Running).await?;
    tracing::info!(address = %app.address, "listening");
    match (&app.desk, app.admin_address) {
        (None, _) => tracing::warn!("`admin.key` is empty: there is no administrators' page"),
        (Some(_), address) => {
            tracing::info!(address = %address.unwrap_or(app.address), "the administrators' page is at /admin");
        }
    }
    mark(Step::Listening);
    ready::ready();
    let failed = wait(&app, file, [terminate, interrupt], hangup).await;
    ready::stopping();
    tracing::info!("stopping: what is in flight is finished first");
    app.stop().await;
    tracing::info!("stopped");
    match failed {
        None => Ok(()),
        Some(task) => anyhow::bail!("the task {task} ended for the third time within a minute: see the log"),
    }
}

/// Waits for the end, and takes over a new configuration when asked. Returns the task that failed, if one did.
async fn wait(app: &App, file: Option<PathBuf>, ends: [Signal; 2], mut hangup: Signal) -> Option<String> {
    let [mut terminate, mut interrupt] = ends;
    loop {
        tokio::select! {
            _ = terminate.recv() => return None,
            _ = interrupt.recv() => return None,
            failed = app.failed() => return Some(failed),
            _ = hangup.recv() => {}
        }
        // Whatever hangs in it, a signal to end is obeyed.
        tokio::select! {
            _ = terminate.recv() => return None,
            _ = interrupt.recv() => return None,
            failed = app.failed() => return Some(failed),
            () = reload(app, file.clone()) => {}
        }
    }
}

/// Refuses what would lose or leak: a schema that is behind, a billing account that can write.
async fn prepare(config: &Config, apply: bool, clock: &Clock) -> anyhow::Result<()> {
    let store = crate::app::open_store(config)?;
    let server = store.server(clock.now()).await?;
    if let Some(lacks) = server.lacks() {
        anyhow::bail!("the database server is too old: {lacks}");
    }
    for remark in server.remarks(crate::app::needs(config)) {
        match remark.state {
            Fit::Good => {}
            Fit::Doubtful => tracing::warn!(check = remark.check, "{}", remark.says),
            Fit::Unfit => anyhow::bail!("no event could be stored: {}", remark.says),
        }
    }
    if apply {
        for name in migrate::run(&store, clock.now()).await? {
            tracing::info!(name, "migration applied");
        }
    }
    let pending = migrate::pending(&store).await?;
    store.database().clone().close().await;
    anyhow::ensure!(
        pending.is_empty(),
        "the schema is behind by {}: run `hookbridge migrate` (or serve --migrate)",
        pending.join(", ")
    );
    let billing = crate::app::open_billing(config)?;
    match billing.prove_read_only().await {
        Ok(()) => {}
        Err(BillingError::Connect(ConnectError::Refused(refusal))) => anyhow::bail!("{refusal}"),
        // Events can be stored without it; they wait. No connection is used before it proved what it may do.
        Err(error) => tracing::error!(%error, "the billing database cannot be used yet: events will wait"),
    }
    billing.database().clone().close().await;
    Ok(())
}

async fn reload(app: &App, file: Option<PathBuf>) {
    ready::reloading();
    let result = match read_again(file).await {
        Ok(config) => app.reload(&config).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => {
            tracing::info!("reloaded: hookpoints, texts, sources and their secrets");
            ready::ready();
        }
        Err(error) => {
            tracing::error!(%error, "not reloaded, everything stays as it was");
            ready::refused(&super::once(&error));
        }
    }
}

/// Reads the configuration on a thread of its own: a pipe that nobody writes to, or a file system that hangs, must stop neither
/// the service nor its end.
async fn read_again(file: Option<PathBuf>) -> anyhow::Result<Config> {
    let (done, read) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().name("reload".to_owned()).spawn(move || {
        let _ = done.send(load(file.as_deref(), std::env::vars()));
    })?;
    match tokio::time::timeout(READ_MAX, read).await {
        Ok(Ok(config)) => Ok(config?),
        Ok(Err(_)) => anyhow::bail!("the configuration cannot be read"),
        Err(_) => anyhow::bail!("the configuration could not be read within {READ_MAX:?}: is it a pipe?"),
    }
}
