//! A scripted provider on a real socket: it knows HTTP just enough to read a request and then do what the test says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use hookbridge::domain::hookpoint::{Class, HookpointId, Subject, SubjectKind};
use hookbridge::domain::ids::{ClientId, EventId, MessageId};
use hookbridge::domain::locale::Locale;
use hookbridge::domain::message::{Message, Parameters, TemplateCall};
use hookbridge::domain::phone::E164;
use hookbridge::whatsapp::{CloudApi, CloudApiSettings, Gateway};
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use uuid::Uuid;

/// Looks like a real token; must never be seen again.
pub const TOKEN: &str = "EAAGcanaryZCpsBAKZCtoken9xYzSecret";
/// Must never be seen again outside the request.
pub const PHONE: &str = "+5491123456789";
pub const PHONE_NUMBER_ID: &str = "106540352242922";

/// What the provider does with a request.
pub enum Act {
    /// Answers and keeps the connection.
    Answer(u16, &'static str, String),
    /// Writes these bytes and closes.
    Raw(String),
    /// Closes without an answer.
    Close,
    /// Cuts the connection without reading the request.
    Reset,
    /// Never answers.
    Silence,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub head: String,
    pub body: String,
}

/// The provider; stops when it is dropped.
pub struct Provider {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    connections: Arc<Mutex<usize>>,
    task: JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Provider {
    /// A provider that does what `script` says for each request; `Reset` is asked for with an empty request.
    pub async fn start(script: impl Fn(&Request) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (requests, connections) = (Arc::<Mutex<Vec<Request>>>::default(), Arc::<Mutex<usize>>::default());
        let (script, seen, counted) = (Arc::new(script), Arc::clone(&requests), Arc::clone(&connections));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                *counted.lock().expect("a count") += 1;
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&seen)));
            }
        });
        Self { address, requests, connections, task }
    }

    pub async fn always(act: fn() -> Act) -> Self {
        Self::start(move |_| act()).await
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("the requests").clone()
    }

    pub fn connections(&self) -> usize {
        *self.connections.lock().expect("a count")
    }

    pub fn settings(&self) -> CloudApiSettings {
        settings(&format!("http://{}", self.address))
    }

    pub fn api(&self) -> CloudApi {
        api(self.settings())
    }

    pub fn gateway(&self) -> Gateway {
        Gateway::CloudApi(self.api())
    }
}

async fn serve<F: Fn(&Request) -> Act>(mut stream: TcpStream, script: Arc<F>, seen: Arc<Mutex<Vec<Request>>>) {
    stream.readable().await.expect("a request");
    let nothing = Request { head: String::new(), body: String::new() };
    if matches!(script(&nothing), Act::Reset) {
        return stream.set_zero_linger().expect("a reset");
    }
    while let Some(request) = read(&mut stream).await {
        let act = script(&request);
        seen.lock().expect("the requests").push(request);
        match act {
            Act::Answer(status, headers, body) => {
                let length = body.len();
                let answer = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}");
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
            Act::Raw(bytes) => {
                let _ = stream.write_all(bytes.as_bytes()).await;
                return;
            }
            Act::Close | Act::Reset => return,
            Act::Silence => std::future::pending().await,
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let whole = end + 4 + length.unwrap_or(0);
            if bytes.len() >= whole {
                let body = String::from_utf8_lossy(&bytes[end + 4..whole]).into_owned();
                return Some(Request { head, body });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// Settings with generous times: only the tests about timeouts shorten them.
pub fn settings(base_url: &str) -> CloudApiSettings {
    CloudApiSettings {
        lane: "main".to_owned(),
        base_url: base_url.to_owned(),
        version: "v23.0".to_owned(),
        phone_number_id: PHONE_NUMBER_ID.to_owned(),
        token: SecretString::from(TOKEN),
        proxy: None,
        timeout: Duration::from_secs(30),
        connect_timeout: Duration::from_secs(20),
        idle_timeout: Duration::from_secs(20),
    }
}

pub fn api(settings: CloudApiSettings) -> CloudApi {
    install_tls();
    CloudApi::new(settings).expect("a client")
}

pub fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another room's tests may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

pub fn message(parameters: Parameters, button: Option<&str>) -> Message {
    Message {
        id: MessageId(Uuid::from_u128(0x0192_f0c1_8a7e_7c3a_b1d2_4f6e_8a9b_0c1d)),
        event_id: EventId::parse("evt-7").expect("an id"),
        hookpoint: HookpointId::parse("invoice_created").expect("an id"),
        subject: Subject { kind: SubjectKind::Invoice, id: 7 },
        client_id: ClientId(7),
        contact_id: None,
        user_id: None,
        to: E164::trusted(PHONE).expect("a number"),
        locale: Locale::EsAr,
        class: Class::Status,
        lane: "main".to_owned(),
        call: TemplateCall {
            name: "invoice_created".to_owned(),
            language: "es_AR".to_owned(),
            parameters,
            button: button.map(str::to_owned),
        },
        free_form: None,
        text: "Hola Ana".to_owned(),
        wait: None,
        print: hookbridge::domain::message::Print::default(),
        queued_at: Timestamp::UNIX_EPOCH,
        expires_at: Timestamp::UNIX_EPOCH,
    }
}

pub fn positional(values: &[&str]) -> Parameters {
    Parameters::Positional(values.iter().map(|value| (*value).to_owned()).collect())
}

/// A plain message.
pub fn hello() -> Message {
    message(positional(&["Ana"]), None)
}

pub fn accepted(id: &str) -> String {
    serde_json::json!({
        "messaging_product": "whatsapp",
        "contacts": [{"input": PHONE, "wa_id": "5491123456789"}],
        "messages": [{"id": id, "message_status": "accepted"}],
    })
    .to_string()
}
