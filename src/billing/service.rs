//! Owns: reading services with the names of their products.

use std::collections::{BTreeSet, HashMap};

use mysql_async::Conn;

use super::client::Read;
use super::pool::{Billing, BillingError};
use super::row::{date, id, text};
use crate::domain::ids::{ClientId, ServiceId};
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
            "SELECT h.id, h.userid, h.domainstatus, h.domain, h.suspendreason, h.nextduedate, p.name AS product, \
             g.name AS product_group FROM tblhosting h LEFT JOIN tblproducts p ON p.id = h.packageid \
             LEFT JOIN tblproductgroups g ON g.id = p.gid WHERE h.id IN ({})",
            list(ids.iter().copied())
        );
        let mut found = HashMap::new();
        for row in &self.rows(connection, sql).await? {
            let key = id(&Reader::new("tblhosting", row, ""), "id")?;
            found.insert(key, service(&Reader::new("tblhosting", row, key.to_string()), key));
        }
        Ok(found)
    }
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
    })
}
