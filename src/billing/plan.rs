//! Owns: reading services with what is paid for them, plans with their prices, and what leads from one to the other.

use std::collections::HashMap;

use mysql_async::{Conn, Row};
use rust_decimal::Decimal;

use super::client::Read;
use super::pool::{Billing, BillingError};
use super::row::{date, id, money, text};
use crate::domain::case::{Cycle, Hosted, Plan};
use crate::domain::ids::{ClientId, CurrencyId, ServiceId};
use crate::domain::money::Money;
use crate::sql::{Reader, list};

/// A service with its plan and its client's currency, as [`hosted`] reads it.
pub(super) const HOSTED: &str = "SELECT h.id, h.userid, h.domainstatus, h.packageid, p.name AS product, h.domain, \
                                 h.billingcycle, h.amount, h.qty, h.nextduedate, c.currency FROM tblhosting h \
                                 LEFT JOIN tblproducts p ON p.id = h.packageid LEFT JOIN tblclients c ON c.id = h.userid";

/// The way from one plan to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) is_path: bool,
    /// Upgrades of the service that wait for their payment.
    pub(super) open: u64,
}

impl Billing {
    /// A service; its amount is in its client's currency.
    pub(super) async fn hosted(&self, connection: &mut Conn, key: u64) -> Result<Option<Hosted>, BillingError> {
        let sql = format!("{HOSTED} WHERE h.id = {key}");
        let rows = self.rows(connection, sql).await?;
        Ok(rows.first().map(|row| hosted(row, key)).transpose()?)
    }

    /// Products with their prices in `currency`.
    pub(super) async fn plans(
        &self,
        connection: &mut Conn,
        products: &[u64],
        currency: CurrencyId,
    ) -> Result<HashMap<u64, Plan>, BillingError> {
        Ok(plans_of(&self.rows(connection, plans_sql(products, currency)).await?, currency)?)
    }

    /// Where an upgrade row leads to: `newvalue` is `"<product>,<cycle>"`, or the product with the cycle beside it.
    pub(super) async fn upgrade_target(
        &self,
        connection: &mut Conn,
        upgrade: u64,
        service: u64,
    ) -> Result<Option<(u64, Option<Cycle>)>, BillingError> {
        let sql = format!("SELECT newvalue, new_cycle FROM tblupgrades WHERE id = {upgrade} AND relid = {service}");
        let rows = self.rows(connection, sql).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let reader = Reader::new("tblupgrades", row, upgrade.to_string());
        let (value, beside) = (text(&reader, "newvalue")?, text(&reader, "new_cycle")?);
        let (product, cycle) = value.split_once(',').unwrap_or((&value, &beside));
        let cycle = Cycle::parse(cycle);
        Ok(product.trim().parse().ok().map(|product| (product, cycle)))
    }
}

/// Whether `to` is an upgrade of `from`, and what upgrades of `service` are open besides `but`. One whose order or invoice was
/// cancelled is not open, although its own row stays as it was.
pub(super) fn way_sql(service: u64, (from, to): (u64, u64), but: Option<u64>) -> String {
    format!(
        "SELECT EXISTS (SELECT 1 FROM tblproduct_upgrade_products x WHERE x.product_id = {from} \
         AND x.upgrade_product_id = {to}) AS is_path, (SELECT COUNT(*) FROM tblupgrades u \
         LEFT JOIN tblorders o ON o.id = u.orderid LEFT JOIN tblinvoices i ON i.id = o.invoiceid \
         WHERE u.relid = {service} AND u.type IN ('package', 'service') AND u.status = 'Pending' AND u.paid = 'N' \
         AND u.id <> {} AND COALESCE(o.status, '') NOT IN ('Cancelled', 'Fraud') \
         AND COALESCE(i.status, 'Unpaid') NOT IN ('Cancelled', 'Refunded', 'Paid')) AS open_upgrades",
        but.unwrap_or(0)
    )
}

pub(super) fn way_of(rows: &[Row], service: u64) -> Read<Way> {
    let Some(row) = rows.first() else { return Ok(Way { is_path: false, open: 0 }) };
    let reader = Reader::new("tblupgrades", row, service.to_string());
    Ok(Way { is_path: id(&reader, "is_path")? > 0, open: id(&reader, "open_upgrades")? })
}

pub(super) fn plans_sql(products: &[u64], currency: CurrencyId) -> String {
    format!(
        "SELECT p.id, p.name, p.paytype, r.monthly, r.quarterly, r.semiannually, r.annually, r.biennially, \
         r.triennially FROM tblproducts p LEFT JOIN tblpricing r ON r.relid = p.id AND r.type = 'product' \
         AND r.currency = {currency} WHERE p.id IN ({}) ORDER BY p.id, r.id DESC",
        list(products.iter().copied())
    )
}

pub(super) fn plans_of(rows: &[Row], currency: CurrencyId) -> Read<HashMap<u64, Plan>> {
    let mut found = HashMap::new();
    for row in rows {
        let key = id(&Reader::new("tblproducts", row, ""), "id")?;
        // Nothing enforces one row per product and currency: the oldest counts.
        found.insert(key, plan(&Reader::new("tblpricing", row, key.to_string()), key, currency)?);
    }
    Ok(found)
}

pub(super) fn hosted(row: &Row, key: u64) -> Read<Hosted> {
    let reader = Reader::new("tblhosting", row, key.to_string());
    let currency = CurrencyId(reader.get::<Option<i64>>("currency")?.and_then(|c| c.try_into().ok()).unwrap_or(0));
    Ok(Hosted {
        id: ServiceId(key),
        client_id: ClientId(id(&reader, "userid")?),
        status: text(&reader, "domainstatus")?,
        product_id: id(&reader, "packageid")?,
        product: text(&reader, "product")?,
        domain: text(&reader, "domain")?,
        cycle: Cycle::parse(&text(&reader, "billingcycle")?),
        recurring: money(&reader, "amount", currency)?,
        quantity: u32::try_from(id(&reader, "qty")?).unwrap_or(u32::MAX).max(1),
        next_due: date(&reader, "nextduedate")?,
    })
}

/// Platform: -1.00 is "this cycle is not offered"; a product that is paid once has its price in the monthly column.
fn plan(reader: &Reader<'_>, key: u64, currency: CurrencyId) -> Read<Plan> {
    let mut prices = Vec::new();
    let mut offer = |cycle: Cycle, column: &'static str| {
        if let Some(raw) = reader.get::<Option<String>>(column)? {
            let price = Money::parse(&raw, currency).map_err(|_| reader.bad(column))?;
            if price.amount() >= Decimal::ZERO {
                prices.push((cycle, price));
            }
        }
        Ok(())
    };
    match text(reader, "paytype")?.as_str() {
        "free" => prices.push((Cycle::Free, Money::zero(currency))),
        "onetime" => offer(Cycle::OneTime, "monthly")?,
        _ => {
            for cycle in Cycle::ALL.into_iter().filter(|cycle| cycle.months().is_some()) {
                offer(cycle, cycle.code())?;
            }
        }
    }
    Ok(Plan { product_id: key, name: text(reader, "name")?, prices })
}
