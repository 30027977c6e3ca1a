//! Owns: the load: kept-alive connections that each post signed events one after the other. Its own few lines of HTTP,
//! because a whole client would cost more than the servers it measures.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hookbridge::clock::Clock;
use hookbridge::demo::stage::SOURCE;
use hookbridge::signature::Key;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Not counted, before each round: connections open, caches warm.
const WARM_UP: Duration = Duration::from_millis(300);

/// What is posted.
#[derive(Clone, Debug)]
pub struct Post {
    pub key: Key,
    pub body: Arc<String>,
    pub clock: Clock,
    /// Makes ids that nothing else has.
    pub serial: Arc<AtomicU64>,
}

/// Answers of a round.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    pub answers: u64,
    pub seconds: f64,
    /// With those of the warm-up.
    pub all: u64,
}

impl Count {
    pub fn per_second(self) -> f64 {
        self.answers as f64 / self.seconds
    }

    pub fn add(&mut self, other: Self) {
        self.answers += other.answers;
        self.seconds += other.seconds;
        self.all += other.all;
    }
}

/// Posts over `connections` for `time`. Every answer must be 202.
pub async fn round(to: SocketAddr, connections: usize, time: Duration, post: &Post) -> anyhow::Result<Count> {
    let answers = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let mut all = JoinSet::new();
    for _ in 0..connections {
        let mut stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        let (post, answers, over) = (post.clone(), answers.clone(), over.clone());
        all.spawn(async move {
            let mut buffer = Vec::with_capacity(2_048);
            while !over.load(Ordering::Relaxed) {
                one(&mut stream, &mut buffer, &post).await?;
                answers.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    tokio::time::sleep(WARM_UP).await;
    let (from, started) = (answers.load(Ordering::Relaxed), Instant::now());
    tokio::time::sleep(time).await;
    let (to, seconds) = (answers.load(Ordering::Relaxed), started.elapsed().as_secs_f64());
    over.store(true, Ordering::Relaxed);
    while let Some(ended) = all.join_next().await {
        ended??;
    }
    Ok(Count { answers: to - from, seconds, all: answers.load(Ordering::Relaxed) })
}

async fn one(stream: &mut TcpStream, buffer: &mut Vec<u8>, post: &Post) -> anyhow::Result<()> {
    exchange(stream, buffer, post, "/v1/events", 202).await
}

/// One signed request to `path`, and its answer into `buffer`; the status must be `status`.
pub async fn exchange(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    post: &Post,
    path: &str,
    status: u16,
) -> anyhow::Result<()> {
    let id = format!("load-{}", post.serial.fetch_add(1, Ordering::Relaxed));
    let timestamp = post.clock.now().as_second().to_string();
    let body = post.body.as_str();
    let signature = post.key.sign(&id, &timestamp, body.as_bytes());
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\nhookbridge-source: {SOURCE}\r\n\
         webhook-id: {id}\r\nwebhook-timestamp: {timestamp}\r\nwebhook-signature: {signature}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    buffer.clear();
    let mut whole = None;
    while whole.is_none_or(|whole| buffer.len() < whole) {
        ensure!(stream.read_buf(buffer).await? > 0, "the server hung up");
        if whole.is_none()
            && let Some(head) = buffer.windows(4).position(|four| four == b"\r\n\r\n")
        {
            whole = Some(head + 4 + content_length(&buffer[..head])?);
        }
    }
    ensure!(
        buffer.starts_with(format!("HTTP/1.1 {status}").as_bytes()),
        "not taken: {}",
        String::from_utf8_lossy(buffer)
    );
    Ok(())
}

fn content_length(head: &[u8]) -> anyhow::Result<usize> {
    let head = std::str::from_utf8(head)?;
    let line = head.lines().find_map(|line| line.strip_prefix("content-length: ")).context("a length")?;
    Ok(line.trim().parse()?)
}
