//! Owns: what the crowd has bought: services with their orders, add-ons, cancellations, and domain names. Rows are
//! numbered by date, so that no id is its owner's.

use super::draw::Draw;
use super::insert::{Calendar, Cell, Insert};
use super::people::Person;
use super::products::{ANNUALLY, Cycle, MONTHLY, Products, QUARTERLY, SEMI_ANNUALLY, in_currency};

/// The first ids after the cast's.
const FIRST_SERVICE: u32 = 101;
const FIRST_ORDER: u32 = 201;
const FIRST_DOMAIN: u32 = 51;

/// A service of the crowd.
pub(super) struct Service<'a> {
    pub(super) id: u32,
    pub(super) owner: &'a Person<'a>,
    product: u32,
    pub(super) product_name: &'a str,
    pub(super) domain: String,
    pub(super) cycle: Cycle,
    /// Hundredths of the owner's currency.
    pub(super) amount: i64,
    /// Days from today.
    registered: i32,
    due: i32,
    status: &'static str,
    in_catalogue: bool,
}

const PRODUCTS: &[(u32, u32)] =
    &[(30, 1), (18, 2), (8, 3), (4, 4), (2, 5), (8, 6), (4, 7), (2, 8), (10, 9), (6, 10), (5, 11), (3, 15)];
const STATUSES: &[(u32, &str)] = &[
    (70, "Active"),
    (9, "Suspended"),
    (8, "Terminated"),
    (8, "Cancelled"),
    (3, "Pending"),
    (1, "Fraud"),
    (1, "Completed"),
];
const CYCLES: &[(u32, Cycle)] = &[(50, MONTHLY), (6, QUARTERLY), (4, SEMI_ANNUALLY), (40, ANNUALLY)];
const ENDINGS: &[(u32, &str)] = &[(60, ".com.ar"), (28, ".com"), (8, ".ar"), (4, ".uy")];
const REASONS: &[&str] = &["", "Falta de pago", "Env&iacute;o de spam", "Uso de recursos &gt; 90%"];

/// The services of the crowd, about one and a half each, or just one if `thin`.
pub(super) fn buy<'a>(crowd: &'a [Person<'a>], products: &'a Products, thin: bool) -> anyhow::Result<Vec<Service<'a>>> {
    let mut all = Vec::with_capacity(crowd.len() * 2);
    for person in crowd {
        let mut draw = Draw::new("services", person.id);
        let count = if thin { 1 } else { *draw.weighted(&[(10, 0), (50, 1), (25, 2), (15, 3)]) };
        for number in 0..count {
            all.push(service(person, products, number, &mut draw)?);
        }
    }
    all.sort_by_key(|service| (service.registered, service.owner.id));
    for (id, service) in (FIRST_SERVICE..).zip(&mut all) {
        service.id = id;
    }
    Ok(all)
}

fn service<'a>(
    owner: &'a Person<'a>,
    products: &'a Products,
    number: u32,
    draw: &mut Draw,
) -> anyhow::Result<Service<'a>> {
    let product = products.get(*draw.weighted(PRODUCTS))?;
    let wanted = *draw.weighted(CYCLES);
    let currency = owner.country.currency;
    let offered = |cycle: Cycle| product.price(cycle, currency).map(|price| (cycle, price));
    let (cycle, amount) =
        offered(wanted).or_else(|| offered(MONTHLY)).or_else(|| offered(ANNUALLY)).unwrap_or((MONTHLY, 0));
    let status = if owner.closed { "Terminated" } else { *draw.weighted(STATUSES) };
    let due = match status {
        "Active" => draw.day(1, cycle.days),
        "Suspended" => draw.day(-28, -6),
        "Pending" => draw.day(-3, -1),
        _ => draw.day(-700, -40),
    };
    let ending = draw.weighted(ENDINGS);
    let part = if number == 0 { String::new() } else { format!("-{}", number + 1) };
    Ok(Service {
        id: 0,
        owner,
        product: product.id,
        product_name: &product.name,
        domain: format!("{}{part}-demo{ending}", owner.slug),
        cycle,
        amount,
        registered: if status == "Pending" {
            due
        } else {
            draw.day(owner.joined, (due - cycle.days).max(owner.joined))
        },
        due,
        status,
        in_catalogue: !product.module.is_empty(),
    })
}

/// The rows of the services and what hangs on them.
pub(super) fn statements(services: &[Service<'_>], calendar: &Calendar) -> Vec<String> {
    let mut hosting = Insert::new(calendar, "tblhosting");
    let mut orders = Insert::new(calendar, "tblorders");
    let mut addons = Insert::new(calendar, "tblhostingaddons");
    let mut cancellations = Insert::new(calendar, "tblcancelrequests");
    for (order, service) in (FIRST_ORDER..).zip(services) {
        let mut draw = Draw::new("service", service.id);
        service.insert(&mut hosting, order, &mut draw);
        service.insert_order(&mut orders, order);
        if draw.chance(8) {
            service.insert_addon(&mut addons, order);
        }
        if service.status == "Cancelled" || (service.status == "Active" && draw.chance(3)) {
            service.insert_cancellation(&mut cancellations, &mut draw);
        }
    }
    [hosting.finish(), orders.finish(), addons.finish(), cancellations.finish()].concat()
}

impl Service<'_> {
    fn insert(&self, hosting: &mut Insert<'_>, order: u32, draw: &mut Draw) {
        let ended = matches!(self.status, "Terminated" | "Cancelled");
        let old = self.registered < -2_000;
        hosting.row(&[
            ("id", self.id.into()),
            ("userid", self.owner.id.into()),
            ("orderid", order.into()),
            ("packageid", self.product.into()),
            ("server", u32::from(self.in_catalogue).into()),
            ("regdate", Cell::Day(self.registered)),
            ("domain", (&self.domain).into()),
            ("paymentmethod", self.owner.gateway().into()),
            ("firstpaymentamount", Cell::Money(self.amount)),
            ("amount", Cell::Money(self.amount)),
            ("billingcycle", self.cycle.name.into()),
            ("nextduedate", Cell::Day(self.due)),
            ("nextinvoicedate", Cell::Day(self.due - 14)),
            ("termination_date", if ended { Cell::Day(self.due + 31) } else { Cell::ZeroDate }),
            ("completed_date", if self.status == "Completed" { Cell::Day(self.due) } else { Cell::ZeroDate }),
            ("domainstatus", self.status.into()),
            ("username", (&format!("u{}", self.id)).into()),
            ("password", "canary-do-not-leak".into()),
            ("suspendreason", if self.status == "Suspended" { *draw.pick(REASONS) } else { "" }.into()),
            ("created_at", if old { Cell::ZeroDate } else { Cell::Moment(self.registered, self.owner.second()) }),
            ("updated_at", if old { Cell::ZeroDate } else { Cell::Moment(self.due.min(-1), 11_000) }),
        ]);
    }

    fn insert_order(&self, orders: &mut Insert<'_>, order: u32) {
        let status = match self.status {
            "Pending" | "Fraud" | "Cancelled" => self.status,
            _ => "Active",
        };
        orders.row(&[
            ("id", order.into()),
            ("ordernum", Cell::Int(5_552_000_000 + i64::from(order) * 7_919)),
            ("userid", self.owner.id.into()),
            ("requestor_id", (self.owner.id + 1).into()),
            ("date", Cell::Moment(self.registered, self.owner.second())),
            ("amount", Cell::Money(self.amount)),
            ("paymentmethod", self.owner.gateway().into()),
            ("status", status.into()),
            ("transfersecret", "canary-do-not-leak".into()),
        ]);
    }

    fn insert_addon(&self, addons: &mut Insert<'_>, order: u32) {
        let price = Cell::Money(in_currency(300, self.owner.country.currency));
        addons.row(&[
            ("orderid", order.into()),
            ("hostingid", self.id.into()),
            ("userid", self.owner.id.into()),
            ("name", "Copias diarias".into()),
            ("firstpaymentamount", price),
            ("recurring", price),
            ("billingcycle", MONTHLY.name.into()),
            ("status", self.status.into()),
            ("regdate", Cell::Day(self.registered)),
            ("nextduedate", Cell::Day(self.due)),
            ("nextinvoicedate", Cell::Day(self.due - 14)),
        ]);
    }

    fn insert_cancellation(&self, cancellations: &mut Insert<'_>, draw: &mut Draw) {
        let asked =
            Cell::Moment(if self.status == "Active" { draw.day(-9, -1) } else { self.due }, self.owner.second());
        cancellations.row(&[
            ("date", asked),
            ("relid", self.id.into()),
            ("reason", (*draw.pick(&["", "Ya no lo uso", "Precio &amp; soporte", "Cambio de proveedor"])).into()),
            ("type", if draw.chance(50) { "Immediate" } else { "End of Billing Period" }.into()),
            ("created_at", asked),
            ("updated_at", asked),
        ]);
    }
}

const DOMAIN_STATUSES: &[(u32, &str)] = &[
    (78, "Active"),
    (2, "Grace"),
    (1, "Redemption"),
    (10, "Expired"),
    (5, "Cancelled"),
    (2, "Transferred Away"),
    (2, "Pending"),
];

/// The domain names that belong to the services' sites.
pub(super) fn domains(services: &[Service<'_>], calendar: &Calendar, percent: u32) -> Vec<String> {
    let mut domains = Insert::new(calendar, "tbldomains");
    let registered = services.iter().filter(|service| Draw::new("has domain", service.id).chance(percent));
    for (id, service) in (FIRST_DOMAIN..).zip(registered) {
        let mut draw = Draw::new("domain", id);
        let status = *draw.weighted(DOMAIN_STATUSES);
        let expires = match status {
            "Active" => draw.day(1, 364),
            "Grace" | "Redemption" => draw.day(-40, -1),
            _ => draw.day(-900, -60),
        };
        let pending = status == "Pending";
        let price = Cell::Money(in_currency(1_000, service.owner.country.currency));
        domains.row(&[
            ("id", id.into()),
            ("userid", service.owner.id.into()),
            ("type", if draw.chance(15) { "Transfer" } else { "Register" }.into()),
            ("registrationdate", if pending { Cell::ZeroDate } else { Cell::Day(service.registered) }),
            ("domain", (&service.domain).into()),
            ("firstpaymentamount", price),
            ("recurringamount", price),
            ("registrar", if service.domain.rsplit('.').next() == Some("com") { "enom" } else { "nicar" }.into()),
            ("expirydate", if pending { Cell::Null } else { Cell::Day(expires) }),
            ("status", status.into()),
            ("nextduedate", if pending { Cell::ZeroDate } else { Cell::Day(expires - 7) }),
            ("nextinvoicedate", if pending { Cell::ZeroDate } else { Cell::Day(expires - 21) }),
            ("paymentmethod", service.owner.gateway().into()),
            ("is_premium", if draw.chance(50) { Cell::Null } else { false.into() }),
            ("donotrenew", draw.chance(10).into()),
        ]);
    }
    domains.finish()
}
