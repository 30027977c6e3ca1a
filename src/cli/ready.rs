//! Owns: what systemd learns (readiness, reload, end) and what it hands over (sockets that outlive a restart). Without systemd
//! all of it does nothing.

use std::net::SocketAddr;

use anyhow::Context as _;
use listenfd::ListenFd;
use sd_notify::NotifyState;
use tokio::net::TcpListener;

/// The socket that was handed over, or a new one on `address`.
pub(super) async fn listener(address: SocketAddr) -> anyhow::Result<TcpListener> {
    if let Some(socket) = ListenFd::from_env().take_tcp_listener(0).context("the socket that systemd hands over")? {
        socket.set_nonblocking(true)?;
        let given = socket.local_addr()?;
        if given != address {
            tracing::warn!(%given, %address, "the socket that was handed over is used; `server.listen` says another address");
        }
        return Ok(TcpListener::from_std(socket)?);
    }
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address} (server.listen)"))
}

/// It works.
pub(super) fn ready() {
    say(&[NotifyState::Ready, NotifyState::Status("ready")]);
}

/// It reads its settings anew; [`ready`] or [`refused`] ends that.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => say(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "no clock for systemd"),
    }
}

/// It goes on with the settings that it had.
pub(super) fn refused(why: &str) {
    let status = format!("not reloaded, the settings before stay in force: {why}");
    say(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// It takes nothing new.
pub(super) fn stopping() {
    say(&[NotifyState::Stopping]);
}

fn say(what: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        tracing::debug!(%error, "systemd cannot be notified");
    }
}
