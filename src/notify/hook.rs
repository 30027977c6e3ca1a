//! Owns: notices by webhook: plain JSON, signed like everything of ours (Standard Webhooks), or what chats take.
//!
//! Slack: `{"text": …}`, where `&`, `<` and `>` are escaped, so that nobody is called by a `<!channel>` in a text. Mattermost: the same
//! field, plain Markdown, where `@all` calls everybody. Discord: `{"content": …}` of at most 2,000 characters, and `allowed_mentions`.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{Failure, Letter};
use crate::config::notify::WebhookConfig;
use crate::domain::text::with_causes;
use crate::signature::Key;

const DISCORD_CHARS_MAX: usize = 2_000;
const CHAT_CHARS_MAX: usize = 4_000;
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 4_096;
/// Characters of an answer that are shown.
const ANSWER_CHARS_MAX: usize = 120;
/// A receiver may ask for so much patience at most.
const AFTER_MAX: Duration = Duration::from_hours(6);

pub(super) async fn post(config: &WebhookConfig, letter: &Letter) -> Result<(), Failure> {
    let client = Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .timeout(Duration::from_secs(config.timeout_s))
        .build()
        .map_err(|error| Failure::new(format!("the HTTP client cannot be built: {}", with_causes(&error))))?;
    let body = body(&config.shape, letter).to_string().into_bytes();
    let request = client
        .post(config.url.expose_secret())
        .header("content-type", "application/json")
        .header("user-agent", concat!("hookbridge/", env!("CARGO_PKG_VERSION")));
    let request = signed(request, config, letter, &body)?.body(body);
    // The address may be a secret.
    let mut response = request.send().await.map_err(|error| Failure::new(with_causes(&error.without_url())))?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let after = after.map(Duration::from_secs).map(|after: Duration| after.min(AFTER_MAX));
    let said = said(&mut response).await;
    Err(Failure { after, ..Failure::new(format!("HTTP {}{said}", status.as_u16())) })
}

/// The header of a body that programs read; chats have no use for it.
fn signed(
    request: RequestBuilder,
    config: &WebhookConfig,
    letter: &Letter,
    body: &[u8],
) -> Result<RequestBuilder, Failure> {
    if config.shape != "json" {
        return Ok(request);
    }
    let key = Key::parse(&config.secret).map_err(|error| Failure::new(format!("`notify.webhook.secret`: {error}")))?;
    let (id, timestamp) = (format!("msg_{}", letter.id), letter.at.as_second().to_string());
    let signature = key.sign(&id, &timestamp, body);
    Ok(request.header("webhook-id", id).header("webhook-timestamp", timestamp).header("webhook-signature", signature))
}

fn body(shape: &str, letter: &Letter) -> Value {
    let text = format!("{}\n\n{}", letter.subject, letter.text);
    match shape {
        "slack" => {
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            json!({ "text": cut(&text, CHAT_CHARS_MAX), "unfurl_links": false })
        }
        "mattermost" => json!({ "text": cut(&text.replace('@', "@\u{200b}"), CHAT_CHARS_MAX) }),
        "discord" => json!({ "content": cut(&text, DISCORD_CHARS_MAX), "allowed_mentions": { "parse": [] } }),
        _ => letter.json.clone(),
    }
}

fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max - 1).chain(['…']).collect()
}

/// The first words of an answer, as one line.
async fn said(response: &mut Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER_BYTES_MAX
        && let Ok(Some(chunk)) = response.chunk().await
    {
        bytes.extend_from_slice(&chunk);
    }
    let text = String::from_utf8_lossy(&bytes);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() || line.starts_with('<') { String::new() } else { format!(": {}", cut(&line, ANSWER_CHARS_MAX)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_called_by_what_a_text_holds_and_no_chat_gets_more_than_it_takes() {
        let letter = Letter {
            id: uuid::Uuid::nil(),
            at: jiff::Timestamp::UNIX_EPOCH,
            subject: "a & b".to_owned(),
            text: format!("<!channel> @all {}", "é".repeat(5_000)),
            line: String::new(),
            json: json!({ "type": "test" }),
        };
        let slack = body("slack", &letter)["text"].as_str().expect("a text").to_owned();
        assert!(slack.starts_with("a &amp; b\n\n&lt;!channel&gt;") && slack.chars().count() == 4_000);
        assert!(!body("mattermost", &letter).to_string().contains("@all"));
        let discord = body("discord", &letter);
        assert_eq!(discord["content"].as_str().map(|text| text.chars().count()), Some(2_000));
        assert_eq!(discord["allowed_mentions"], json!({ "parse": [] }));
        assert_eq!(body("json", &letter), json!({ "type": "test" }));
    }
}
