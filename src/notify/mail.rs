//! Owns: e-mail by SMTP. Always encrypted, except to this machine; each recipient by itself, so that one bad address does not keep
//! the others from theirs.

use std::time::{Duration, SystemTime};

use lettre::address::Address;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use secrecy::ExposeSecret as _;

use super::{Failure, Letter};
use crate::config::notify::EmailConfig;
use crate::config::section::is_empty;
use crate::domain::text::with_causes;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// A mail takes several steps, each within `timeout_s`; all of them within so many times that.
const STEPS: u32 = 3;

/// RFC 3834: no machine is to answer this.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

pub(super) async fn send(config: &EmailConfig, letter: &Letter) -> Result<(), Failure> {
    let transport = transport(config)?;
    let patience = Duration::from_secs(config.timeout_s) * STEPS;
    let mut failed = Vec::new();
    for to in &config.to {
        let message = message(config, to, letter)?;
        let sent = tokio::time::timeout(patience, transport.send(message)).await;
        match sent {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => failed.push(format!("{to}: {}", with_causes(&error))),
            Err(_) => failed.push(format!("{to}: the mail server does not answer in time")),
        }
    }
    match failed.as_slice() {
        [] => Ok(()),
        all => Err(Failure { partly: all.len() < config.to.len(), ..Failure::new(all.join("; ")) }),
    }
}

pub(super) async fn knock(config: &EmailConfig) -> Result<(), Failure> {
    let transport = transport(config)?;
    let patience = Duration::from_secs(config.timeout_s) * STEPS;
    match tokio::time::timeout(patience, transport.test_connection()).await {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err(Failure::new("the mail server does not go on")),
        Ok(Err(error)) => Err(Failure::new(with_causes(&error))),
        Err(_) => Err(Failure::new("the mail server does not answer in time")),
    }
}

fn transport(config: &EmailConfig) -> Result<Transport, Failure> {
    let bad = |what: &str| Failure::new(format!("`notify.email.{what}` cannot be used"));
    let tls = || -> Result<TlsParameters, Failure> {
        let mut tls = TlsParameters::builder(config.host.clone());
        for pem in certificates(&config.ca) {
            tls = tls.add_root_certificate(Certificate::from_pem(pem.as_bytes()).map_err(|_| bad("ca"))?);
        }
        tls.build_rustls().map_err(|error| Failure::new(with_causes(&error)))
    };
    let mut builder = Transport::builder_dangerous(&config.host).port(config.port).tls(match config.tls.as_str() {
        "none" => Tls::None,
        "tls" => Tls::Wrapper(tls()?),
        _ => Tls::Required(tls()?),
    });
    if let Some((_, domain)) = config.from.split_once('@') {
        builder = builder.hello_name(ClientId::Domain(domain.to_owned()));
    }
    if !is_empty(&config.password) {
        let password = config.password.expose_secret().to_owned();
        builder = builder.credentials(Credentials::new(config.user.clone(), password));
    }
    Ok(builder.timeout(Some(Duration::from_secs(config.timeout_s))).build())
}

/// The certificates of a PEM text, one by one.
fn certificates(pem: &str) -> impl Iterator<Item = String> + '_ {
    const END: &str = "-----END CERTIFICATE-----";
    pem.split_inclusive(END).filter(|part| part.contains(END)).map(str::to_owned)
}

fn message(config: &EmailConfig, to: &str, letter: &Letter) -> Result<Message, Failure> {
    let address = |text: &str| text.parse::<Address>().map_err(|_| Failure::new(format!("`{text}` is no address")));
    let from = address(&config.from)?;
    let id = format!("<{}@{}>", letter.id, from.domain());
    Message::builder()
        .from(Mailbox::new(Some("hookbridge".to_owned()), from))
        .to(Mailbox::new(None, address(to)?))
        .subject(&letter.subject)
        .message_id(Some(id))
        .date(SystemTime::from(letter.at))
        .header(AutoSubmitted)
        .header(ContentType::TEXT_PLAIN)
        .body(letter.text.clone())
        .map_err(|error| Failure::new(format!("the mail cannot be written: {error}")))
}
