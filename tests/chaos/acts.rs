//! Owns: what the platform does in a run: hooks with their documented parameters, the rows they are about, and what must
//! come of each. Every act has a subject of its own, so that what the provider got can be told apart.

use hookbridge::demo::data::CANARY;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::people::{Client, DOMAIN, FIRST, GENERAL, INVOICE, PRODUCT, insert, user_of};

/// One thing that happens in the platform.
#[derive(Clone, Debug)]
pub struct Act {
    pub number: u32,
    /// Lines for `fire.php`, all of one request.
    pub lines: Vec<Value>,
    /// The events they must make: hook and subject's id.
    pub events: Vec<(&'static str, u32)>,
    pub must: Must,
}

/// What must come of it.
#[derive(Clone, Debug)]
pub struct Must {
    pub template: &'static str,
    pub locale: &'static str,
    /// Class of the hookpoint: `security` may be sent again after an unknown outcome.
    pub class: &'static str,
    /// What the message says it is about: the end of its button's address, or the domain's name.
    pub about: Option<String>,
    /// Phone and first name of each recipient; nobody: `reason` says why.
    pub to: Vec<(String, String)>,
    pub reason: Option<&'static str>,
}

/// Everything that a run fires, and the rows behind it.
#[derive(Debug, Default)]
pub struct Acts {
    pub all: Vec<Act>,
    pub statements: Vec<String>,
    /// What the stub finds when it looks up rows that will be gone.
    pub capsule: Value,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    InvoiceCreated,
    InvoiceZero,
    InvoiceCancelled,
    Payment,
    Suspended,
    Reactivated,
    Terminated,
    Activated,
    Quote,
    DomainDeleted,
    Password,
    Registered,
    Edited,
    EditedByStaff,
}

const KINDS: [(u64, Kind); 14] = [
    (26, Kind::InvoiceCreated),
    (2, Kind::InvoiceZero),
    (6, Kind::InvoiceCancelled),
    (14, Kind::Payment),
    (9, Kind::Suspended),
    (7, Kind::Reactivated),
    (5, Kind::Terminated),
    (5, Kind::Activated),
    (6, Kind::Quote),
    (5, Kind::DomainDeleted),
    (8, Kind::Password),
    (3, Kind::Registered),
    (3, Kind::Edited),
    (1, Kind::EditedByStaff),
];

/// Kinds of which each client has at most one.
const ONCE: [Kind; 4] = [Kind::Password, Kind::Registered, Kind::Edited, Kind::EditedByStaff];

struct Rows {
    invoices: Vec<String>,
    payments: Vec<String>,
    services: Vec<String>,
    quotes: Vec<String>,
    capsule_payments: Vec<Value>,
    capsule_domains: Vec<Value>,
}

/// `count` acts of `clients`.
pub fn write(seed: u64, count: u32, clients: &[Client]) -> Acts {
    let mut dice = Dice::new(seed, "acts");
    let mut rows = Rows {
        invoices: Vec::new(),
        payments: Vec::new(),
        services: Vec::new(),
        quotes: Vec::new(),
        capsule_payments: Vec::new(),
        capsule_domains: Vec::new(),
    };
    let mut order: Vec<usize> = (0..clients.len()).collect();
    dice.shuffle(&mut order);
    let mut once = [0_usize; ONCE.len()];
    let mut all = Vec::with_capacity(count as usize);
    for number in 0..count {
        let mut kind = kind(&mut dice);
        let mut client = &clients[usize::try_from(dice.next() % clients.len() as u64).unwrap_or_default()];
        if let Some(place) = ONCE.iter().position(|one| *one == kind) {
            // Edits by staff begin at the other end: both kinds of edit of one client would look the same in the ledger.
            let index = if kind == Kind::EditedByStaff { order.len() - 1 - once[place] } else { once[place] };
            match order.get(index) {
                Some(index) => {
                    once[place] += 1;
                    client = &clients[*index];
                }
                None => kind = Kind::InvoiceCreated,
            }
        }
        all.push(act(number, kind, client, clients, &mut rows, &mut dice));
    }
    Acts {
        all,
        statements: [
            (
                "tblinvoices (id, userid, invoicenum, date, duedate, subtotal, total, status, paymentmethod)",
                rows.invoices,
            ),
            ("tblaccounts (id, userid, currency, gateway, date, amountin, invoiceid)", rows.payments),
            ("tblhosting (id, userid, packageid, domain, domainstatus, suspendreason)", rows.services),
            ("tblquotes (id, userid, subject, stage, currency, total, validuntil)", rows.quotes),
        ]
        .into_iter()
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(head, rows)| insert(head, &rows))
        .collect(),
        capsule: json!({ "tblaccounts": rows.capsule_payments, "tbldomains": rows.capsule_domains }),
    }
}

fn kind(dice: &mut Dice) -> Kind {
    let sum: u64 = KINDS.iter().map(|(weight, _)| weight).sum();
    let mut left = dice.next() % sum;
    for (weight, kind) in KINDS {
        if left < weight {
            return kind;
        }
        left -= weight;
    }
    Kind::InvoiceCreated
}

fn act(number: u32, kind: Kind, client: &Client, clients: &[Client], rows: &mut Rows, dice: &mut Dice) -> Act {
    let (template, class, right) = meaning(kind);
    let owner = client.id;
    let (mut lines, about, subject) = match kind {
        Kind::InvoiceCreated | Kind::InvoiceZero | Kind::InvoiceCancelled | Kind::Payment => {
            let id = FIRST + u32::try_from(rows.invoices.len()).unwrap_or_default();
            let status = match kind {
                Kind::InvoiceCancelled => "Cancelled",
                Kind::Payment => "Paid",
                _ => "Unpaid",
            };
            let total = if kind == Kind::InvoiceZero { 0 } else { 1_000 + id % 977 };
            rows.invoices.push(format!(
                "({id},{owner},'',CURDATE(),CURDATE() + INTERVAL 10 DAY,{total},{total},'{status}','mercadopago')"
            ));
            if kind == Kind::Payment {
                let payment = FIRST + u32::try_from(rows.payments.len()).unwrap_or_default();
                rows.payments.push(format!("({payment},{owner},0,'mercadopago',NOW(),{total},{id})"));
                rows.capsule_payments.push(json!({ "id": payment, "invoiceid": id, "amountin": total }));
            }
            (invoice_lines(kind, id), Some(id.to_string()), id)
        }
        Kind::Suspended | Kind::Reactivated | Kind::Terminated | Kind::Activated => {
            let id = FIRST + u32::try_from(rows.services.len()).unwrap_or_default();
            let (hook, status) = match kind {
                Kind::Suspended => ("AfterModuleSuspend", "Suspended"),
                Kind::Terminated => ("AfterModuleTerminate", "Terminated"),
                Kind::Reactivated => ("AfterModuleUnsuspend", "Active"),
                _ => ("AfterModuleCreate", "Active"),
            };
            rows.services.push(format!("({id},{owner},1,'s{id}.example.com','{status}','')"));
            let params = json!({ "params": {
                "serviceid": id, "userid": owner, "pid": 1, "domain": "x.example.com", "password": CANARY,
                "serverpassword": CANARY, "moduletype": "cpanel",
            }});
            (vec![line(hook, "cron", &params)], Some(id.to_string()), id)
        }
        Kind::Quote => {
            let id = FIRST + u32::try_from(rows.quotes.len()).unwrap_or_default();
            rows.quotes.push(format!("({id},{owner},'Prueba','Delivered',1,1500,CURDATE() + INTERVAL 20 DAY)"));
            let lines = vec![
                line("QuoteStatusChange", "admin", &json!({ "quoteid": id, "status": "Delivered" })),
                and(
                    "EmailPreSend",
                    &json!({
                        "messagename": "Quote Delivery with PDF", "relid": owner, "mergefields": { "quote_number": id },
                    }),
                ),
            ];
            (lines, Some(id.to_string()), id)
        }
        Kind::DomainDeleted => {
            let id = FIRST + u32::try_from(rows.capsule_domains.len()).unwrap_or_default();
            let name = format!("d{id}.example.com.ar");
            rows.capsule_domains.push(json!({ "id": id, "userid": owner, "domain": name }));
            (vec![line("DomainDelete", "admin", &json!({ "userid": owner, "domainid": id }))], Some(name), id)
        }
        Kind::Password => {
            let user = user_of(owner, clients);
            let lines = vec![
                line("UserChangePassword", "client", &json!({ "userid": user, "password": CANARY })),
                and("ClientChangePassword", &json!({ "userid": owner, "password": CANARY })),
            ];
            (lines, None, user)
        }
        Kind::Registered => {
            let vars = json!({ "client_id": owner, "user_id": user_of(owner, clients), "password": CANARY });
            (vec![line("ClientAdd", "client", &vars)], None, owner)
        }
        Kind::Edited | Kind::EditedByStaff => {
            let actor = if kind == Kind::Edited { "client" } else { "admin" };
            let vars = json!({
                "userid": owner, "firstname": "Nuevo", "authdata": CANARY, "olddata": { "firstname": "Viejo" },
            });
            (vec![line("ClientEdit", actor, &vars)], None, owner)
        }
    };
    // The platform fires one hook two or three times in a row now and then: one alert.
    if lines.len() == 1 && about.is_some() && dice.percent(12) {
        let again = json!({ "hook": lines[0]["hook"], "vars": lines[0]["vars"] });
        lines.extend(std::iter::repeat_n(again, usize::try_from(dice.between(1, 2)).unwrap_or(1)));
    }
    let silent = match kind {
        Kind::EditedByStaff => Some("actor_not_client"),
        Kind::InvoiceZero => Some("amount_zero"),
        _ => None,
    };
    let reason = silent.or(client.silence());
    let people = if reason.is_some() { Vec::new() } else { client.told(right) };
    let to: Vec<_> = people.into_iter().map(|one| (one.phone.clone(), one.name.clone())).collect();
    let events =
        lines.iter().map(|one| (hook_name(&one["hook"]), event_subject(&one["hook"], subject, owner))).collect();
    Act { number, lines, events, must: Must { template, locale: client.locale, class, about, to, reason } }
}

/// Template, class, and the right of contacts who are told.
fn meaning(kind: Kind) -> (&'static str, &'static str, u8) {
    match kind {
        Kind::InvoiceCreated | Kind::InvoiceZero => ("invoice_created", "notice", INVOICE),
        Kind::InvoiceCancelled => ("invoice_cancelled", "notice", INVOICE),
        Kind::Payment => ("payment_received", "status", INVOICE),
        Kind::Suspended => ("service_suspended", "status", PRODUCT),
        Kind::Reactivated => ("service_reactivated", "status", PRODUCT),
        Kind::Terminated => ("service_terminated", "status", PRODUCT),
        Kind::Activated => ("service_activated", "status", PRODUCT),
        Kind::Quote => ("quote_available", "notice", GENERAL),
        Kind::DomainDeleted => ("domain_deleted", "status", DOMAIN),
        Kind::Password => ("password_changed", "security", 0),
        Kind::Registered => ("client_registered", "notice", 0),
        Kind::Edited | Kind::EditedByStaff => ("details_edited", "security", 0),
    }
}

fn invoice_lines(kind: Kind, id: u32) -> Vec<Value> {
    let paid = json!({ "invoiceid": id });
    match kind {
        Kind::InvoiceCancelled => vec![line("InvoiceCancelled", "admin", &paid)],
        Kind::Payment => vec![line("AddInvoicePayment", "api", &paid), and("InvoicePaid", &paid)],
        _ => {
            let vars = json!({ "source": "autogen", "user": "system", "invoiceid": id, "status": "Unpaid" });
            vec![line("InvoiceCreated", "cron", &vars)]
        }
    }
}

fn line(hook: &str, actor: &str, vars: &Value) -> Value {
    json!({ "hook": hook, "actor": actor, "vars": vars, "new_request": true })
}

fn and(hook: &str, vars: &Value) -> Value {
    json!({ "hook": hook, "vars": vars })
}

const HOOKS: [&str; 14] = [
    "InvoiceCreated",
    "InvoiceCancelled",
    "AddInvoicePayment",
    "InvoicePaid",
    "AfterModuleSuspend",
    "AfterModuleUnsuspend",
    "AfterModuleTerminate",
    "AfterModuleCreate",
    "QuoteStatusChange",
    "EmailPreSend",
    "DomainDelete",
    "UserChangePassword",
    "ClientChangePassword",
    "ClientAdd",
];

fn hook_name(hook: &Value) -> &'static str {
    HOOKS.into_iter().find(|name| hook == name).unwrap_or("ClientEdit")
}

/// The id that the event's envelope carries: a password changes for a login in one hook and for a client in the other.
fn event_subject(hook: &Value, subject: u32, owner: u32) -> u32 {
    if hook == "ClientChangePassword" { owner } else { subject }
}

/// The subject's id in the fields of a stored event.
pub fn subject_of(fields: &Value) -> Option<u64> {
    let places = [
        "/invoiceid",
        "/params/serviceid",
        "/quoteid",
        "/mergefields/quote_number",
        "/domainid",
        "/client_id",
        "/userid",
    ];
    places.iter().find_map(|place| fields.pointer(place).and_then(Value::as_u64))
}
