//! Owns: what a higher plan costs (B1), and whether it can be had automatically (B3).
//!
//! The client pays the difference of two recurring prices: the new plan's, less what the running period of the present
//! one was paid with. Nothing is refunded, so the result is never below zero. Amounts are exact; only a pro rata is
//! rounded, once, to hundredths, halves away from zero. Taxes are the platform's business: both prices are without.

use jiff::civil::Date;
use jiff::{Span, Unit};
use rust_decimal::Decimal;

use super::checks::{Checks, currency_of, is_own, name_of, overdue};
use crate::domain::case::{Account, Cycle, Debt, Hosted, Plan};
use crate::domain::decision::{Decision, Rule, Value, Verdict};
use crate::domain::money::{Currency, Money};
use crate::domain::record::ClientStatus;

/// Rises when the rule's meaning changes.
pub const VERSION: u16 = 2;

/// Every condition, in the order they are looked at.
pub const CONDITIONS: [&str; 12] = [
    "service_found",
    "own_service",
    "same_product",
    "account_open",
    "service_active",
    "paid_by_period",
    "upgrade_path",
    "cycle_offered",
    "cycle_not_shorter",
    "plan_not_lower",
    "no_open_upgrade",
    "no_overdue_invoice",
];
/// Every sentence that sums a decision up.
pub const MESSAGES: [&str; 5] = ["difference", "nothing_to_pay", "ask", "pay_first", "finish_first"];

/// How the price is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pricing {
    Difference,
    ProRata,
    Platform,
}

/// What becomes of a discount that the platform calculated on its own price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discount {
    Keep,
    Scale,
    None,
}

/// What the company decided.
#[derive(Clone, Debug)]
pub struct Policy {
    pub pricing: Pricing,
    /// A lower plan is allowed, for nothing.
    pub lower_is_free: bool,
    pub shorter_cycle: bool,
    pub discount: Discount,
}

/// What the rule looks at.
#[derive(Clone, Debug)]
pub struct Facts {
    pub service: Option<Hosted>,
    /// Who owns the service.
    pub account: Option<Account>,
    /// Who the platform says is asking.
    pub claimed_client: Option<u64>,
    /// The product that the platform says it changes from.
    pub claimed_product: Option<u64>,
    /// The present plan, for its list price.
    pub from: Option<Plan>,
    pub to: Option<Plan>,
    /// The target is among the product's upgrade products.
    pub is_path: bool,
    /// `None`: the cycle stays.
    pub to_cycle: Option<Cycle>,
    /// Upgrades of this service that wait for their payment, without the one that is being asked about.
    pub open_upgrades: u64,
    /// What the owner has not paid.
    pub debts: Vec<Debt>,
    pub platform_price: Option<Decimal>,
    pub platform_discount: Option<Decimal>,
    /// Days left of the period and days of it, as the platform counted them.
    pub days: Option<(u64, u64)>,
}

/// The price of the upgrade on `today`, or why it cannot be had.
#[must_use]
pub fn decide(facts: &Facts, policy: &Policy, today: Date) -> Decision {
    let mut checks = Checks::default();
    let Some(service) = &facts.service else {
        checks.must("service_found", false);
        return refused(checks);
    };
    checks.must("service_found", true);
    // A stranger learns nothing more.
    if !checks.must("own_service", is_own(facts.claimed_client, service.client_id.0)) {
        return refused(checks);
    }
    // The hook names no service, so the page's request does. One that bears another product is not what the platform
    // calculates: it gets no price of ours.
    if !checks.must("same_product", facts.claimed_product.is_none_or(|product| product == service.product_id)) {
        return refused(checks);
    }
    let currency = currency_of(facts.account.as_ref());
    checks.text("product", name_of(service));
    checks.text("to_product", facts.to.as_ref().map_or("", |to| &to.name));
    checks.must("account_open", facts.account.as_ref().is_some_and(|a| a.status != ClientStatus::Closed));
    checks.must("service_active", service.status == "Active");
    let now = service.cycle.filter(|cycle| *cycle != Cycle::OneTime);
    checks.must("paid_by_period", now.is_some());
    checks.must("upgrade_path", facts.is_path && facts.to.is_some());
    let cycle = facts.to_cycle.or(service.cycle);
    let new = cycle.and_then(|cycle| whole(facts.to.as_ref(), cycle, service.quantity));
    checks.must("cycle_offered", new.is_some());
    checks.must_if(!policy.shorter_cycle, "cycle_not_shorter", !is_shorter(cycle, now));
    let lower = new.is_some_and(|new| is_lower(facts, service, cycle, new));
    checks.must_if(!policy.lower_is_free, "plan_not_lower", !lower);
    checks.must("no_open_upgrade", facts.open_upgrades == 0);
    let owed = overdue(&facts.debts, today);
    checks.must("no_overdue_invoice", owed.is_empty());
    checks.value("overdue", Value::List(owed));
    let price = new.and_then(|new| {
        let currency = service.recurring.currency();
        if lower { Some(Money::zero(currency)) } else { price(facts, policy, service, cycle, new, today) }
    });
    conclude(checks, facts, policy, price, currency)
}

fn refused(checks: Checks) -> Decision {
    let mut decision = checks.decision(Rule::Upgrade, VERSION, Verdict::Deny, None);
    decision.message = Some("ask");
    decision
}

fn conclude(
    mut checks: Checks,
    facts: &Facts,
    policy: &Policy,
    price: Option<Money>,
    currency: Option<Currency>,
) -> Decision {
    let mut verdict = if checks.denied() { Verdict::Deny } else { Verdict::Allow };
    let mut message = checks.denied().then(|| match checks.first_failed() {
        Some("no_overdue_invoice") => "pay_first",
        Some("no_open_upgrade") => "finish_first",
        _ => "ask",
    });
    // A refusal has a price too: before 9.0 the platform cannot be stopped, but it takes the price.
    if let Some(price) = price {
        let discount = discount(facts, policy, price);
        let same = facts.platform_price == Some(price.amount())
            && facts.platform_discount.unwrap_or_default() == discount.amount();
        if verdict == Verdict::Allow && !same && policy.pricing != Pricing::Platform {
            verdict = Verdict::Adjust;
        }
        message = message.or(Some(if price.is_zero() { "nothing_to_pay" } else { "difference" }));
        checks.value("price", Value::Money(price));
        checks.value("discount", Value::Money(discount));
    }
    if let Some(currency) = &currency {
        checks.text("currency", currency.code.clone());
    }
    let mut decision = checks.decision(Rule::Upgrade, VERSION, verdict, currency);
    decision.message = message;
    decision
}

/// The price of one period for all of the quantity.
fn whole(plan: Option<&Plan>, cycle: Cycle, quantity: u32) -> Option<Money> {
    let one = plan?.price(cycle)?;
    let all = one.amount().checked_mul(quantity.max(1).into())?;
    Some(Money::new(all, one.currency()))
}

fn is_shorter(to: Option<Cycle>, from: Option<Cycle>) -> bool {
    let months = |cycle: Option<Cycle>| cycle.and_then(Cycle::months);
    matches!((months(to), months(from)), (Some(to), Some(from)) if to < from)
}

/// Compares the two plans in the cycle of today, where both have it: a year costs less than twelve months without being a
/// lower plan. Else by month.
fn is_lower(facts: &Facts, service: &Hosted, to_cycle: Option<Cycle>, new: Money) -> bool {
    let Some(cycle) = service.cycle else { return false };
    let listed = |plan: Option<&Plan>| plan.and_then(|plan| plan.price(cycle));
    if let (Some(from), Some(to)) = (listed(facts.from.as_ref()), listed(facts.to.as_ref())) {
        return to.amount() < from.amount();
    }
    let paid_now = paid(facts, service);
    let (Some(before), Some(after)) = (cycle.months(), to_cycle.and_then(Cycle::months)) else {
        return new.is_zero() && !paid_now.is_zero();
    };
    let paid = paid_now.amount().checked_mul(after.into());
    let asked = new.amount().checked_mul(before.into());
    matches!((asked, paid), (Some(asked), Some(paid)) if asked < paid)
}

/// What the running period was paid with: the service's recurring amount, but not what goes beyond the plan's own price
/// (options that stay when the plan changes). A promotion that comes again has made it less, and then it counts as less.
fn paid(facts: &Facts, service: &Hosted) -> Money {
    let zero = Money::zero(service.recurring.currency());
    let Some(cycle) = service.cycle.filter(|cycle| cycle.months().is_some()) else { return zero };
    let amount = if service.recurring.is_negative() { zero } else { service.recurring };
    match whole(facts.from.as_ref(), cycle, service.quantity) {
        Some(list) if list.amount() < amount.amount() => Money::new(list.amount(), amount.currency()),
        _ => amount,
    }
}

fn price(
    facts: &Facts,
    policy: &Policy,
    service: &Hosted,
    cycle: Option<Cycle>,
    new: Money,
    today: Date,
) -> Option<Money> {
    let currency = service.recurring.currency();
    let paid = paid(facts, service).amount();
    let amount = match policy.pricing {
        Pricing::Platform => facts.platform_price?,
        Pricing::Difference => new.amount().checked_sub(paid)?,
        Pricing::ProRata => {
            // Without a period there is nothing to divide: all of it is left.
            let (left, whole) = days(facts, service, today).unwrap_or((1, 1));
            let part = |amount: Decimal| amount.checked_mul(left.into())?.checked_div(whole.into());
            if cycle == service.cycle {
                part(new.amount().checked_sub(paid)?)?
            } else {
                new.amount().checked_sub(part(paid)?)?
            }
        }
    };
    Some(Money::new(amount.max(Decimal::ZERO), currency))
}

/// Days left and days in all: the platform's count, else by the calendar.
fn days(facts: &Facts, service: &Hosted, today: Date) -> Option<(u64, u64)> {
    if let Some((left, whole)) = facts.days.filter(|(_, whole)| *whole > 0) {
        return Some((left.min(whole), whole));
    }
    let end = service.next_due?;
    let start = end.checked_sub(Span::new().months(i64::from(service.cycle?.months()?))).ok()?;
    let between = |from: Date| from.until((Unit::Day, end)).ok().and_then(|span| u64::try_from(span.get_days()).ok());
    let whole = between(start)?;
    (whole > 0).then(|| (between(today).unwrap_or(0).min(whole), whole))
}

/// Never more than the price.
fn discount(facts: &Facts, policy: &Policy, price: Money) -> Money {
    let given = facts.platform_discount.unwrap_or_default().max(Decimal::ZERO);
    let ours = match (policy.discount, facts.platform_price) {
        _ if policy.pricing == Pricing::Platform => given,
        (Discount::None, _) => Decimal::ZERO,
        (Discount::Scale, Some(base)) if base > Decimal::ZERO => {
            given.checked_mul(price.amount()).and_then(|part| part.checked_div(base)).unwrap_or(given)
        }
        (Discount::Scale | Discount::Keep, _) => given,
    };
    Money::new(ours.min(price.amount()), price.currency())
}
