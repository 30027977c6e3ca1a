//! The part of `hookbridge doctor` about notices to administrators: without sending any.

use super::doctor::{Finding, finding};
use crate::app::gateway;
use crate::config::Config;
use crate::notify::{Channel, try_mail};
use crate::render::notice::NAME;
use crate::whatsapp::Gateway;

pub(super) async fn look(config: &Config) -> Vec<Finding> {
    let notify = &config.notify;
    if !notify.is_on() {
        let says = "no channel is set up: what needs a person is on the first page only ([notify], docs/ADMIN.md)";
        return vec![finding("notices", "warn", says)];
    }
    let mut all = Vec::new();
    if Channel::Email.is_on(notify) {
        all.push(match try_mail(&notify.email).await {
            Ok(()) => finding("notices", "ok", format!("email: {} lets us in", notify.email.host)),
            Err(failure) => finding("notices", "failed", format!("email: {}", failure.detail)),
        });
    }
    if Channel::Webhook.is_on(notify) {
        let says = format!("webhook ({}): `hookbridge notify test webhook` tries it", notify.webhook.shape);
        all.push(finding("notices", "ok", says));
    }
    if Channel::WhatsApp.is_on(notify) {
        all.push(staff_text(config).await);
    }
    if notify.page_url.is_empty() {
        all.push(finding("notices", "warn", "`notify.page_url` is empty: notices have no links"));
    }
    all
}

/// Whether the number that carries the alerts has the text of notices.
async fn staff_text(config: &Config) -> Finding {
    let (name, locale) = (&config.alerts.sender, config.notify.locale());
    let Some(sender) = config.senders.get(name).filter(|sender| !sender.waba_id.is_empty()) else {
        return finding(
            "notices",
            "warn",
            format!("whatsapp: `senders.{name}.waba_id` is empty: its text is not looked for"),
        );
    };
    let listed = match gateway(name, sender) {
        Ok(Gateway::CloudApi(api)) => api.list_templates(&sender.waba_id).await.map_err(|error| error.to_string()),
        Err(error) => Err(format!("{error:#}")),
    };
    let all = match listed {
        Ok(all) => all,
        Err(error) => return finding("notices", "warn", format!("whatsapp: its text is not known: {error}")),
    };
    match all.iter().find(|one| one.name == NAME && one.language == locale.code()) {
        Some(text) if text.is_approved() => {
            finding("notices", "ok", format!("whatsapp: `{NAME}` ({locale}) is approved"))
        }
        Some(text) => finding("notices", "failed", format!("whatsapp: `{NAME}` ({locale}) is {}", text.status)),
        None => {
            let says = format!("whatsapp: `{name}` lacks `{NAME}` ({locale}): run `hookbridge notify text --submit`");
            finding("notices", "failed", says)
        }
    }
}
