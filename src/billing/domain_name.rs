//! Owns: reading domains.

use std::collections::{BTreeSet, HashMap};

use mysql_async::Conn;

use super::client::Read;
use super::pool::{Billing, BillingError};
use super::row::{date, flag, id, text};
use crate::domain::ids::{ClientId, DomainId};
use crate::domain::record::DomainName;
use crate::sql::{Reader, list};

impl Billing {
    pub(super) async fn domain_names(
        &self,
        connection: &mut Conn,
        ids: &BTreeSet<u64>,
    ) -> Result<HashMap<u64, Read<DomainName>>, BillingError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT id, userid, domain, status, expirydate, donotrenew FROM tbldomains WHERE id IN ({})",
            list(ids.iter().copied())
        );
        let mut found = HashMap::new();
        for row in &self.rows(connection, sql).await? {
            let key = id(&Reader::new("tbldomains", row, ""), "id")?;
            let reader = Reader::new("tbldomains", row, key.to_string());
            found.insert(key, domain_name(&reader, key));
        }
        Ok(found)
    }
}

fn domain_name(reader: &Reader<'_>, key: u64) -> Read<DomainName> {
    Ok(DomainName {
        id: DomainId(key),
        client_id: ClientId(id(reader, "userid")?),
        name: text(reader, "domain")?,
        status: text(reader, "status")?,
        expires: date(reader, "expirydate")?,
        do_not_renew: flag(reader, "donotrenew")?,
    })
}
