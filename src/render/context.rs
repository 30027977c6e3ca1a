//! Owns: what a text may speak about: values already in the recipient's words (money, dates, names).

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::Value;

use super::format;
use crate::domain::case::CancelKind;
use crate::domain::locale::Locale;
use crate::domain::money::{Currency, Money};
use crate::domain::record::{Cancelling, Contact, Facts, Invoice, Moved, Payment, Platform, Service, SubjectRow};

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
    let name = format::greeting_name(about.first_name, about.company).unwrap_or_else(|| nobody(locale).to_owned());
    put("recipient", vec![("name", name)]);
    let client = &about.facts.client;
    put("client", vec![("id", client.id.to_string()), ("name", full_name(client))]);
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
    match &about.facts.subject {
        SubjectRow::Client | SubjectRow::User(_) => {}
        SubjectRow::Contact(contact) => {
            put("contact", vec![("change", contact_change(contact.as_deref(), about, locale))]);
        }
        SubjectRow::Invoice(row, paid) => {
            put("invoice", invoice(row, &client.currency, locale));
            put("payment", payment(row, paid.as_ref(), about, locale));
        }
        SubjectRow::Service(row) => put("service", service(row, locale)),
        SubjectRow::Cancellation(cancelling) => {
            put("service", service(&cancelling.service, locale));
            put("cancellation", cancellation(cancelling, &client.currency, locale));
        }
        SubjectRow::Quote(quote) => put(
            "quote",
            vec![
                ("id", quote.id.to_string()),
                ("subject", quote.subject.clone()),
                ("total", money(quote.total, &quote.currency)),
                ("valid_until", date(quote.valid_until, locale)),
            ],
        ),
        SubjectRow::Domain(domain) => {
            put("domain", vec![("id", domain.id.to_string()), ("name", domain.name.clone())]);
        }
    }
    Value::from(root)
}

fn service(service: &Service, locale: Locale) -> Vec<(&'static str, String)> {
    let reason = if service.suspend_reason.is_empty() { unstated(locale) } else { &service.suspend_reason };
    vec![
        ("id", service.id.to_string()),
        ("name", service_name(&service.product, &service.domain)),
        ("product", service.product.clone()),
        ("domain", service.domain.clone()),
        ("reason", reason.to_owned()),
        ("next_due", date(service.next_due, locale)),
    ]
}

fn cancellation(cancelling: &Cancelling, currency: &Currency, locale: Locale) -> Vec<(&'static str, String)> {
    let kind = match (cancelling.request.map(|request| request.kind), locale) {
        (Some(CancelKind::EndOfPeriod), Locale::EsAr) => "al final del período pago",
        (Some(CancelKind::EndOfPeriod), Locale::En) => "at the end of the paid period",
        (Some(CancelKind::EndOfPeriod), Locale::PtBr) => "no fim do período pago",
        (_, Locale::EsAr) => "inmediata",
        (_, Locale::En) => "immediate",
        (_, Locale::PtBr) => "imediato",
    };
    let (nothing, of) = match locale {
        Locale::EsAr => ("ninguna", "de"),
        Locale::En => ("none", "of"),
        Locale::PtBr => ("nenhuma", "de"),
    };
    let ruled = cancelling.ruled.as_ref();
    let due: Vec<String> = ruled
        .iter()
        .flat_map(|ruled| &ruled.due)
        .map(|debt| format!("{} {of} {}", debt.number, money(debt.balance, currency)))
        .collect();
    vec![
        ("kind", kind.to_owned()),
        ("effective", date(ruled.and_then(|ruled| ruled.effective), locale)),
        ("due", if due.is_empty() { nothing.to_owned() } else { due.join(", ") }),
    ]
}

fn invoice(invoice: &Invoice, currency: &Currency, locale: Locale) -> Vec<(&'static str, String)> {
    vec![
        ("id", invoice.id.to_string()),
        ("number", invoice.number.clone()),
        ("total", money(invoice.total, currency)),
        ("balance", money(invoice.balance, currency)),
        ("due", date(invoice.due, locale)),
        ("date", date(invoice.date, locale)),
    ]
}

/// An invoice paid from credit has no payment of its own: what was paid is its total.
fn payment(
    invoice: &Invoice,
    payment: Option<&Payment>,
    about: &About<'_>,
    locale: Locale,
) -> Vec<(&'static str, String)> {
    let amount = payment.map_or(invoice.total, |payment| payment.amount);
    let local = payment.and_then(|payment| payment.at);
    let at = local.and_then(|local| format::instant(local, about.zone)).unwrap_or(about.occurred_at);
    vec![
        ("amount", money(amount, &about.facts.client.currency)),
        ("date", format::date(at.to_zoned(about.zone.clone()).date(), locale)),
    ]
}

fn money(amount: Money, currency: &Currency) -> String {
    // The amount was read with this very currency; a mismatch would be a bug, and shows as a dash, not as a wrong price.
    amount.format(currency).unwrap_or_default()
}

fn date(date: Option<jiff::civil::Date>, locale: Locale) -> String {
    date.map_or_else(|| "-".to_owned(), |date| format::date(date, locale))
}

fn full_name(client: &crate::domain::record::Client) -> String {
    let name = format!("{} {}", client.first_name, client.last_name).trim().to_owned();
    if name.is_empty() { client.company.clone() } else { name }
}

fn service_name(product: &str, domain: &str) -> String {
    match (product, domain) {
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
    match (about.hook, locale) {
        ("ContactAdd", Locale::EsAr) => format!("contacto nuevo{name}"),
        ("ContactAdd", Locale::En) => format!("new contact{name}"),
        ("ContactAdd", Locale::PtBr) => format!("novo contato{name}"),
        ("ContactDelete", Locale::EsAr) => format!("contacto eliminado{name}"),
        ("ContactDelete", Locale::En) => format!("contact deleted{name}"),
        ("ContactDelete", Locale::PtBr) => format!("contato excluído{name}"),
        (_, Locale::EsAr) => format!("datos del contacto{name} ({fields})"),
        (_, Locale::En) => format!("details of contact{name} ({fields})"),
        (_, Locale::PtBr) => format!("dados do contato{name} ({fields})"),
    }
}

fn what_moved(subject: &SubjectRow, moved: Moved, locale: Locale) -> String {
    let name = match subject {
        SubjectRow::Service(service) => service_name(&service.product, &service.domain),
        SubjectRow::Domain(domain) => domain.name.clone(),
        _ => String::new(),
    };
    match (moved.together, locale) {
        (0 | 1, _) => name,
        (n, Locale::EsAr) => format!("{n} servicios y dominios, entre ellos {name}"),
        (n, Locale::En) => format!("{n} services and domains, among them {name}"),
        (n, Locale::PtBr) => format!("{n} serviços e domínios, entre eles {name}"),
    }
}

fn how_moved(subject: &SubjectRow, moved: Moved, locale: Locale) -> String {
    let merged = matches!(subject, SubjectRow::Client);
    let words = match (merged, moved.former, locale) {
        (false, true, Locale::EsAr) => "ya no está a tu nombre, pasó a otra cuenta",
        (false, true, Locale::En) => "no longer yours, it went to another account",
        (false, true, Locale::PtBr) => "já não está em seu nome, passou para outra conta",
        (false, false, Locale::EsAr) => "ahora está a tu nombre, viene de otra cuenta",
        (false, false, Locale::En) => "now yours, it came from another account",
        (false, false, Locale::PtBr) => "agora está em seu nome, veio de outra conta",
        (true, true, Locale::EsAr) => {
            "tu cuenta se unificó con otra, que ahora tiene tus servicios, dominios y facturas"
        }
        (true, true, Locale::En) => {
            "your account was merged into another, which now has your services, domains and invoices"
        }
        (true, true, Locale::PtBr) => {
            "sua conta foi unificada com outra, que agora tem seus serviços, domínios e faturas"
        }
        (true, false, Locale::EsAr) => {
            "otra cuenta se unificó con la tuya, que ahora tiene sus servicios, dominios y facturas"
        }
        (true, false, Locale::En) => {
            "another account was merged into yours, which now has its services, domains and invoices"
        }
        (true, false, Locale::PtBr) => {
            "outra conta foi unificada com a sua, que agora tem seus serviços, domínios e faturas"
        }
    };
    words.to_owned()
}

fn nobody(locale: Locale) -> &'static str {
    match locale {
        Locale::EsAr | Locale::PtBr => "cliente",
        Locale::En => "customer",
    }
}

fn unstated(locale: Locale) -> &'static str {
    match locale {
        Locale::EsAr => "sin especificar",
        Locale::En => "not stated",
        Locale::PtBr => "não informado",
    }
}

/// The names of changed fields, each kind once, in the order that people think of them.
fn changed(fields: &[String], locale: Locale) -> String {
    const KINDS: [(&[&str], [&str; 3]); 9] = [
        (&["firstname", "lastname"], ["nombre", "name", "nome"]),
        (&["companyname"], ["empresa", "company", "empresa"]),
        (&["email"], ["correo electrónico", "e-mail", "e-mail"]),
        (&["phonenumber"], ["teléfono", "phone", "telefone"]),
        (&["address1", "address2", "city", "state", "postcode", "country"], ["domicilio", "address", "endereço"]),
        (&["tax_id"], ["identificación fiscal", "tax ID", "identificação fiscal"]),
        (&["language"], ["idioma", "language", "idioma"]),
        (&["password"], ["clave", "password", "senha"]),
        (
            &["generalemails", "productemails", "domainemails", "invoiceemails", "supportemails", "affiliateemails"],
            ["avisos que recibe", "notices it receives", "avisos que recebe"],
        ),
    ];
    let column = match locale {
        Locale::EsAr => 0,
        Locale::En => 1,
        Locale::PtBr => 2,
    };
    let named: Vec<&str> = KINDS
        .iter()
        .filter(|(members, _)| fields.iter().any(|field| members.contains(&field.as_str())))
        .map(|(_, words)| words[column])
        .collect();
    format::list(&named, locale)
}
