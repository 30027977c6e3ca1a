//! What must hold whatever the facts: no panic, a refusal has a reason, a debt never opens a door.

use hookbridge::decide::Question;
use hookbridge::domain::case::{Account, CancelKind, CancelRequest, Cycle, Debt, Hosted, Plan};
use hookbridge::domain::decision::{Decision, Rule, Value, Verdict};
use hookbridge::domain::event::FieldValue;
use hookbridge::domain::ids::{ClientId, CurrencyId, DomainId, InvoiceId, ServiceId};
use hookbridge::domain::money::Money;
use hookbridge::domain::phone::PhonePolicy;
use hookbridge::domain::record::{ClientStatus, DomainName};
use hookbridge::rules::cancellation::What;
use hookbridge::rules::checks::is_overdue;
use hookbridge::rules::{cancellation, identity, ownership, termination, upgrade};
use jiff::civil::Date;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;

use super::cases::conditions;
use super::facts::currency;

const USD: CurrencyId = CurrencyId(2);

fn amount() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        (-200_000i64..200_000, 0u32..4).prop_map(|(units, scale)| Decimal::new(units, scale)),
        (any::<i64>(), 0u32..10).prop_map(|(units, scale)| Decimal::new(units, scale)),
        select(vec![Decimal::MAX, Decimal::MIN, Decimal::ZERO, Decimal::new(1, 28)]),
    ]
}

fn money() -> impl Strategy<Value = Money> {
    amount().prop_map(|amount| Money::new(amount, USD))
}

fn date() -> impl Strategy<Value = Date> {
    let near = (2020i16..2032, 1i8..13, 1i8..29);
    let far = (-9999i16..=9999, 1i8..13, 1i8..29);
    prop_oneof![9 => near, 1 => far].prop_map(|(y, m, d)| Date::new(y, m, d).expect("a date"))
}

fn cycle() -> impl Strategy<Value = Cycle> {
    select(Cycle::ALL.to_vec())
}

fn debt() -> impl Strategy<Value = Debt> {
    let status = select(vec!["Unpaid", "Collections", "Payment Pending", "Paid", ""]);
    (0u64..9, status, of(date()), money()).prop_map(|(id, status, due, balance)| Debt {
        id: InvoiceId(id),
        number: id.to_string(),
        status: status.to_owned(),
        due,
        balance,
    })
}

fn debts() -> impl Strategy<Value = Vec<Debt>> {
    prop::collection::vec(debt(), 0..4)
}

fn service() -> impl Strategy<Value = Hosted> {
    let status = select(vec!["Active", "Suspended", "Pending", "Terminated", "?"]);
    (1u64..4, status, of(cycle()), money(), any::<u32>(), of(date())).prop_map(
        |(owner, status, cycle, recurring, quantity, next_due)| Hosted {
            id: ServiceId(7),
            client_id: ClientId(owner),
            status: status.to_owned(),
            product_id: 1,
            product: "P".to_owned(),
            domain: String::new(),
            cycle,
            recurring,
            quantity,
            next_due,
        },
    )
}

fn account() -> impl Strategy<Value = Account> {
    let status = select(vec![ClientStatus::Active, ClientStatus::Inactive, ClientStatus::Closed]);
    let email = select(vec!["a@x.example", " A@X.example", "b@x.example", ""]);
    (1u64..4, status, email, ".{0,12}", ".{0,12}", "[+0-9. -]{0,16}").prop_map(
        |(id, status, email, name, company, phone)| Account {
            id: ClientId(id),
            first_name: name.clone(),
            last_name: name,
            company,
            email: email.to_owned(),
            owner_emails: Vec::new(),
            tax_id: phone.clone(),
            phone,
            country: "AR".to_owned(),
            status,
            locale: None,
            currency_id: currency("USD").id,
            currency: Some(currency("USD")),
        },
    )
}

fn plan() -> impl Strategy<Value = Plan> {
    prop::collection::vec((cycle(), money()), 0..5).prop_map(|prices| Plan {
        product_id: 2,
        name: "Q".to_owned(),
        prices,
    })
}

fn upgrade_facts() -> impl Strategy<Value = upgrade::Facts> {
    let who = (of(service()), of(account()), of(1u64..4), of(1u64..3));
    let way = (of(plan()), of(plan()), any::<bool>(), of(cycle()), 0u64..2);
    let platform = (of(amount()), of(amount()), of((any::<u64>(), any::<u64>())));
    (who, way, debts(), platform).prop_map(|(who, way, debts, platform)| upgrade::Facts {
        service: who.0,
        account: who.1,
        claimed_client: who.2,
        claimed_product: who.3,
        from: way.0,
        to: way.1,
        is_path: way.2,
        to_cycle: way.3,
        open_upgrades: way.4,
        debts,
        platform_price: platform.0,
        platform_discount: platform.1,
        days: platform.2,
    })
}

fn upgrade_policy() -> impl Strategy<Value = upgrade::Policy> {
    use upgrade::{Discount, Policy, Pricing};
    let pricing = select(vec![Pricing::Difference, Pricing::ProRata, Pricing::Platform]);
    let discount = select(vec![Discount::Keep, Discount::Scale, Discount::None]);
    (pricing, any::<bool>(), any::<bool>(), discount).prop_map(|(pricing, lower_is_free, shorter_cycle, discount)| {
        Policy { pricing, lower_is_free, shorter_cycle, discount }
    })
}

fn ownership_facts() -> impl Strategy<Value = ownership::Facts> {
    let sender = of(select(vec!["a@x.example", "b@x.example", ""]));
    (of(service()), of(account()), of(account()), of(1u64..4), sender, debts(), debts()).prop_map(
        |(service, owner, new_owner, claimed_client, sender, owner_debts, new_owner_debts)| ownership::Facts {
            service,
            owner,
            new_owner,
            claimed_client,
            sender: sender.map(str::to_owned),
            owner_debts,
            new_owner_debts,
        },
    )
}

fn cancellation_facts() -> impl Strategy<Value = cancellation::Facts> {
    let domain = (1u64..4, ".{0,9}(\\.ar|\\.com)?", select(vec!["Active", "Expired"]), of(date())).prop_map(
        |(owner, name, status, expires)| DomainName {
            id: DomainId(7),
            client_id: ClientId(owner),
            name,
            status: status.to_owned(),
            expires,
            do_not_renew: false,
        },
    );
    let what = prop_oneof![
        of(service()).prop_map(|service| What::Service(service.map(Box::new))),
        of(domain).prop_map(What::Domain),
    ];
    let kind = of(select(vec![CancelKind::Immediate, CancelKind::EndOfPeriod]));
    (what, of(account()), of(1u64..4), kind, date(), debts()).prop_map(
        |(what, account, claimed_client, kind, requested, debts)| cancellation::Facts {
            what,
            account,
            claimed_client,
            kind,
            requested,
            debts,
        },
    )
}

/// A refusal names what failed, and a rule says nothing that its list of conditions does not have.
fn sound(decision: &Decision) -> Result<(), TestCaseError> {
    let refused = matches!(decision.verdict, Verdict::Deny | Verdict::Review);
    let failed = decision.conditions.iter().any(|one| !one.passed);
    prop_assert!(!refused || failed, "{decision:?}");
    for one in &decision.conditions {
        prop_assert!(conditions(decision.rule).contains(&one.code), "{} is on no list", one.code);
    }
    Ok(())
}

/// An invoice that is overdue on `today`.
fn overdue(today: Date) -> Debt {
    let debt = Debt {
        id: InvoiceId(99),
        number: "99".to_owned(),
        status: "Unpaid".to_owned(),
        due: today.yesterday().ok(),
        balance: Money::new(Decimal::ONE, USD),
    };
    assert!(is_overdue(&debt, today) || debt.due.is_none());
    debt
}

fn stays_refused(before: &Decision, after: &Decision) -> Result<(), TestCaseError> {
    prop_assert!(before.verdict != Verdict::Deny || after.verdict == Verdict::Deny, "{before:?} {after:?}");
    Ok(())
}

proptest! {
    #[test]
    fn an_upgrade_is_never_priced_below_nothing_and_a_debt_never_opens_it(
        facts in upgrade_facts(), policy in upgrade_policy(), today in date(),
    ) {
        let decision = upgrade::decide(&facts, &policy, today);
        sound(&decision)?;
        if let Some(Value::Money(price)) = decision.values.get("price") {
            prop_assert!(!price.is_negative());
            let Some(Value::Money(discount)) = decision.values.get("discount") else { panic!("no discount") };
            prop_assert!(!discount.is_negative() && discount.amount() <= price.amount());
        }
        let mut owing = facts;
        owing.debts.push(overdue(today));
        stays_refused(&decision, &upgrade::decide(&owing, &policy, today))?;
    }

    #[test]
    fn a_change_of_owner_is_never_opened_by_a_debt_on_either_side(
        facts in ownership_facts(), review_from in 1u32..9, today in date(),
    ) {
        let policy = ownership::Policy { review_from, default_country: "AR".to_owned(), phone: PhonePolicy::default() };
        let decision = ownership::decide(&facts, &policy, today);
        sound(&decision)?;
        if let Some(Value::Number(score)) = decision.values.get("score") {
            prop_assert!((0..=8).contains(score));
        }
        for mine in [true, false] {
            let mut owing = facts.clone();
            if mine { &mut owing.owner_debts } else { &mut owing.new_owner_debts }.push(overdue(today));
            stays_refused(&decision, &ownership::decide(&owing, &policy, today))?;
        }
    }

    #[test]
    fn a_cancellation_never_takes_effect_before_it_was_asked_for(
        facts in cancellation_facts(), late_is_refused in any::<bool>(),
    ) {
        let policy = cancellation::Policy { late_is_refused, national_endings: vec![".ar".to_owned()] };
        let decision = cancellation::decide(&facts, &policy);
        sound(&decision)?;
        if let Some(Value::Date(effective)) = decision.values.get("effective_date") {
            prop_assert!(*effective >= facts.requested);
        }
        let mut owing = facts.clone();
        owing.debts.push(overdue(facts.requested));
        stays_refused(&decision, &cancellation::decide(&owing, &policy))?;
    }

    #[test]
    fn a_termination_is_refused_with_a_reason_only(
        service in of(service()), claimed_client in of(1u64..4), asked in of((of(date()), any::<bool>())),
        was_denied in any::<bool>(), today in date(),
    ) {
        let request = asked.map(|(at, at_once)| CancelRequest {
            id: 1,
            at: at.map(|date| date.at(12, 0, 0, 0)),
            kind: if at_once { CancelKind::Immediate } else { CancelKind::EndOfPeriod },
        });
        let facts = termination::Facts { service, claimed_client, request, was_denied };
        sound(&termination::decide(&facts, today))?;
    }

    #[test]
    fn whatever_is_typed_as_a_phone_is_answered(
        phone in ".{0,40}", phone_prefix in ".{0,6}", country in ".{0,4}", contact in any::<bool>(), taken in any::<bool>(),
    ) {
        use identity::{BadPhone, Facts, Policy};
        let same_email = if taken { vec![ClientId(7)] } else { Vec::new() };
        let facts = Facts { contact, same_email, phone: Some(phone), phone_prefix, country };
        for bad_phone in [BadPhone::Refuse, BadPhone::Warn, BadPhone::Ignore] {
            let policy = Policy { bad_phone, default_country: "AR".to_owned(), phone: PhonePolicy::default() };
            let decision = identity::decide(&facts, &policy);
            sound(&decision)?;
            prop_assert!(contact || !taken || decision.verdict == Verdict::Deny);
        }
    }

    #[test]
    fn whatever_is_asked_is_read_or_refused(name in 0usize..20, text in ".{0,24}", rule in select(Rule::ALL.to_vec())) {
        let names = ["service_id", "to_product_id", "to_client_id", "platform_price", "days", "type", "requested_at", "to_cycle"];
        let mut fields = std::collections::BTreeMap::from(
            ["service_id", "to_product_id", "to_client_id"].map(|name| (name.to_owned(), FieldValue::Int(7))),
        );
        fields.insert(names[name % names.len()].to_owned(), FieldValue::Text(text));
        let _ = Question::read(rule, &fields);
    }
}
