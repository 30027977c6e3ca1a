//! Every built-in text in every language, filled with a sample and with awkward records, kept as files that a person can read:
//! `tests/golden/texts/`. After a change of a text: `UPDATE_GOLDEN=1 cargo test --test it golden`, and read the difference.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use hookbridge::catalogue::Catalogue;
use hookbridge::domain::case::{CancelKind, Debt};
use hookbridge::domain::hookpoint::{Hookpoint, SubjectKind};
use hookbridge::domain::ids::InvoiceId;
use hookbridge::domain::locale::Locale;
use hookbridge::domain::money::Money;
use hookbridge::domain::record::{Credited, Facts, SubjectRow};
use hookbridge::render::context::{About, build};
use hookbridge::render::{Templates, sample};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

const LONG: &str =
    "Sociedad de Fomento y Biblioteca Popular Almirante Guillermo Brown de Villa General Mitre y Barrios Vecinos";

/// Facts under a name; the hook, what it changed, and the recipient's first name and company.
struct Case {
    name: &'static str,
    facts: Facts,
    hook: &'static str,
    who: (&'static str, &'static str),
}

fn debts(facts: &Facts, count: u64) -> Vec<Debt> {
    let one = |n: u64| Debt {
        id: InvoiceId(26 + n),
        number: format!("2026-{:04}", 26 + n),
        status: "Unpaid".to_owned(),
        due: None,
        balance: Money::new(Decimal::new(i64::try_from(n * 10_000 + 5).expect("small"), 2), facts.client.currency_id()),
    };
    (1..=count).map(one).collect()
}

/// What goes wrong with texts about `kind` of rows.
fn awkward(kind: SubjectKind) -> Vec<(&'static str, Facts)> {
    let mut all: Vec<(&'static str, Facts)> = Vec::new();
    let mut add = |name: &'static str, change: &dyn Fn(&mut Facts)| {
        let mut facts = sample::facts(kind);
        change(&mut facts);
        all.push((name, facts));
    };
    match kind {
        SubjectKind::Invoice => {
            let invoice = |facts: &mut Facts, change: &dyn Fn(&mut hookbridge::domain::record::Invoice)| {
                if let SubjectRow::Invoice(invoice, _) = &mut facts.subject {
                    change(invoice);
                }
            };
            add("no due date", &|facts| invoice(facts, &|one| one.due = None));
            add("due today", &|facts| invoice(facts, &|one| one.due = "2026-11-23".parse().ok()));
            add("due long ago", &|facts| invoice(facts, &|one| one.due = "2026-11-01".parse().ok()));
            add("nothing left to pay", &|facts| {
                let zero = Money::zero(facts.client.currency_id());
                invoice(facts, &|one| one.balance = zero);
            });
            for (name, credited, paid) in [
                ("paid from credit, no payment", Credited::Balance as fn(Money) -> Credited, false),
                ("paid from credit and by a payment", Credited::Balance, true),
                ("settled by a credit note, no payment", Credited::Notes, false),
                ("settled by a credit note and a payment", Credited::Notes, true),
                ("marked as paid, no payment and no credit", |_| Credited::Nothing, false),
            ] {
                add(name, &|facts| {
                    let zero = Money::zero(facts.client.currency_id());
                    if let SubjectRow::Invoice(one, payment) = &mut facts.subject {
                        one.credited = credited(one.balance);
                        one.balance = zero;
                        "Paid".clone_into(&mut one.status);
                        payment.take_if(|_| !paid);
                    }
                });
            }
        }
        SubjectKind::Service | SubjectKind::Cancellation => {
            for (name, count) in [("nothing owed", 0), ("two invoices", 2), ("three invoices", 3), ("five invoices", 5)]
            {
                add(name, &|facts| {
                    let debts = debts(facts, count);
                    match &mut facts.subject {
                        SubjectRow::Service(service) => service.owed = debts,
                        SubjectRow::Cancellation(one) => {
                            if let Some(ruled) = &mut one.ruled {
                                ruled.due = debts;
                            }
                        }
                        _ => {}
                    }
                });
            }
            add("at once, no day known, no reason, no domain", &|facts| match &mut facts.subject {
                SubjectRow::Service(service) => {
                    service.suspend_reason.clear();
                    service.domain.clear();
                }
                SubjectRow::Cancellation(one) => {
                    if let Some(request) = &mut one.request {
                        request.kind = CancelKind::Immediate;
                    }
                    if let Some(ruled) = &mut one.ruled {
                        ruled.effective = None;
                        ruled.due.clear();
                    }
                }
                _ => {}
            });
        }
        SubjectKind::Quote => {
            let quote = |facts: &mut Facts, change: &dyn Fn(&mut hookbridge::domain::record::Quote)| {
                if let SubjectRow::Quote(quote) = &mut facts.subject {
                    change(quote);
                }
            };
            add("no last day, no subject", &|facts| {
                quote(facts, &|one| {
                    one.valid_until = None;
                    one.subject.clear();
                });
            });
            add("on its last day", &|facts| {
                let today = facts.today;
                quote(facts, &|one| one.valid_until = Some(today));
            });
        }
        SubjectKind::Contact => add("gone", &|facts| facts.subject = SubjectRow::Contact(None)),
        SubjectKind::Client | SubjectKind::User | SubjectKind::Domain | SubjectKind::Ticket => {}
    }
    all
}

fn cases(hookpoint: &Hookpoint) -> Vec<Case> {
    let kind = hookpoint.subject;
    let hook = if kind == SubjectKind::Contact { "ContactEdit" } else { "" };
    let case = |name, facts, who| Case { name, facts, hook, who };
    let mut all = vec![
        case("sample", sample::facts(kind), ("Ana", "")),
        case("a long name", sample::facts(kind), ("", LONG)),
        case("a name from right to left", sample::facts(kind), ("\u{202e}מרים", "")),
        case("no name", sample::facts(kind), ("-", "")),
        case("a department as the name", sample::facts(kind), ("Pagos", "")),
    ];
    all.extend(awkward(kind).into_iter().map(|(name, facts)| case(name, facts, ("Ana", ""))));
    if kind == SubjectKind::Contact {
        for hook in ["ContactAdd", "ContactDelete"] {
            all.push(Case { hook, ..case(hook, sample::facts(kind), ("Ana", "")) });
        }
    }
    if hookpoint.triggers.iter().any(|trigger| !trigger.former_at.is_empty()) {
        for (name, former, together) in [("to the former owner", true, 1), ("three at once", false, 3)] {
            let mut facts = sample::facts(kind);
            facts.moved = facts.moved.map(|moved| hookbridge::domain::record::Moved { former, together, ..moved });
            all.push(case(name, facts, ("Ana", "")));
        }
    }
    all
}

fn is_settled(facts: &Facts) -> bool {
    matches!(&facts.subject, SubjectRow::Invoice(invoice, _) if invoice.balance.is_zero())
}

#[test]
fn every_text_reads_well_in_every_language_with_every_awkward_record() {
    let (catalogue, templates) =
        (Catalogue::built_in(&BTreeMap::new()).expect("the catalogue"), Templates::built_in().expect("the texts"));
    let platform = sample::platform();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/texts");
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for entry in catalogue.entries() {
        let hookpoint = &entry.hookpoint;
        for locale in Locale::ALL {
            let mut said = String::new();
            // What is paid is not announced.
            let asks = ["invoice_created", "invoice_reminder", "invoice_overdue"].contains(&hookpoint.id.as_str());
            let said_of = |case: &Case| !asks || !is_settled(&case.facts);
            for case in cases(hookpoint).into_iter().filter(said_of) {
                let about = About {
                    facts: &case.facts,
                    platform: &platform,
                    zone: &TimeZone::UTC,
                    occurred_at: "2026-11-23T15:04:05Z".parse().expect("a moment"),
                    hook: case.hook,
                    changed: &["phonenumber".to_owned(), "email".to_owned()],
                    first_name: case.who.0,
                    company: case.who.1,
                };
                let rendered = templates.render(&hookpoint.id, locale, &build(&about, locale), &platform.system_url);
                let text = rendered.unwrap_or_else(|error| panic!("{}: {error}", hookpoint.id)).text;
                writeln!(said, "## {}\n{text}\n", case.name).expect("into a text");
                for bad in [" - ", " -.", " -,", "$0,00", "$ 0,00", "  ", " ,", " .", "{", "}", "\u{202e}"] {
                    assert!(!text.contains(bad), "{} {locale}, {}: {bad:?} in {text}", hookpoint.id, case.name);
                }
            }
            let file = folder.join(format!("{}.{locale}.md", hookpoint.id));
            if update {
                std::fs::create_dir_all(&folder).expect("a folder of ours");
                std::fs::write(&file, &said).expect("a file of ours");
            } else if std::fs::read_to_string(&file).ok().as_deref() != Some(&said) {
                wrong.push(file.display().to_string());
            }
        }
    }
    assert!(wrong.is_empty(), "not as kept; run with UPDATE_GOLDEN=1 and read the difference:\n{}", wrong.join("\n"));
}

#[test]
fn the_company_comes_first_and_security_invites_to_no_opt_out() {
    let (catalogue, templates) =
        (Catalogue::built_in(&BTreeMap::new()).expect("the catalogue"), Templates::built_in().expect("the texts"));
    for entry in catalogue.entries() {
        let security = entry.hookpoint.class == hookbridge::domain::hookpoint::Class::Security;
        for locale in Locale::ALL {
            let template = templates.exact(&entry.hookpoint.id, locale).expect("a text of its own");
            assert_eq!(template.variables().next(), Some("company.name"), "{} {locale}", entry.hookpoint.id);
            assert_eq!(template.footer.is_none(), security, "{} {locale}", entry.hookpoint.id);
            assert!(template.button.is_some(), "{} {locale}", entry.hookpoint.id);
        }
    }
}

/// What only some countries say or write; clients outside the Río de la Plata get the neutral text.
const OF_ONE_COUNTRY: &str = "vos sos podés tenés querés abrí pagá entrá mirá escribinos avisanos respondé elegí hacé \
    vosotros podéis coste ordenador hemos has ha han";

#[test]
fn the_neutral_spanish_is_of_no_one_country() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/texts");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).expect("the folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".es.md") {
            read += 1;
            let text = std::fs::read_to_string(entry.path()).expect("a text").to_lowercase();
            let found: Vec<&str> = text
                .split(|c: char| !c.is_alphabetic())
                .filter(|word| OF_ONE_COUNTRY.split_whitespace().any(|one| one == *word))
                .collect();
            assert!(found.is_empty(), "{name}: {found:?}");
        }
    }
    assert!(read > 30, "{read} texts");
}
