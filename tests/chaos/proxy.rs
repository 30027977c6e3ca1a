//! Owns: a proxy that cuts. It stands before the bridge (as a web server does) and before its databases, and can cut all
//! connections at once, let an answer vanish after the request was carried out, or hold everything up for a while.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;

const CHUNK_BYTES: usize = 16 * 1024;

/// What a proxy may be told while it runs.
#[derive(Debug)]
pub struct Valve {
    cut: watch::Sender<u64>,
    /// What marks a request whose answer may vanish.
    mark: &'static [u8],
    swallow: AtomicU64,
    held_until: Mutex<Option<Instant>>,
    /// Answers that vanished.
    pub swallowed: AtomicU64,
    /// Connections cut on order.
    pub cuts: AtomicU64,
    open: AtomicUsize,
}

impl Valve {
    fn new(mark: &'static [u8]) -> Arc<Self> {
        Arc::new(Self {
            cut: watch::Sender::new(0),
            mark,
            swallow: AtomicU64::new(0),
            held_until: Mutex::new(None),
            swallowed: AtomicU64::new(0),
            cuts: AtomicU64::new(0),
            open: AtomicUsize::new(0),
        })
    }

    /// Cuts every connection.
    pub fn cut(&self) {
        self.cuts.fetch_add(self.open.load(Ordering::Relaxed) as u64, Ordering::Relaxed);
        self.cut.send_modify(|round| *round += 1);
    }

    /// The answers to the next `count` marked requests vanish, and their connections with them.
    pub fn swallow(&self, count: u64) {
        self.swallow.store(count, Ordering::Relaxed);
    }

    /// Answers are held back for so long.
    pub fn hold(&self, time: Duration) {
        *self.held_until.lock().expect("no holder panics") = Some(Instant::now() + time);
    }

    /// No more faults.
    pub fn calm(&self) {
        self.swallow(0);
        self.hold(Duration::ZERO);
    }

    async fn wait(&self) {
        let until = *self.held_until.lock().expect("no holder panics");
        if let Some(left) = until.and_then(|until| until.checked_duration_since(Instant::now())) {
            tokio::time::sleep(left).await;
        }
    }

    fn takes(&self, request: &[u8]) -> bool {
        request.windows(self.mark.len()).any(|part| part == self.mark)
            && self.swallow.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    async fn relay(&self, client: impl AsyncRead + AsyncWrite, server: impl AsyncRead + AsyncWrite) {
        let mut cut = self.cut.subscribe();
        self.open.fetch_add(1, Ordering::Relaxed);
        let (mut from_client, mut to_client) = tokio::io::split(client);
        let (mut from_server, mut to_server) = tokio::io::split(server);
        let vanishes = AtomicBool::new(false);
        let there = async {
            let mut chunk = vec![0; CHUNK_BYTES];
            loop {
                let read = from_client.read(&mut chunk).await.unwrap_or(0);
                if read == 0 {
                    let _ = to_server.shutdown().await;
                    return;
                }
                if self.takes(&chunk[..read]) {
                    vanishes.store(true, Ordering::Relaxed);
                }
                if to_server.write_all(&chunk[..read]).await.is_err() {
                    return;
                }
            }
        };
        let back = async {
            let mut chunk = vec![0; CHUNK_BYTES];
            loop {
                let read = from_server.read(&mut chunk).await.unwrap_or(0);
                self.wait().await;
                if read == 0 || vanishes.load(Ordering::Relaxed) {
                    self.swallowed.fetch_add(u64::from(read > 0), Ordering::Relaxed);
                    return;
                }
                if to_client.write_all(&chunk[..read]).await.is_err() {
                    return;
                }
            }
        };
        // Whoever ends first ends both: half-open connections prove nothing here.
        tokio::select! {
            () = there => {}
            () = back => {}
            _ = cut.changed() => {}
        }
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Before the bridge: connections go to its instances in turn, to another one if the first does not answer.
pub async fn front(backends: Vec<SocketAddr>) -> anyhow::Result<(SocketAddr, Arc<Valve>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let valve = Valve::new(b"POST /");
    let gate = valve.clone();
    tokio::spawn(async move {
        for turn in 0_usize.. {
            let Ok((client, _)) = listener.accept().await else { continue };
            let (gate, backends) = (gate.clone(), backends.clone());
            tokio::spawn(async move {
                for offset in 0..backends.len() {
                    let to = backends[(turn + offset) % backends.len()];
                    if let Ok(server) = TcpStream::connect(to).await {
                        let _ = (client.set_nodelay(true), server.set_nodelay(true));
                        return gate.relay(client, server).await;
                    }
                }
            });
        }
    });
    Ok((address, valve))
}

/// Before a database: `socket` leads to `server`.
pub fn database(socket: &std::path::Path, server: PathBuf) -> anyhow::Result<Arc<Valve>> {
    let listener = UnixListener::bind(socket)?;
    let valve = Valve::new(b"COMMIT");
    let gate = valve.clone();
    tokio::spawn(async move {
        loop {
            let Ok((client, _)) = listener.accept().await else { continue };
            let (gate, server) = (gate.clone(), server.clone());
            tokio::spawn(async move {
                if let Ok(server) = UnixStream::connect(server).await {
                    gate.relay(client, server).await;
                }
            });
        }
    });
    Ok(valve)
}
