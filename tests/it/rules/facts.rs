//! Owns: facts out of the JSON of `tests/vectors/rules`. Each case is the file's own facts with some of them changed.

use hookbridge::decide::Answer;
use hookbridge::decide::policy::day;
use hookbridge::domain::case::{Account, CancelKind, CancelRequest, Cycle, Debt, Hosted, Plan};
use hookbridge::domain::decision::{Decision, DecisionId, Rule, Verdict};
use hookbridge::domain::ids::{ClientId, CurrencyId, DomainId, InvoiceId, ServiceId};
use hookbridge::domain::locale::Locale;
use hookbridge::domain::money::{Currency, Money, NumberFormat};
use hookbridge::domain::phone::PhonePolicy;
use hookbridge::domain::record::{ClientStatus, DomainName};
use hookbridge::rules::cancellation::What;
use hookbridge::rules::{cancellation, checks, identity, ownership, termination, upgrade};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value;

/// One case, laid over its file's own facts.
pub struct Case {
    pub rule: Rule,
    pub name: String,
    pub given: Value,
    pub wanted: Value,
}

/// All cases of a rule.
pub fn cases(rule: Rule) -> Vec<Case> {
    let path = format!("{}/tests/vectors/rules/{rule}.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("a file of cases")).expect("JSON");
    let cases = file["cases"].as_array().expect("cases");
    cases
        .iter()
        .map(|case| {
            let mut given = file.clone();
            for part in ["facts", "policy", "now", "zone"] {
                if let Some(change) = case.get(part) {
                    merge(&mut given[part], change);
                }
            }
            Case { rule, name: text(&case["case"]), given, wanted: case.clone() }
        })
        .collect()
}

/// RFC 7396: objects are merged, everything else is replaced.
fn merge(base: &mut Value, change: &Value) {
    match (base, change) {
        (Value::Object(base), Value::Object(change)) => {
            for (name, value) in change {
                merge(base.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (base, change) => *base = change.clone(),
    }
}

impl Case {
    /// What the rule says.
    pub fn decide(&self) -> Decision {
        let (facts, policy) = (&self.given["facts"], &self.given["policy"]);
        let now = text(&self.given["now"]).parse().expect("a time");
        let today = day(now, &jiff::tz::TimeZone::get(&text(&self.given["zone"])).expect("a zone"));
        match self.rule {
            Rule::Upgrade => upgrade::decide(&upgrade_facts(facts), &upgrade_policy(policy), today),
            Rule::Ownership => ownership::decide(&ownership_facts(facts), &ownership_policy(policy), today),
            Rule::Cancellation => cancellation::decide(&cancellation_facts(facts, today), &cancellation_policy(policy)),
            Rule::Termination => {
                let decision = termination::decide(&termination_facts(facts), today);
                let exception = facts["override"] == true && decision.verdict == Verdict::Deny;
                if exception { checks::overridden(decision) } else { decision }
            }
            Rule::Identity => identity::decide(&identity_facts(facts), &identity_policy(policy)),
        }
    }

    /// The same as the asker gets it.
    pub fn answer(&self) -> Answer {
        Answer::new(DecisionId(uuid::Uuid::nil()), self.decide(), Locale::En, &std::collections::BTreeMap::new())
    }
}

pub fn currency(code: &str) -> Currency {
    let (id, prefix, suffix, format) = match code {
        "ARS" => (1, "$", "", NumberFormat::PointComma),
        "USD" => (2, "US$ ", "", NumberFormat::CommaPoint),
        "EUR" => (4, "", " €", NumberFormat::PointComma),
        other => panic!("{other} is no currency of the cases"),
    };
    Currency { id: CurrencyId(id), code: code.into(), prefix: prefix.into(), suffix: suffix.into(), format }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn decimal(value: &Value) -> Option<Decimal> {
    value.as_str().map(|text| text.parse().expect("an amount"))
}

fn money(value: &Value, currency: &Currency) -> Money {
    Money::new(decimal(value).unwrap_or_default(), currency.id)
}

fn date(value: &Value) -> Option<Date> {
    value.as_str().map(|text| text.parse().expect("a date"))
}

fn service(value: &Value, currency: &Currency) -> Option<Hosted> {
    value.is_object().then(|| Hosted {
        id: ServiceId(number(&value["id"])),
        client_id: ClientId(number(&value["client_id"])),
        status: text(&value["status"]),
        product_id: number(&value["product_id"]),
        product: text(&value["product"]),
        domain: text(&value["domain"]),
        cycle: value["cycle"].as_str().map(|cycle| Cycle::parse(cycle).expect("a cycle")),
        recurring: money(&value["recurring"], currency),
        quantity: u32::try_from(number(&value["quantity"])).expect("a quantity"),
        next_due: date(&value["next_due"]),
    })
}

fn account(value: &Value) -> Option<Account> {
    value.is_object().then(|| Account {
        id: ClientId(number(&value["id"])),
        first_name: text(&value["first_name"]),
        last_name: text(&value["last_name"]),
        company: text(&value["company"]),
        email: text(&value["email"]),
        owner_emails: value["owner_emails"].as_array().into_iter().flatten().map(text).collect(),
        tax_id: text(&value["tax_id"]),
        phone: text(&value["phone"]),
        country: text(&value["country"]),
        status: ClientStatus::parse(&text(&value["status"])).expect("a status"),
        locale: None,
        currency_id: currency_of(value).id,
        currency: Some(currency_of(value)),
    })
}

fn currency_of(account: &Value) -> Currency {
    currency(account["currency"].as_str().unwrap_or("ARS"))
}

fn plan(value: &Value, currency: &Currency) -> Option<Plan> {
    let prices = |value: &Value| {
        let of =
            |cycle: &Cycle| value[cycle.code()].is_string().then(|| (*cycle, money(&value[cycle.code()], currency)));
        Cycle::ALL.iter().filter_map(of).collect()
    };
    value.is_object().then(|| Plan {
        product_id: number(&value["product_id"]),
        name: text(&value["name"]),
        prices: prices(&value["prices"]),
    })
}

fn debts(value: &Value, currency: &Currency) -> Vec<Debt> {
    let debt = |one: &Value| Debt {
        id: InvoiceId(number(&one["id"])),
        number: number(&one["id"]).to_string(),
        status: text(&one["status"]),
        due: date(&one["due"]),
        balance: money(&one["balance"], currency),
    };
    value.as_array().into_iter().flatten().map(debt).collect()
}

fn upgrade_facts(v: &Value) -> upgrade::Facts {
    let currency = currency_of(&v["account"]);
    upgrade::Facts {
        service: service(&v["service"], &currency),
        account: account(&v["account"]),
        claimed_client: v["claimed_client"].as_u64(),
        claimed_product: v["claimed_product"].as_u64(),
        from: plan(&v["from"], &currency),
        to: plan(&v["to"], &currency),
        is_path: v["is_path"] == true,
        to_cycle: v["to_cycle"].as_str().map(|cycle| Cycle::parse(cycle).expect("a cycle")),
        open_upgrades: number(&v["open_upgrades"]),
        debts: debts(&v["debts"], &currency),
        platform_price: decimal(&v["platform_price"]),
        platform_discount: decimal(&v["platform_discount"]),
        days: v["days"].as_array().map(|days| (number(&days[0]), number(&days[1]))),
    }
}

fn upgrade_policy(v: &Value) -> upgrade::Policy {
    upgrade::Policy {
        pricing: match v["price"].as_str() {
            Some("pro_rata") => upgrade::Pricing::ProRata,
            Some("platform") => upgrade::Pricing::Platform,
            _ => upgrade::Pricing::Difference,
        },
        lower_is_free: v["downgrade"] == "free",
        shorter_cycle: v["shorter_cycle"] == "allow",
        discount: match v["discount"].as_str() {
            Some("scale") => upgrade::Discount::Scale,
            Some("none") => upgrade::Discount::None,
            _ => upgrade::Discount::Keep,
        },
    }
}

fn ownership_facts(v: &Value) -> ownership::Facts {
    let (from, to) = (currency_of(&v["owner"]), currency_of(&v["new_owner"]));
    ownership::Facts {
        service: service(&v["service"], &from),
        owner: account(&v["owner"]),
        new_owner: account(&v["new_owner"]),
        claimed_client: v["claimed_client"].as_u64(),
        sender: v["sender"].as_str().map(str::to_owned),
        owner_debts: debts(&v["owner_debts"], &from),
        new_owner_debts: debts(&v["new_owner_debts"], &to),
    }
}

fn ownership_policy(v: &Value) -> ownership::Policy {
    let review_from = u32::try_from(number(&v["review_from"])).expect("points");
    ownership::Policy { review_from, default_country: "AR".to_owned(), phone: PhonePolicy::default() }
}

fn cancellation_facts(v: &Value, today: Date) -> cancellation::Facts {
    let currency = currency_of(&v["account"]);
    let domain = &v["domain"];
    let what = if domain.is_object() {
        What::Domain((number(&domain["id"]) > 0).then(|| DomainName {
            id: DomainId(number(&domain["id"])),
            client_id: ClientId(number(&domain["client_id"])),
            name: text(&domain["name"]),
            status: text(&domain["status"]),
            expires: date(&domain["expires"]),
            do_not_renew: false,
        }))
    } else {
        What::Service(service(&v["service"], &currency).map(Box::new))
    };
    cancellation::Facts {
        what,
        account: account(&v["account"]),
        claimed_client: v["claimed_client"].as_u64(),
        kind: v["kind"].as_str().map(|kind| CancelKind::parse(kind).expect("a kind")),
        requested: today,
        debts: debts(&v["debts"], &currency),
    }
}

fn cancellation_policy(v: &Value) -> cancellation::Policy {
    cancellation::Policy {
        late_is_refused: v["renewal_invoiced"] == "deny",
        national_endings: v["national_endings"].as_array().into_iter().flatten().map(text).collect(),
    }
}

fn termination_facts(v: &Value) -> termination::Facts {
    let request = &v["request"];
    termination::Facts {
        service: service(&v["service"], &currency("EUR")),
        claimed_client: v["claimed_client"].as_u64(),
        request: request.is_object().then(|| CancelRequest {
            id: number(&request["id"]),
            at: request["at"].as_str().map(|at| at.parse().expect("a local time")),
            kind: CancelKind::parse(&text(&request["kind"])).expect("a kind"),
        }),
        was_denied: v["was_denied"] == true,
    }
}

fn identity_facts(v: &Value) -> identity::Facts {
    identity::Facts {
        contact: v["contact"] == true,
        same_email: v["same_email"].as_array().into_iter().flatten().map(|id| ClientId(number(id))).collect(),
        phone: v["phone"].as_str().map(str::to_owned),
        phone_prefix: text(&v["phone_prefix"]),
        country: text(&v["country"]),
    }
}

fn identity_policy(v: &Value) -> identity::Policy {
    identity::Policy {
        bad_phone: match v["bad_phone"].as_str() {
            Some("refuse") => identity::BadPhone::Refuse,
            Some("ignore") => identity::BadPhone::Ignore,
            _ => identity::BadPhone::Warn,
        },
        default_country: "AR".to_owned(),
        phone: PhonePolicy::default(),
    }
}
