//! Owns: a receiver of webhooks: keeps each request, and answers what it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Posted {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub bytes: Vec<u8>,
    pub body: Value,
}

#[derive(Debug, Default)]
struct State {
    posted: Vec<Posted>,
    /// What the next requests get instead of 204: the whole head of an answer, and its body.
    answers: VecDeque<(String, String)>,
}

/// The receiver.
#[derive(Clone, Debug)]
pub struct Receiver {
    pub port: u16,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let receiver = Self { port, state: Arc::default() };
        let kept = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let receiver = receiver.clone();
                tokio::spawn(async move { receiver.serve(stream).await });
            }
        });
        kept
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn posted(&self) -> Vec<Posted> {
        self.state.lock().expect("no holder panics").posted.clone()
    }

    /// The next request gets this: e.g. `429 Too Many Requests`, with headers `Retry-After: 90`.
    pub fn answer(&self, status: &str, headers: &str, body: &str) {
        let head = format!("HTTP/1.1 {status}\r\n{headers}");
        self.state.lock().expect("no holder panics").answers.push_back((head, body.to_owned()));
    }

    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let mut bytes = Vec::new();
        let end = loop {
            bytes.push(stream.read_u8().await.ok()?);
            if bytes.ends_with(b"\r\n\r\n") {
                break bytes.len();
            }
        };
        let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
        let mut lines = head.lines();
        let path = lines.next()?.split(' ').nth(1)?.to_owned();
        let headers: BTreeMap<String, String> =
            lines.filter_map(|line| line.split_once(": ")).map(|(k, v)| (k.to_lowercase(), v.to_owned())).collect();
        let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
        stream.read_exact(&mut body).await.ok()?;
        let (head, text) = {
            let mut state = self.state.lock().expect("no holder panics");
            let value = serde_json::from_slice(&body).expect("a body of JSON");
            state.posted.push(Posted { path, headers, bytes: body, body: value });
            state.answers.pop_front().unwrap_or_else(|| ("HTTP/1.1 204 No Content\r\n".to_owned(), String::new()))
        };
        let length = if head.contains(" 204 ") { String::new() } else { format!("Content-Length: {}\r\n", text.len()) };
        stream.write_all(format!("{head}{length}Connection: close\r\n\r\n{text}").as_bytes()).await.ok()
    }
}
