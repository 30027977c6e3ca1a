//! Owns: accepting connections and reading bodies, with a limit on each: how many, how slow, how large, how long at
//! the end. Must not know: routes.
//! Why not `warp::serve`: it gives hyper no timer, counts no connections and waits without end when it stops.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use warp::Reply;
use warp::filters::BoxedFilter;
use warp::reply::Response;

/// Smallest buffer that hyper takes for a request's head, in bytes.
pub const HEADER_BYTES_MIN: usize = 8_192;
/// Pause after a failed `accept`, so that a process out of file descriptors does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// What a server bears before it closes a connection.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections open at once; more wait in the kernel's backlog.
    pub connections_max: usize,
    /// Time for a request's whole head. An idle kept-alive connection is closed after it, too.
    pub header_timeout: Duration,
    /// Bytes of a request's head; never less than [`HEADER_BYTES_MIN`]. More is answered with 431.
    pub header_bytes_max: usize,
    /// Header lines of one request. More are answered with 431.
    pub headers_max: usize,
    /// Whether a connection may carry more than one request.
    pub keep_alive: bool,
    /// Time that open requests get to finish after the stop; then their connections are cut.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 512,
            header_timeout: Duration::from_secs(10),
            header_bytes_max: 16 * 1024,
            headers_max: 64,
            keep_alive: true,
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// Who opened the connection. In each request's extensions: read it by `warp::ext::get::<Peer>()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Closes the connection of a request without an answer. In each request's extensions, for servers that play a fault.
#[derive(Clone, Debug, Default)]
pub struct Hangup(Arc<Notify>);

impl Hangup {
    /// Cuts the connection. The handler that calls this is dropped at its next `await`.
    pub fn cut(&self) {
        self.0.notify_one();
    }
}

/// Serves `filter` on `listener` until `stop` is ready and the open requests are answered or out of time.
///
/// # Panics
/// When called outside a tokio runtime.
pub async fn serve(
    listener: TcpListener,
    filter: BoxedFilter<(Response,)>,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    let http = builder(&limits);
    let slots = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        while connections.try_join_next().is_some() {}
        // The slot comes first: a connection that was accepted without one would hold memory while it waits.
        let next = async {
            let slot = slots.clone().acquire_owned().await.expect("nobody closes the semaphore");
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            biased;
            () = &mut stop => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, peer)) => {
                let talk = converse(stream, Peer(peer), http.clone(), filter.clone(), graceful.watcher());
                connections.spawn(async move {
                    talk.await;
                    drop(slot);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(limits.drain_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!(connections = connections.len(), "cut off what was still open at the end of the drain time");
        connections.shutdown().await;
    }
}

fn builder(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_buf_size(limits.header_bytes_max.max(HEADER_BYTES_MIN))
        .max_headers(limits.headers_max)
        .keep_alive(limits.keep_alive);
    http
}

async fn converse(
    stream: TcpStream,
    peer: Peer,
    http: http1::Builder,
    filter: BoxedFilter<(Response,)>,
    watcher: Watcher,
) {
    // Answers are small and final: waiting to fill a packet only adds delay.
    let _ = stream.set_nodelay(true);
    let routes = TowerToHyperService::new(warp::service(filter));
    let hangup = Hangup::default();
    let asked = hangup.clone();
    let answer = service_fn(move |mut request: Request<Incoming>| {
        let routes = routes.clone();
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(hangup.clone());
        async move {
            // `CONNECT host:80` has no path, and warp 0.4.3 panics when a filter looks at it.
            if request.uri().path_and_query().is_none() {
                return Ok::<_, Infallible>(StatusCode::BAD_REQUEST.into_response());
            }
            routes.call(request).await
        }
    });
    let connection = watcher.watch(http.serve_connection(TokioIo::new(stream), answer));
    tokio::select! {
        result = connection => if let Err(error) = result {
            tracing::debug!(%error, "a connection ended early");
        },
        () = asked.0.notified() => {}
    }
}

/// Why a body was not read.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum BodyError {
    #[error("the body is larger than allowed")]
    TooLarge,
    #[error("the body did not arrive in time")]
    Timeout,
    #[error("the connection broke while the body was read")]
    Broken,
}

/// Reads a whole body of at most `bytes_max` bytes within `timeout`, whether or not it announces its length.
/// warp's own limit only looks at `content-length`, which a chunked body does not have.
///
/// # Errors
/// [`BodyError`]. What was read is thrown away.
pub async fn read_body<B: Buf, E>(
    stream: impl Stream<Item = Result<B, E>>,
    content_length: Option<u64>,
    bytes_max: usize,
    timeout: Duration,
) -> Result<Bytes, BodyError> {
    let announced = content_length.unwrap_or(0);
    if announced > bytes_max as u64 {
        return Err(BodyError::TooLarge);
    }
    let gather = async {
        let mut stream = pin!(stream);
        let mut whole = BytesMut::with_capacity(usize::try_from(announced).unwrap_or(0));
        while let Some(chunk) = stream.next().await {
            let mut chunk = chunk.map_err(|_| BodyError::Broken)?;
            if chunk.remaining() > bytes_max - whole.len() {
                return Err(BodyError::TooLarge);
            }
            while chunk.has_remaining() {
                let part = chunk.chunk();
                whole.extend_from_slice(part);
                let read = part.len();
                chunk.advance(read);
            }
        }
        Ok(whole.freeze())
    };
    tokio::time::timeout(timeout, gather).await.unwrap_or(Err(BodyError::Timeout))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;
    use warp::Filter;

    struct Served {
        addr: SocketAddr,
        stop: oneshot::Sender<()>,
        task: JoinHandle<()>,
    }

    fn tight() -> Limits {
        Limits {
            connections_max: 4,
            header_timeout: Duration::from_millis(80),
            header_bytes_max: HEADER_BYTES_MIN,
            drain_timeout: Duration::from_millis(80),
            ..Limits::default()
        }
    }

    async fn start(limits: Limits, filter: BoxedFilter<(Response,)>) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, filter, limits, async {
            let _ = stopped.await;
        }));
        Served { addr, stop, task }
    }

    fn hello() -> BoxedFilter<(Response,)> {
        warp::path::full().map(|_| "hello".into_response()).boxed()
    }

    fn never() -> BoxedFilter<(Response,)> {
        warp::any().then(std::future::pending::<Response>).boxed()
    }

    /// Sends `text`, then reads until the server closes.
    async fn ask(addr: SocketAddr, text: &str) -> String {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn a_request_is_answered_and_knows_its_peer() {
        let filter = warp::ext::get::<Peer>().map(|peer: Peer| peer.0.ip().to_string().into_response()).boxed();
        let served = start(tight(), filter).await;
        let answer = ask(served.addr, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("127.0.0.1"), "{answer}");
    }

    #[tokio::test]
    async fn a_slow_header_is_closed() {
        let served = start(tight(), hello()).await;
        let answer = ask(served.addr, "GET / HTTP/1.1\r\nHost:").await;
        assert!(!answer.contains("200"), "{answer}");
    }

    #[tokio::test]
    async fn connections_over_the_limit_wait_for_a_slot() {
        let limits = Limits { connections_max: 1, header_timeout: Duration::from_secs(30), ..tight() };
        let served = start(limits, hello()).await;
        let mut first = TcpStream::connect(served.addr).await.unwrap();
        first.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut seen = [0; 12];
        first.read_exact(&mut seen).await.unwrap();
        assert_eq!(&seen, b"HTTP/1.1 200");
        let second = ask(served.addr, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let mut second = pin!(second);
        let early = tokio::time::timeout(Duration::from_millis(80), &mut second).await;
        assert!(early.is_err(), "the second connection must wait");
        drop(first);
        assert!(second.await.contains("200"));
    }

    #[tokio::test]
    async fn what_is_open_at_the_end_of_the_drain_time_is_cut() {
        let served = start(tight(), never()).await;
        let mut stream = TcpStream::connect(served.addr).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        served.stop.send(()).unwrap();
        served.task.await.unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty());
    }

    #[tokio::test]
    async fn a_connect_request_gets_400_and_the_server_lives() {
        let served = start(tight(), hello()).await;
        let answer = ask(served.addr, "CONNECT x:80 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        let answer = ask(served.addr, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    #[tokio::test]
    async fn big_and_numerous_headers_are_refused() {
        let served = start(tight(), hello()).await;
        let big = "x".repeat(HEADER_BYTES_MIN + 1);
        let answer = ask(served.addr, &format!("GET / HTTP/1.1\r\nHost: x\r\nBig: {big}\r\n\r\n")).await;
        assert!(!answer.contains(" 200 "), "{answer}");
        let many = "A: b\r\n".repeat(65);
        let answer = ask(served.addr, &format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }

    #[tokio::test]
    async fn a_hangup_closes_without_an_answer() {
        let filter = warp::ext::get::<Hangup>()
            .then(|hangup: Hangup| async move {
                hangup.cut();
                std::future::pending::<Response>().await
            })
            .boxed();
        let served = start(tight(), filter).await;
        assert_eq!(ask(served.addr, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await, "");
    }

    #[tokio::test]
    async fn a_chunked_body_over_the_limit_is_refused() {
        let filter = warp::body::stream()
            .then(|body| async move {
                match read_body(body, None, 8, Duration::from_secs(5)).await {
                    Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned().into_response(),
                    Err(error) => {
                        warp::reply::with_status(error.to_string(), StatusCode::PAYLOAD_TOO_LARGE).into_response()
                    }
                }
            })
            .boxed();
        let served = start(tight(), filter).await;
        let head = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
        let small = ask(served.addr, &format!("{head}4\r\nabcd\r\n4\r\nefgh\r\n0\r\n\r\n")).await;
        assert!(small.contains("200") && small.contains("abcdefgh"), "{small}");
        let large = ask(served.addr, &format!("{head}4\r\nabcd\r\n5\r\nefghi\r\n0\r\n\r\n")).await;
        assert!(large.starts_with("HTTP/1.1 413"), "{large}");
    }

    #[tokio::test]
    async fn a_body_that_never_ends_times_out_and_an_announced_giant_is_not_read() {
        let slow = stream::pending::<Result<Bytes, Infallible>>();
        let error = read_body(slow, None, 8, Duration::from_millis(10)).await.unwrap_err();
        assert_eq!(error, BodyError::Timeout);
        let unread = stream::pending::<Result<Bytes, Infallible>>();
        let error = read_body(unread, Some(9), 8, Duration::from_mins(1)).await.unwrap_err();
        assert_eq!(error, BodyError::TooLarge);
        let broken = stream::iter([Ok(Bytes::from_static(b"ab")), Err(())]);
        assert_eq!(read_body(broken, None, 8, Duration::from_secs(1)).await.unwrap_err(), BodyError::Broken);
    }
}
