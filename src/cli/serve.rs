//! `hookbridge serve`

use std::path::PathBuf;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::{App, Workers};
use crate::billing::BillingError;
use crate::clock::Clock;
use crate::config::load;
use crate::road::{Step, mark};
use crate::sql::ConnectError;
use crate::store::migrate;
use crate::store::server::Fit;
use crate::telemetry;

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
    let listener = TcpListener::bind(config.server.listen)
        .await
        .with_context(|| format!("cannot listen on {} (server.listen)", config.server.listen))?;
    // Before anything runs: a signal that comes early must not be lost.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let app = App::start(config, clock, listener, Workers::Running).await?;
    tracing::info!(address = %app.address, "listening");
    match (&app.desk, app.admin_address) {
        (None, _) => tracing::warn!("`admin.key` is empty: there is no administrators' page"),
        (Some(_), address) => {
            tracing::info!(address = %address.unwrap_or(app.address), "the administrators' page is at /admin");
        }
    }
    mark(Step::Listening);
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => reload(&app, file.as_ref()).await,
        }
    }
    tracing::info!("stopping: what is in flight is finished first");
    app.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Refuses what would lose or leak: a schema that is behind, a billing account that can write.
async fn prepare(config: &crate::config::Config, apply: bool, clock: &Clock) -> anyhow::Result<()> {
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

async fn reload(app: &App, file: Option<&PathBuf>) {
    let result = match load(file.map(PathBuf::as_path), std::env::vars()) {
        Ok(config) => app.reload(&config).await,
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(()) => tracing::info!("reloaded: hookpoints, texts, sources and their secrets"),
        Err(error) => tracing::error!(%error, "not reloaded, everything stays as it was"),
    }
}
