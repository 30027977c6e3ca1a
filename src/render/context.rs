//! Owns: what a text may speak about: values already in the recipient's words (money, dates, names).

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use minijinja::Value;

use super::format;
use super::names::{is_name, plain_host};
use super::phrases::say;
use crate::domain::case::{CancelKind, Debt};
use crate::domain::ids::CurrencyId;
use crate::domain::locale::Locale;
use crate::domain::money::{Currency, Money, NoCurrency};
use crate::domain::record::{
    AtRisk, Cancelling, Contact, Credited, Facts, Invoice, Moved, Payment, Platform, Quote, Service, SubjectRow,
};

/// Stands for an amount whose currency cannot be read: a value that holds it cannot be rendered, and every other can.
pub(super) const UNWRITABLE: &str = "⟨?⟩";

type Written = Result<Currency, NoCurrency>;

/// Everything that one message's text may use.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    pub facts: &'a Facts,
    pub platform: &'a Platform,
    /// Zone of the platform's server, whose local times its rows hold.
    pub zone: &'a TimeZone,
    pub occurred_at: Timestamp,
    /// The platform's name of what happened.
    pub hook: &'a str,
    /// Names of the platform's fields that an edit changed.
    pub changed: &'a [String],
    pub first_name: &'a str,
    pub company: &'a str,
}

/// The values of `about` in the words of `locale`.
#[must_use]
pub fn build(about: &About<'_>, locale: Locale) -> Value {
    let mut root: BTreeMap<String, Value> = BTreeMap::new();
    let mut put = |name: &str, members: Vec<(&str, String)>| {
        root.insert(
            name.to_owned(),
            Value::from(members.into_iter().map(|(k, v)| (k.to_owned(), Value::from(v))).collect::<BTreeMap<_, _>>()),
        );
    };
    let name = format::greeting_name(about.first_name, about.company).unwrap_or_else(|| say(locale, "nobody", &[]));
    put("recipient", vec![("name", name)]);
    let client = &about.facts.client;
    put("client", vec![("id", client.id.to_string()), ("name", full_name(client, locale))]);
    put("company", vec![("name", about.platform.company_name.clone()), ("url", about.platform.system_url.clone())]);
    put(
        "event",
        vec![
            ("at", format::datetime(about.occurred_at, about.zone, locale)),
            ("changed", changed(about.changed, locale)),
        ],
    );
    if let Some(moved) = about.facts.moved {
        put(
            "moved",
            vec![
                ("what", what_moved(&about.facts.subject, moved, locale)),
                ("how", how_moved(&about.facts.subject, moved, locale)),
            ],
        );
    }
    let today = about.facts.today;
    match &about.facts.subject {
        SubjectRow::Client | SubjectRow::User(_) => {}
        SubjectRow::Contact(contact) => {
            put("contact", vec![("change", contact_change(contact.as_deref(), about, locale))]);
        }
        SubjectRow::Invoice(row, paid) => {
            put("invoice", invoice(row, about, today, locale));
            put("payment", payment(row, paid.as_ref(), about, locale));
        }
        SubjectRow::Service(row) => put("service", service(row, about, locale)),
        SubjectRow::Cancellation(cancelling) => {
            put("service", service(&cancelling.service, about, locale));
            put("cancellation", cancellation(cancelling, &client.currency, locale));
        }
        SubjectRow::Quote(row) => put("quote", quote(row, today, locale)),
        SubjectRow::Ticket(ticket) => {
            let last = ticket.last_reply.map(jiff::civil::DateTime::date);
            put("ticket", vec![("number", ticket.number.clone()), ("last_reply", date(last, locale))]);
        }
        SubjectRow::Domain(domain) => {
            let (id, expires) = (domain.id.to_string(), date(domain.expires, locale));
            let name = plain_host(&domain.name).to_owned();
            let words = dated(domain.expires, "valid_none", "valid_until", locale);
            put("domain", vec![("id", id), ("name", name), ("expires", expires), ("expires_words", words)]);
        }
    }
    Value::from(root)
}

/// Invoices that are named one by one; more are counted and summed up.
const NAMED_MAX: usize = 3;

fn service(service: &Service, about: &About<'_>, locale: Locale) -> Vec<(&'static str, String)> {
    let currency = &about.facts.client.currency;
    let after_due = |days: Option<u16>| date(after(service.next_due, days), locale);
    let reason = service.suspend_reason.as_str();
    let (remedy, path) = remedy(&service.owed, currency, locale);
    vec![
        ("id", service.id.to_string()),
        ("name", service_name(&service.product, &service.domain)),
        ("product", service.product.clone()),
        ("domain", plain_host(&service.domain).to_owned()),
        ("reason", if reason.is_empty() { say(locale, "unstated", &[]) } else { reason.to_owned() }),
        ("next_due", date(service.next_due, locale)),
        ("price", money(service.recurring, currency)),
        ("suspends_on", after_due(about.platform.suspension_days)),
        ("terminates_on", after_due(about.platform.termination_days)),
        ("remedy", remedy),
        ("remedy_path", path),
    ]
}

/// The day on which the platform does something by itself, `days` after the date due.
fn after(due: Option<Date>, days: Option<u16>) -> Option<Date> {
    due?.checked_add(i32::from(days?).days()).ok()
}

/// The service that the platform suspends by itself if the invoice stays unpaid, and the day, where it has not yet.
pub(super) fn suspended_on<'a>(invoice: &'a Invoice, facts: &Facts, platform: &Platform) -> Option<(&'a AtRisk, Date)> {
    let risk = invoice.at_risk.first().filter(|_| !facts.client.never_suspended)?;
    let when = after(Some(risk.next_due), platform.suspension_days)?;
    (when >= facts.today).then_some((risk, when))
}

/// What happens next to a service if the invoice stays unpaid.
fn consequence(invoice: &Invoice, about: &About<'_>, locale: Locale) -> String {
    let Some((risk, when)) = suspended_on(invoice, about.facts, about.platform) else {
        return say(locale, "consequence_none", &[]);
    };
    let name = service_name(&risk.product, &risk.domain);
    say(locale, "consequence_suspension", &[("name", &name), ("date", &format::date(when, locale))])
}

/// What ends a suspension, and where: paying what is owed for the service, or asking.
fn remedy(owed: &[Debt], currency: &Written, locale: Locale) -> (String, String) {
    match owed {
        [] => (say(locale, "remedy_ask", &[]), "submitticket.php".to_owned()),
        [one] => {
            let amount = money(one.balance, currency);
            let words = say(locale, "remedy_one", &[("number", &one.number), ("amount", &amount)]);
            (words, format!("viewinvoice.php?id={}", one.id))
        }
        many => (counted(many, "remedy_many", currency, locale), "clientarea.php?action=invoices".to_owned()),
    }
}

/// How many invoices, and what they come to.
fn counted(debts: &[Debt], key: &str, currency: &Written, locale: Locale) -> String {
    let count = debts.len().to_string();
    match sum(debts) {
        Some(sum) => say(locale, key, &[("count", &count), ("amount", &money(sum, currency))]),
        None => say(locale, &format!("{key}_unsummed"), &[("count", &count)]),
    }
}

fn sum(debts: &[Debt]) -> Option<Money> {
    let (first, others) = debts.split_first()?;
    others.iter().try_fold(first.balance, |sum, one| sum.checked_add(one.balance).ok())
}

fn cancellation(cancelling: &Cancelling, currency: &Written, locale: Locale) -> Vec<(&'static str, String)> {
    let at_end = cancelling.request.is_some_and(|request| request.kind == CancelKind::EndOfPeriod);
    let ruled = cancelling.ruled.as_ref();
    let effective = ruled.and_then(|ruled| ruled.effective);
    let due: &[Debt] = ruled.map_or(&[], |ruled| &ruled.due);
    let items: Vec<String> = due
        .iter()
        .map(|debt| say(locale, "owed_item", &[("number", &debt.number), ("amount", &money(debt.balance, currency))]))
        .collect();
    let owed = match items.len() {
        0 => say(locale, "owed_none", &[]),
        1 => say(locale, "owed_one", &[("list", &items[0])]),
        n if n <= NAMED_MAX => say(locale, "owed_some", &[("list", &format::list(&items, locale))]),
        _ => counted(due, "owed_many", currency, locale),
    };
    let when = if at_end { "cancel_end" } else { "cancel_now" };
    vec![
        ("kind", say(locale, if at_end { "cancel_kind_end" } else { "cancel_kind_now" }, &[])),
        ("effective", date(effective, locale)),
        ("due", if items.is_empty() { say(locale, "due_list_none", &[]) } else { items.join(", ") }),
        ("when", dated(effective, when, &format!("{when}_on"), locale)),
        ("owed", owed),
    ]
}

fn invoice(invoice: &Invoice, about: &About<'_>, today: Date, locale: Locale) -> Vec<(&'static str, String)> {
    let currency = &about.facts.client.currency;
    let settled = invoice.status == "Paid" || invoice.balance.is_zero() || invoice.balance.is_negative();
    let balance = money(invoice.balance, currency);
    let rest = if settled { "rest_none" } else { "rest_some" };
    let until = match invoice.due {
        Some(due) if due < today => "due_was",
        Some(due) if due == today => "due_today",
        _ => "due_on",
    };
    let items: Vec<&str> = invoice.items.iter().map(|item| item.description.as_str()).collect();
    vec![
        ("id", invoice.id.to_string()),
        ("number", invoice.number.clone()),
        ("total", money(invoice.total, currency)),
        ("rest", say(locale, rest, &[("amount", &balance)])),
        ("balance", balance),
        ("credit", money(amount(invoice.credited, invoice.total.currency()), currency)),
        ("due", date(invoice.due, locale)),
        ("due_words", dated(invoice.due, "due_none", until, locale)),
        ("date", date(invoice.date, locale)),
        ("consequence", consequence(invoice, about, locale)),
        ("items", items.join("; ")),
    ]
}

/// A phrase with a date in it, or the one for none.
fn dated(day: Option<Date>, without: &str, with: &str, locale: Locale) -> String {
    match day {
        None => say(locale, without, &[]),
        Some(day) => say(locale, with, &[("date", &format::date(day, locale))]),
    }
}

fn quote(quote: &Quote, today: Date, locale: Locale) -> Vec<(&'static str, String)> {
    let number = quote.id.to_string();
    let until = if quote.is_over(today) { "valid_was" } else { "valid_until" };
    let name = match quote.subject.as_str() {
        "" => number.clone(),
        subject => say(locale, "quote", &[("number", &number), ("subject", subject)]),
    };
    vec![
        ("name", name),
        ("id", number),
        ("subject", quote.subject.clone()),
        ("total", money(quote.total, &quote.currency)),
        ("valid_until", date(quote.valid_until, locale)),
        ("valid_words", dated(quote.valid_until, "valid_none", until, locale)),
    ]
}

fn amount(credited: Credited, currency: CurrencyId) -> Money {
    match credited {
        Credited::Nothing => Money::zero(currency),
        Credited::Balance(amount) | Credited::Notes(amount) => amount,
    }
}

/// What settled it. Credit is nobody's payment, and what an administrator marks as paid may be neither.
fn paid_by(invoice: &Invoice, payment: Option<&Payment>, currency: &Written, locale: Locale) -> String {
    let key = match (payment.is_some(), invoice.credited) {
        (true, Credited::Nothing) => "paid",
        (true, Credited::Balance(_)) => "paid_beside_credit",
        (true, Credited::Notes(_)) => "paid_beside_notes",
        (false, Credited::Nothing) => "paid_unstated",
        (false, Credited::Balance(_)) => "paid_by_credit",
        (false, Credited::Notes(_)) => "paid_by_notes",
    };
    let credit = money(amount(invoice.credited, invoice.total.currency()), currency);
    let paid = payment.map_or_else(String::new, |payment| money(payment.amount, currency));
    say(locale, key, &[("amount", &paid), ("credit", &credit)])
}

/// An invoice without a payment of its own: what settled it is credit, else its total.
fn payment(
    invoice: &Invoice,
    payment: Option<&Payment>,
    about: &About<'_>,
    locale: Locale,
) -> Vec<(&'static str, String)> {
    let currency = &about.facts.client.currency;
    let settled_by = match invoice.credited {
        Credited::Nothing => invoice.total,
        Credited::Balance(amount) | Credited::Notes(amount) => amount,
    };
    let amount = payment.map_or(settled_by, |payment| payment.amount);
    let local = payment.and_then(|payment| payment.at);
    let at = local.and_then(|local| format::instant(local, about.zone)).unwrap_or(about.occurred_at);
    vec![
        ("amount", money(amount, currency)),
        ("words", paid_by(invoice, payment, currency, locale)),
        ("date", format::date(at.to_zoned(about.zone.clone()).date(), locale)),
    ]
}

fn money(amount: Money, currency: &Written) -> String {
    // The amount was read with this very currency; a mismatch would be a bug, and shows as a dash, not as a wrong price.
    currency.as_ref().map_or_else(|_| UNWRITABLE.to_owned(), |currency| amount.format(currency).unwrap_or_default())
}

fn date(date: Option<jiff::civil::Date>, locale: Locale) -> String {
    date.map_or_else(|| "-".to_owned(), |date| format::date(date, locale))
}

fn full_name(client: &crate::domain::record::Client, locale: Locale) -> String {
    let name = format!("{} {}", client.first_name, client.last_name).trim().to_owned();
    let good = |name: &String| !name.is_empty() && is_name(name);
    [name, client.company.clone()].into_iter().find(good).unwrap_or_else(|| say(locale, "nobody", &[]))
}

fn service_name(product: &str, domain: &str) -> String {
    match (product, plain_host(domain)) {
        ("", domain) => domain.to_owned(),
        (product, "") => product.to_owned(),
        (product, domain) => format!("{product} ({domain})"),
    }
}

/// What happened to a contact: `datos de Juan Pérez (teléfono)`. One that is deleted has no name any more.
fn contact_change(contact: Option<&Contact>, about: &About<'_>, locale: Locale) -> String {
    let name = contact.and_then(|contact| {
        let whole = format!("{} {}", contact.first_name, contact.last_name);
        format::greeting_name(whole.trim(), &contact.company)
    });
    let name = name.map_or_else(String::new, |name| format!(" {name}"));
    let fields = changed(about.changed, locale);
    let key = match about.hook {
        "ContactAdd" => "contact_added",
        "ContactDelete" => "contact_deleted",
        _ => "contact_edited",
    };
    say(locale, key, &[("name", &name), ("fields", &fields)])
}

fn what_moved(subject: &SubjectRow, moved: Moved, locale: Locale) -> String {
    let name = match subject {
        SubjectRow::Service(service) => service_name(&service.product, &service.domain),
        SubjectRow::Domain(domain) => domain.name.clone(),
        _ => String::new(),
    };
    match moved.together {
        0 | 1 => name,
        n => say(locale, "moved_many", &[("count", &n.to_string()), ("name", &name)]),
    }
}

fn how_moved(subject: &SubjectRow, moved: Moved, locale: Locale) -> String {
    let merged = matches!(subject, SubjectRow::Client);
    let key = match (merged, moved.former, moved.together > 1) {
        (true, true, _) => "merged_away",
        (true, false, _) => "merged_here",
        (false, true, false) => "moved_away",
        (false, true, true) => "moved_away_many",
        (false, false, false) => "moved_here",
        (false, false, true) => "moved_here_many",
    };
    say(locale, key, &[])
}

/// The names of changed fields, each kind once, in the order that people think of them.
fn changed(fields: &[String], locale: Locale) -> String {
    const KINDS: [(&[&str], &str); 9] = [
        (&["firstname", "lastname"], "field_name"),
        (&["companyname"], "field_company"),
        (&["email"], "field_email"),
        (&["phonenumber"], "field_phone"),
        (&["address1", "address2", "city", "state", "postcode", "country"], "field_address"),
        (&["tax_id"], "field_tax"),
        (&["language"], "field_language"),
        (&["password"], "field_password"),
        (
            &["generalemails", "productemails", "domainemails", "invoiceemails", "supportemails", "affiliateemails"],
            "field_notices",
        ),
    ];
    let named: Vec<String> = KINDS
        .iter()
        .filter(|(members, _)| fields.iter().any(|field| members.contains(&field.as_str())))
        .map(|(_, key)| say(locale, key, &[]))
        .collect();
    format::list(&named, locale)
}
