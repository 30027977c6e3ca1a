//! Owns: the provider's error codes as data (source: Meta's rules, Meta's error page as of 2026-09-11 and, where it
//! is silent, the secondary sources named there).
//!
//! Scopes of transient codes: `Recipient` for the pair limit, `Rate` where the service or a quota asks to slow down,
//! `Number` (with a short wait) where this number is unusable for a moment, else `Message`.

use super::errors::{FaultClass, Rule};
use crate::domain::outcome::Scope;

/// Seconds to wait when an unknown code says of itself that it passes.
pub(super) const UNKNOWN_TRANSIENT_S: u32 = 10;

/// The rule for every code that the table does not have.
pub(super) static UNKNOWN: Rule = Rule {
    first: i64::MIN,
    last: i64::MAX,
    class: FaultClass::Transient,
    scope: Scope::Message,
    wait_s: Some(300),
    retries_max: Some(3),
    advice: "The provider answered with a code that this version does not know: look it up in Meta's list of error codes.",
};

const fn transient(code: i64, scope: Scope, wait_s: u32, advice: &'static str) -> Rule {
    let class = FaultClass::Transient;
    Rule { first: code, last: code, class, scope, wait_s: Some(wait_s), retries_max: None, advice }
}

const fn permanent(code: i64, scope: Scope, advice: &'static str) -> Rule {
    let class = FaultClass::Permanent;
    Rule { first: code, last: code, class, scope, wait_s: None, retries_max: Some(0), advice }
}

const fn stop(code: i64, advice: &'static str) -> Rule {
    let class = FaultClass::Stop;
    Rule { first: code, last: code, class, scope: Scope::Number, wait_s: None, retries_max: None, advice }
}

/// This message's values are wrong.
const fn values(code: i64, advice: &'static str) -> Rule {
    let class = FaultClass::Fix;
    Rule { first: code, last: code, class, scope: Scope::Message, wait_s: None, retries_max: Some(0), advice }
}

/// The template, or how we call it, is wrong for every message.
const fn template(code: i64, advice: &'static str) -> Rule {
    let class = FaultClass::Fix;
    Rule { first: code, last: code, class, scope: Scope::Template, wait_s: None, retries_max: None, advice }
}

impl Rule {
    const fn upto(mut self, last: i64) -> Self {
        self.last = last;
        self
    }

    const fn retries(mut self, max: u32) -> Self {
        self.retries_max = Some(max);
        self
    }
}

#[rustfmt::skip]
pub(super) static RULES: &[Rule] = &[
    // The Graph API's own codes.
    stop(0, "The access token is not accepted: put a new system-user token into the configuration."),
    transient(1, Scope::Message, 5, "The provider calls the request invalid or had an error of its own: if it repeats, compare the request with Meta's reference.").retries(1),
    transient(2, Scope::Rate, 10, "The provider is down or overloaded: wait, and look at metastatus.com/whatsapp-business-api."),
    stop(3, "The app lacks a capability or permission: check the app's WhatsApp permissions at Meta."),
    transient(4, Scope::Rate, 300, "The app's limit of API calls is reached: it sends again by itself, but find out who else uses the app."),
    stop(10, "A permission was not granted or was removed: give the system user whatsapp_business_messaging."),
    transient(17, Scope::Rate, 300, "The user's limit of API calls is reached: it sends again by itself."),
    stop(33, "The sending number does not exist or the token may not use it: check the phone number id and the number's WhatsApp account."),
    values(100, "A parameter is unknown, misspelt, empty or too long: look at the message's values and the template."),
    stop(104, "No access token was given: put a system-user token into the configuration."),
    stop(190, "The access token expired or is not valid: put a new system-user token into the configuration."),
    stop(200, "A permission is missing: give the system user whatsapp_business_messaging for this account."),
    stop(201, "A permission is missing: give the system user whatsapp_business_messaging for this account.").upto(299),
    stop(368, "Meta restricted the account for breaking its policy: read the notice in WhatsApp Manager and appeal or wait."),
    transient(613, Scope::Rate, 300, "A custom limit of API calls is reached: it sends again by itself."),
    transient(80007, Scope::Rate, 300, "The WhatsApp account's limit of API calls is reached: it sends again by itself."),
    transient(80008, Scope::Rate, 300, "The limit of management calls is reached: it sends again by itself."),

    // Sending.
    permanent(130_403, Scope::Recipient, "This business blocked the recipient: unblock the number in WhatsApp Manager, or write an e-mail."),
    transient(130_429, Scope::Rate, 5, "The number's throughput is reached: lower its rate in the configuration if it repeats."),
    permanent(130_472, Scope::Message, "Meta held the message back for an experiment on marketing: check that the template is still UTILITY."),
    permanent(130_497, Scope::Recipient, "The account may not message users in the recipient's country: write an e-mail instead."),
    transient(131_000, Scope::Message, 5, "The provider had an unknown error: if it repeats, ask Meta's support with the trace id.").retries(3),
    stop(131_005, "A permission is missing: check the system user's permissions and the token."),
    values(131_008, "A required parameter is missing: compare the message's values with the template."),
    values(131_009, "A parameter's value is not valid: look at the message's values and the recipient's number."),
    transient(131_016, Scope::Rate, 10, "The provider's service is unavailable for the moment: it sends again by itself."),
    permanent(131_021, Scope::Recipient, "The recipient is the sending number itself: correct the client's phone number."),
    permanent(131_026, Scope::Recipient, "The number has no WhatsApp, or its user has not accepted the terms or has an old app: check the number, use e-mail."),
    permanent(131_030, Scope::Recipient, "The recipient is not on the test number's list: add the number at Meta, or send from a real number."),
    stop(131_031, "The account is locked or the PIN does not match: look at the account in WhatsApp Manager."),
    stop(131_037, "The number's display name is not approved: have it approved in WhatsApp Manager."),
    stop(131_042, "Meta cannot charge for messages: mend the payment method in WhatsApp Manager, the queue is kept."),
    permanent(131_043, Scope::Message, "The message expired before it could be delivered."),
    stop(131_045, "The number is not registered properly: register it again."),
    permanent(131_047, Scope::Message, "More than 24 hours have passed since the recipient wrote: only a template may be sent."),
    stop(131_048, "Meta restricted the number because users report its messages as spam: read its quality in WhatsApp Manager before sending on."),
    permanent(131_049, Scope::Message, "Meta held the message back to spare its user marketing: check that the template is still UTILITY; do not repeat within 24 hours."),
    permanent(131_050, Scope::Recipient, "The recipient stopped marketing messages from this business: check that the template is still UTILITY."),
    template(131_051, "The message's type is not supported: compare the template with Meta's reference."),
    permanent(131_052, Scope::Message, "A user's media could not be downloaded: concerns incoming messages only."),
    template(131_053, "The message's media could not be uploaded: check the template's media."),
    template(131_055, "The API method is not allowed for this message: compare the template's category with Meta's reference."),
    transient(131_056, Scope::Recipient, 6, "Too many messages to this recipient in a short time: only messages to this number wait."),
    transient(131_057, Scope::Number, 60, "The number is in maintenance, perhaps because its throughput rises: it sends again by itself."),
    transient(131_060, Scope::Message, 5, "The message's type is unavailable for the moment on this number.").retries(1),
    template(131_061, "The template needs another API endpoint (maximum price): take a plain utility template."),
    template(131_062, "This message may not go to a business-scoped user id: send to the phone number."),
    template(131_063, "Marketing templates are switched off on the Cloud API: take a utility template."),
    stop(131_064, "The account is limited because templates were put into the wrong category: correct them in WhatsApp Manager; the limit is lifted by itself."),

    // Templates.
    template(132_000, "The number of parameters differs from the template's: compare the texts here with the template at Meta."),
    template(132_001, "The template does not exist or is not approved in this language: create it or wait for its approval."),
    values(132_005, "The text is too long once its values are filled in: shorten the values."),
    template(132_007, "The template's content breaks Meta's policy: write it anew."),
    values(132_008, "A parameter's value is not valid: look at the message's values."),
    template(132_012, "The parameters' format differs from the template's (named or positional): compare the texts here with the template at Meta."),
    template(132_015, "The template is paused for its quality: it may be used again when Meta's status says APPROVED."),
    template(132_016, "The template is disabled for good: make a new one under another name."),
    values(132_018, "A value holds a new line, a tab or more than four blanks: clean the value."),
    template(132_068, "The template's Flow is blocked: mend the Flow."),
    transient(132_069, Scope::Template, 60, "The template's Flow is throttled: it sends again by itself."),

    // The number's registration.
    stop(133_000, "An earlier deregistration of the number failed: deregister it again, then register it."),
    transient(133_004, Scope::Rate, 10, "The provider's server is unavailable for the moment: it sends again by itself."),
    stop(133_005, "The two-step PIN is wrong: register the number with the right one."),
    stop(133_006, "The number must be verified before it is registered."),
    stop(133_008, "Too many wrong PINs: wait as long as the details say, then register the number."),
    stop(133_009, "The PIN was entered too fast: wait as long as the details say, then register the number."),
    stop(133_010, "The number is not registered: register it at the Cloud API."),
    stop(133_015, "The number was deleted just now: wait five minutes, then register it."),
    stop(133_016, "Too many registrations: wait 72 hours, then register the number."),
    stop(134_011, "The terms for payments are pending: accept them in WhatsApp Manager."),
    template(134_100, "Only marketing templates may be sent this way: send utility templates by the Cloud API."),
    transient(134_101, Scope::Template, 600, "The template is still being synchronised: it may be used in about ten minutes."),
    template(134_102, "The template is unavailable: look at its status in WhatsApp Manager."),
    values(135_000, "The provider had an unknown error with this message's parameters: look at the values."),
    stop(136_024, "The verification code could not be requested: verify the number in WhatsApp Manager."),
    stop(136_025, "The verification code was not accepted: verify the number in WhatsApp Manager."),
    permanent(137_000, Scope::Recipient, "The recipient's identity changed: make sure that the number is still the client's."),

    // Not for alerts, so never a reason to try again.
    values(138_000, "An error of the calling API: no alert should meet it.").upto(138_999),
    values(139_000, "An error of Flows, of blocking users or of sending without a template: no alert should meet it.").upto(139_999),
    values(147_001, "An error of user names: no alert should meet it.").upto(147_005),
];
