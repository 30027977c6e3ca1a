//! Owns: accepting connections, with a limit on each: how many, how slow, how large, how long at the end. Must not know:
//! routes.
//! Why not `warp::serve`: it gives hyper no timer, counts no connections and waits without end when it stops.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{HeaderMap, HeaderValue, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use warp::Reply;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::connection_limit::{ConnectionLimit, Slot, SlotGuard};
use super::problem::Problem;
use crate::metrics::Metrics;
use crate::tasks::{Panicked, Task, caught};

/// Smallest buffer that hyper takes for a request's head, in bytes.
pub const HEADER_BYTES_MIN: usize = 8_192;
/// File descriptors for what is no connection: logs, sockets of the runtime, files being read.
const DESCRIPTORS: usize = 64;
/// Pause after a failed `accept`, so that a process out of file descriptors does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// What a server bears before it closes a connection.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections open at once. A new one takes the place of the one that has let us wait the longest.
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
    /// Whether browsers reach us over TLS in any case, so that HSTS may forbid them to come without. If not, a web server on
    /// this machine says it of each request (`X-Forwarded-Proto`).
    pub behind_tls: bool,
    /// Where the panics of requests are counted.
    pub metrics: Arc<Metrics>,
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
            behind_tls: false,
            metrics: Arc::default(),
        }
    }
}

/// Files and connections that this process may have open, where the system says so.
#[must_use]
pub fn descriptors_max() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// As many connections as are `wanted`, but only so many that `outgoing` ones keep their file descriptors.
#[must_use]
pub fn connections_within(wanted: usize, outgoing: usize) -> usize {
    let room = descriptors_max().map_or(usize::MAX, |max| max.saturating_sub(outgoing + DESCRIPTORS).max(1));
    if room < wanted {
        tracing::warn!(wanted, room, "the limit of open files allows fewer connections than `server.connections_max`");
    }
    wanted.min(room)
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
    let (http, metrics) = (builder(&limits), limits.metrics.clone());
    let admitted = ConnectionLimit::new(limits.connections_max);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        while connections.try_join_next().is_some() {}
        let next = async {
            let accepted = listener.accept().await?;
            // One that has no place yet is the only one: the others wait in the kernel's backlog.
            let hangup = Hangup::default();
            let place = admitted.slot(hangup.0.clone()).await;
            Ok::<_, std::io::Error>((accepted, place, hangup))
        };
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            next = next => next,
        };
        match accepted {
            Ok(((stream, peer), place, hangup)) => {
                let client =
                    Client { peer: Peer(peer), hangup, place, behind_tls: limits.behind_tls, metrics: metrics.clone() };
                connections.spawn(converse(stream, client, http.clone(), filter.clone(), graceful.watcher()));
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

/// Whether the web server before us took the request over TLS: believed on this machine alone, and only the value it set last.
fn says_tls(peer: Peer, headers: &HeaderMap) -> bool {
    let last = headers.get_all("x-forwarded-proto").iter().next_back().and_then(|line| line.to_str().ok());
    let last = last.and_then(|line| line.rsplit(',').next());
    peer.0.ip().is_loopback() && last.is_some_and(|value| value.trim().eq_ignore_ascii_case("https"))
}

/// What every answer carries, of whatever route. A year: what is given out once must stay true.
fn guard(headers: &mut HeaderMap, over_tls: bool) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if over_tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// One connection, as the server sees it.
struct Client {
    peer: Peer,
    hangup: Hangup,
    place: SlotGuard,
    behind_tls: bool,
    metrics: Arc<Metrics>,
}

async fn converse(
    stream: TcpStream,
    client: Client,
    http: http1::Builder,
    filter: BoxedFilter<(Response,)>,
    watcher: Watcher,
) {
    // Answers are small and final: waiting to fill a packet only adds delay.
    let _ = stream.set_nodelay(true);
    let routes = TowerToHyperService::new(warp::service(filter));
    let Client { peer, hangup, place, behind_tls, metrics } = client;
    let asked = hangup.clone();
    let failed = |panicked: &Panicked| {
        metrics.panicked(Task::Server, panicked);
        Problem::new(500, "internal-fault", "The bridge's own code failed on this request; its log says where.")
            .response()
    };
    let answer = service_fn(|mut request: Request<Incoming>| {
        let (routes, slot) = (routes.clone(), place.slot.clone());
        request.extensions_mut().insert(peer);
        request.extensions_mut().insert(hangup.clone());
        async move {
            // `CONNECT host:80` has no path, and warp 0.4.3 panics when a filter looks at it.
            if request.uri().path_and_query().is_none() {
                return Ok::<_, Infallible>(StatusCode::BAD_REQUEST.into_response());
            }
            let over_tls = behind_tls || says_tls(peer, request.headers());
            let answer = caught(routes.call(request.map(|body| Arriving::new(body, slot.clone())))).await;
            slot.wait();
            let mut answer = answer.unwrap_or_else(|panicked| Ok(failed(&panicked)));
            if let Ok(answer) = &mut answer {
                guard(answer.headers_mut(), over_tls);
            }
            answer
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

/// A body on its way. Until it is whole, we wait for the client; from then on the client waits for us.
struct Arriving {
    body: Incoming,
    slot: Arc<Slot>,
}

impl Arriving {
    fn new(body: Incoming, slot: Arc<Slot>) -> Self {
        if body.is_end_stream() {
            slot.work();
        } else {
            slot.wait();
        }
        Self { body, slot }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || self.body.is_end_stream() {
            self.slot.work();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
    async fn a_newcomer_takes_the_place_of_the_one_that_let_us_wait_the_longest() {
        let limits = Limits { connections_max: 2, header_timeout: Duration::from_secs(30), ..tight() };
        let served = start(limits, hello()).await;
        let mut silent = TcpStream::connect(served.addr).await.unwrap();
        let mut kept = TcpStream::connect(served.addr).await.unwrap();
        kept.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut seen = [0; 12];
        kept.read_exact(&mut seen).await.unwrap();
        assert_eq!(&seen, b"HTTP/1.1 200");
        assert!(ask(served.addr, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.contains("200"));
        let mut rest = Vec::new();
        assert_eq!(silent.read_to_end(&mut rest).await.unwrap_or(0), 0, "the silent one was closed");
        kept.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        kept.read_to_end(&mut rest).await.unwrap();
        assert!(String::from_utf8_lossy(&rest).contains("HTTP/1.1 200"), "the other is still served");
    }

    #[tokio::test]
    async fn whoever_waits_for_us_keeps_his_place() {
        let limits = Limits { connections_max: 1, ..tight() };
        let asked = Arc::new(Notify::new());
        let hangup = asked.clone();
        let filter = warp::any()
            .then(move || {
                hangup.notify_one();
                std::future::pending::<Response>()
            })
            .boxed();
        let served = start(limits, filter).await;
        let mut first = TcpStream::connect(served.addr).await.unwrap();
        first.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        asked.notified().await;
        let second = ask(served.addr, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(tokio::time::timeout(Duration::from_millis(400), second).await.is_err(), "the second must wait");
        let mut byte = [0];
        let open = tokio::time::timeout(Duration::from_millis(20), first.read(&mut byte)).await;
        assert!(open.is_err(), "the first is still open");
    }

    #[tokio::test]
    async fn a_body_that_trickles_makes_room_like_an_idle_connection() {
        let limits = Limits { connections_max: 1, ..tight() };
        let filter = warp::body::stream()
            .then(|body| async move {
                let read = crate::http::body::read_body(body, None, 64, Duration::from_secs(30)).await;
                read.map_or(StatusCode::BAD_REQUEST, |_| StatusCode::OK).into_response()
            })
            .boxed();
        let served = start(limits, filter).await;
        let mut slow = TcpStream::connect(served.addr).await.unwrap();
        slow.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab").await.unwrap();
        let honest = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab";
        assert!(ask(served.addr, honest).await.contains("200"));
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
                match crate::http::body::read_body(body, None, 8, Duration::from_secs(5)).await {
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
}
