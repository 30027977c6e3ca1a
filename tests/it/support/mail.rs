//! Owns: a strict mail server (RFC 5321, STARTTLS of RFC 3207, AUTH of RFC 4954): it takes no mail before encryption and log-in, no bare
//! line feeds and no long lines, and keeps what it took.

use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

pub const USER: &str = "hookbridge@nube.example";
pub const PASSWORD: &str = "a pass word, with ñ";
/// RFC 5321: a line's length with its end.
const LINE_MAX: usize = 1_000;

/// A mail as it came.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub head: String,
    /// Decoded.
    pub body: String,
}

#[derive(Debug, Default)]
struct State {
    mails: Vec<Mail>,
    /// Recipients that do not exist.
    unknown: Vec<String>,
    password: String,
    connections: usize,
}

/// The server.
#[derive(Clone, Debug)]
pub struct MailServer {
    pub port: u16,
    state: Arc<Mutex<State>>,
}

impl MailServer {
    /// With the certificate and key beside `certificate`; `implicit`: encrypted from the first byte.
    pub async fn start(certificate: &Path, implicit: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let state = Arc::new(Mutex::new(State { password: PASSWORD.to_owned(), ..State::default() }));
        let chain = CertificateDer::pem_file_iter(certificate).expect("a file").map(|one| one.expect("a certificate"));
        let key = PrivateKeyDer::from_pem_file(certificate.with_extension("key")).expect("a key");
        let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain.collect(), key);
        let acceptor = TlsAcceptor::from(Arc::new(config.expect("a pair")));
        let server = Self { port, state };
        let kept = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (server, acceptor) = (server.clone(), acceptor.clone());
                tokio::spawn(async move { server.serve(stream, &acceptor, implicit).await });
            }
        });
        kept
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.state().mails.clone()
    }

    pub fn connections(&self) -> usize {
        self.state().connections
    }

    pub fn does_not_know(&self, address: &str) {
        self.state().unknown.push(address.to_owned());
    }

    pub fn change_password(&self, password: &str) {
        password.clone_into(&mut self.state().password);
    }

    async fn serve(&self, stream: TcpStream, acceptor: &TlsAcceptor, implicit: bool) -> Option<()> {
        self.state().connections += 1;
        if implicit {
            let mut stream = acceptor.accept(stream).await.ok()?;
            Session::new(self, true).run(&mut stream, true).await;
            return Some(());
        }
        let mut stream = stream;
        let mut session = Session::new(self, false);
        if session.run(&mut stream, true).await == Next::Encrypt {
            let mut stream = acceptor.accept(stream).await.ok()?;
            // RFC 3207: what was said before is forgotten, and nothing is greeted.
            Session::new(self, true).run(&mut stream, false).await;
        }
        Some(())
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    Encrypt,
    End,
}

struct Session<'a> {
    server: &'a MailServer,
    encrypted: bool,
    greeted: bool,
    known: bool,
    from: Option<String>,
    to: Vec<String>,
}

impl<'a> Session<'a> {
    fn new(server: &'a MailServer, encrypted: bool) -> Self {
        Self { server, encrypted, greeted: false, known: false, from: None, to: Vec::new() }
    }

    async fn run<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S, greet: bool) -> Next {
        if greet {
            say(stream, "220 mail.nube.example ESMTP").await;
        }
        while let Some(line) = line(stream).await {
            let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            let answer = match verb.as_str() {
                "EHLO" => {
                    self.greeted = true;
                    let more = if self.encrypted { "250 AUTH PLAIN LOGIN" } else { "250 STARTTLS" };
                    format!("250-mail.nube.example\r\n250-8BITMIME\r\n{more}")
                }
                "QUIT" => {
                    say(stream, "221 2.0.0 bye").await;
                    return Next::End;
                }
                _ if !self.greeted => "503 5.5.1 say EHLO first".to_owned(),
                "STARTTLS" if !self.encrypted => {
                    say(stream, "220 2.0.0 go ahead").await;
                    return Next::Encrypt;
                }
                _ if !self.encrypted => "530 5.7.0 must issue a STARTTLS command first".to_owned(),
                "NOOP" => "250 2.0.0 ok".to_owned(),
                "AUTH" => self.log_in(stream, &line).await,
                "MAIL" | "RCPT" | "DATA" if !self.known => "530 5.7.0 authentication required".to_owned(),
                "DATA" if !self.to.is_empty() => {
                    say(stream, "354 end with .").await;
                    self.data(stream).await
                }
                "MAIL" => {
                    self.from = address(&line);
                    self.to.clear();
                    "250 2.1.0 ok".to_owned()
                }
                "RCPT" if self.from.is_some() => self.recipient(&line),
                _ => "503 5.5.1 not now".to_owned(),
            };
            say(stream, &answer).await;
        }
        Next::End
    }

    async fn log_in<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S, line: &str) -> String {
        let mut parts = line.split(' ').skip(1);
        if !parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("PLAIN")) {
            return "504 5.5.4 PLAIN alone".to_owned();
        }
        let given = if let Some(given) = parts.next() {
            given.to_owned()
        } else {
            say(stream, "334 ").await;
            self::line(stream).await.unwrap_or_default()
        };
        let password = self.server.state().password.clone();
        self.known = STANDARD.decode(given).is_ok_and(|bytes| bytes == format!("\0{USER}\0{password}").into_bytes());
        if self.known { "235 2.7.0 welcome" } else { "535 5.7.8 user or password is wrong" }.to_owned()
    }

    fn recipient(&mut self, line: &str) -> String {
        match address(line) {
            Some(to) if self.server.state().unknown.contains(&to) => "550 5.1.1 no such user".to_owned(),
            Some(to) => {
                self.to.push(to);
                "250 2.1.5 ok".to_owned()
            }
            None => "501 5.1.3 bad address".to_owned(),
        }
    }

    async fn data<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S) -> String {
        let mut lines: Vec<String> = Vec::new();
        loop {
            match line(stream).await {
                None => return "500 5.5.2 broken".to_owned(),
                Some(one) if one == "." => break,
                Some(one) => lines.push(one.strip_prefix('.').map_or(one.clone(), str::to_owned)),
            }
        }
        let text = lines.join("\r\n");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let (head, from, to) = (head.to_owned(), self.from.take().unwrap_or_default(), std::mem::take(&mut self.to));
        let body = decoded(&head, body);
        self.server.state().mails.push(Mail { from, to, head, body });
        "250 2.0.0 taken".to_owned()
    }
}

/// The body as a reader shows it.
fn decoded(head: &str, body: &str) -> String {
    let encoding = head.lines().find_map(|line| line.strip_prefix("Content-Transfer-Encoding: ")).unwrap_or("7bit");
    match encoding {
        "base64" => {
            let bytes = STANDARD.decode(body.split_whitespace().collect::<String>()).expect("base64");
            String::from_utf8(bytes).expect("UTF-8")
        }
        "quoted-printable" => {
            let mut bytes = Vec::new();
            let joined = body.replace("=\r\n", "");
            let mut rest = joined.as_str();
            while let Some((before, after)) = rest.split_once('=') {
                bytes.extend_from_slice(before.as_bytes());
                bytes.push(u8::from_str_radix(&after[..2], 16).expect("two hex digits"));
                rest = &after[2..];
            }
            bytes.extend_from_slice(rest.as_bytes());
            String::from_utf8(bytes).expect("UTF-8")
        }
        _ => body.to_owned(),
    }
}

fn address(line: &str) -> Option<String> {
    Some(line.split_once('<')?.1.split_once('>')?.0.to_owned())
}

async fn say<S: AsyncWrite + Unpin>(stream: &mut S, text: &str) {
    let _ = stream.write_all(format!("{text}\r\n").as_bytes()).await;
    let _ = stream.flush().await;
}

/// A line without its end; byte by byte, so that nothing of what comes after STARTTLS is taken.
async fn line<S: AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let byte = stream.read_u8().await.ok()?;
        if byte == b'\n' {
            assert_eq!(bytes.pop(), Some(b'\r'), "a bare line feed");
            return String::from_utf8(bytes).ok();
        }
        bytes.push(byte);
        assert!(bytes.len() < LINE_MAX, "a line that is too long");
    }
}
