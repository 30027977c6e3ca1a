//! Owns: reading services with the names of their products.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use mysql_async::Conn;

use super::client::Read;
use super::pool::{Billing, BillingError};
use super::row::{NO_CURRENCY, date, flag, id, money, text};
use crate::domain::case::Debt;
use crate::domain::ids::{ClientId, InvoiceId, ServiceId};
use crate::domain::record::Service;
use crate::sql::{Reader, list};

impl Billing {
    pub(super) async fn services(
        &self,
        connection: &mut Conn,
        ids: &BTreeSet<u64>,
    ) -> Result<HashMap<u64, Read<Service>>, BillingError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT h.id, h.userid, h.domainstatus, h.domain, h.suspendreason, h.nextduedate, h.amount, \
             h.overideautosuspend, h.overidesuspenduntil, p.name AS product, g.name AS product_group, \
             EXISTS (SELECT 1 FROM tblcancelrequests c WHERE c.relid = h.id) AS cancelling FROM tblhosting h LEFT JOIN tblproducts p ON p.id = h.packageid \
             LEFT JOIN tblproductgroups g ON g.id = p.gid WHERE h.id IN ({})",
            list(ids.iter().copied())
        );
        let mut found = HashMap::new();
        for row in &self.rows(connection, sql).await? {
            let key = id(&Reader::new("tblhosting", row, ""), "id")?;
            found.insert(key, service(&Reader::new("tblhosting", row, key.to_string()), key));
        }
        self.add_owed(connection, ids, &mut found).await?;
        Ok(found)
    }

    /// The open invoices for each service. Their currency is their client's, which is not known here.
    async fn add_owed(
        &self,
        connection: &mut Conn,
        ids: &BTreeSet<u64>,
        services: &mut HashMap<u64, Read<Service>>,
    ) -> Result<(), BillingError> {
        // Along the key (userid, type, relid) of the items.
        let sql = format!(
            "SELECT h.id AS service, v.id, v.invoicenum, v.status, v.duedate, v.total - COALESCE((SELECT \
             SUM(a.amountin - a.amountout) FROM tblaccounts a WHERE a.invoiceid = v.id), 0) AS balance FROM tblhosting h \
             JOIN tblinvoiceitems i ON i.userid = h.userid AND i.type = 'Hosting' AND i.relid = h.id \
             JOIN tblinvoices v ON v.id = i.invoiceid AND v.status IN ('Unpaid', 'Collections') \
             WHERE h.id IN ({}) GROUP BY h.id, v.id HAVING balance > 0 ORDER BY v.duedate, v.id",
            list(ids.iter().copied())
        );
        for row in &self.rows(connection, sql).await? {
            let key = id(&Reader::new("tblinvoices", row, ""), "id")?;
            let reader = Reader::new("tblinvoices", row, key.to_string());
            // A debt that cannot be read is not named; the service's own alert does not depend on it.
            if let (Some(Ok(service)), Ok(debt)) = (services.get_mut(&id(&reader, "service")?), debt(&reader, key)) {
                service.owed.push(debt);
            }
        }
        Ok(())
    }
}

fn debt(reader: &Reader<'_>, key: u64) -> Read<Debt> {
    let number = text(reader, "invoicenum")?;
    Ok(Debt {
        id: InvoiceId(key),
        number: if number.is_empty() { key.to_string() } else { number },
        status: text(reader, "status")?,
        due: date(reader, "duedate")?,
        balance: money(reader, "balance", NO_CURRENCY)?,
    })
}

fn service(reader: &Reader<'_>, key: u64) -> Read<Service> {
    Ok(Service {
        id: ServiceId(key),
        client_id: ClientId(id(reader, "userid")?),
        status: text(reader, "domainstatus")?,
        product: text(reader, "product")?,
        group: text(reader, "product_group")?,
        domain: text(reader, "domain")?,
        suspend_reason: text(reader, "suspendreason")?,
        next_due: date(reader, "nextduedate")?,
        recurring: money(reader, "amount", NO_CURRENCY)?,
        not_suspended: not_suspended(reader)?,
        is_cancelling: flag(reader, "cancelling")?,
        owed: Vec::new(),
    })
}

/// Platform: `overideautosuspend` keeps a service from suspension, until `overidesuspenduntil` where that is set.
pub(super) fn not_suspended(reader: &Reader<'_>) -> Read<Option<Date>> {
    let until = date(reader, "overidesuspenduntil")?;
    Ok(flag(reader, "overideautosuspend")?.then_some(until.unwrap_or(Date::MAX)))
}
