//! Owns: what a client has, for choosing one of it: services and domains, and the plans that a service may move to.

use std::collections::HashSet;

use jiff::Timestamp;

use super::plan::{HOSTED, hosted};
use super::pool::{Billing, BillingError};
use super::row::id;
use crate::domain::case::{Account, Hosted, Plan};
use crate::domain::hookpoint::{Subject, SubjectKind};
use crate::domain::ids::ClientId;
use crate::domain::money::Currency;
use crate::domain::record::DomainName;
use crate::sql::{Inconsistent, Reader};

/// Services, and domains, of one client that are listed: the newest.
pub const LISTED_MAX: usize = 200;
/// Plans that are offered to choose from.
const PLANS_MAX: usize = 300;

/// A client and what the client has, the newest first. A row that cannot be read is left out: nobody can choose it.
#[derive(Clone, Debug)]
pub struct Belongings {
    pub account: Account,
    pub services: Vec<Hosted>,
    pub domains: Vec<DomainName>,
}

/// Where a service may go.
#[derive(Clone, Debug)]
pub struct Targets {
    pub service: Hosted,
    /// The amounts' currency.
    pub currency: Currency,
    /// What the platform lists as an upgrade of the present plan.
    pub paths: Vec<Plan>,
    /// All other plans that are sold.
    pub others: Vec<Plan>,
}

impl Billing {
    /// What `client` has; `None`: there is no such client.
    ///
    /// # Errors
    /// The database, or the client's row cannot be understood.
    pub async fn belongings(&self, client: u64, now: Timestamp) -> Result<Option<Belongings>, BillingError> {
        let mut connection = self.database.connection().await?;
        let c = &mut connection;
        let account = self.accounts(c, &[client], now).await?.remove(&client);
        let Some(account) = account else { return Ok(None) };
        let sql = format!("{HOSTED} WHERE h.userid = {client} ORDER BY h.id DESC LIMIT {LISTED_MAX}");
        let mut services = Vec::new();
        for row in &self.rows(c, sql).await? {
            let key = id(&Reader::new("tblhosting", row, ""), "id")?;
            services.extend(hosted(row, key));
        }
        let sql = format!("SELECT id FROM tbldomains WHERE userid = {client} ORDER BY id DESC LIMIT {LISTED_MAX}");
        let mut keys = std::collections::BTreeSet::new();
        for row in &self.rows(c, sql).await? {
            keys.insert(id(&Reader::new("tbldomains", row, ""), "id")?);
        }
        let mut domains: Vec<DomainName> =
            self.domain_names(c, &keys).await?.into_values().filter_map(Result::ok).collect();
        domains.sort_by_key(|domain| std::cmp::Reverse(domain.id.0));
        Ok(Some(Belongings { account, services, domains }))
    }

    /// The plans that `service` may be asked to move to, with their prices in its client's currency; `None`: there is no such
    /// service, or nobody's.
    ///
    /// # Errors
    /// The database, or a row that cannot be understood.
    pub async fn targets(&self, service: u64, now: Timestamp) -> Result<Option<Targets>, BillingError> {
        let mut connection = self.database.connection().await?;
        let c = &mut connection;
        let Some(service) = self.hosted(c, service).await? else { return Ok(None) };
        let owner = service.client_id.0;
        let account = self.accounts(c, &[owner], now).await?.remove(&owner);
        let Some(account) = account else { return Ok(None) };
        let unreadable = || Inconsistent { table: "tblclients", column: "currency", row: account.id.to_string() };
        let present = service.product_id;
        let ways =
            format!("SELECT upgrade_product_id AS id FROM tblproduct_upgrade_products WHERE product_id = {present}");
        let sold = format!("SELECT id FROM tblproducts WHERE retired = 0 ORDER BY gid, `order`, id LIMIT {PLANS_MAX}");
        let (mut listed, mut keys) = (HashSet::new(), Vec::new());
        for (sql, is_way) in [(ways, true), (sold, false)] {
            for row in &self.rows(c, sql).await? {
                let key = id(&Reader::new("tblproducts", row, ""), "id")?;
                if is_way {
                    listed.insert(key);
                }
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        if keys.is_empty() {
            keys.push(present);
        }
        let mut plans = self.plans(c, &keys, account.currency_id).await?;
        let all: Vec<Plan> = keys.iter().filter_map(|key| plans.remove(key)).collect();
        let (paths, others) = all.into_iter().partition(|plan| listed.contains(&plan.product_id));
        Ok(Some(Targets { service, currency: account.currency.ok_or_else(unreadable)?, paths, others }))
    }

    /// Whose `subject` is: a service's or a domain's owner, or the client. `None`: there is no such row.
    ///
    /// # Errors
    /// The database.
    pub async fn owner_of(&self, subject: Subject) -> Result<Option<ClientId>, BillingError> {
        let (table, owner) = match subject.kind {
            SubjectKind::Service => ("tblhosting", "userid"),
            SubjectKind::Domain => ("tbldomains", "userid"),
            SubjectKind::Client => ("tblclients", "id"),
            _ => return Ok(None),
        };
        let mut connection = self.database.connection().await?;
        let sql = format!("SELECT {owner} AS owner FROM {table} WHERE id = {}", subject.id);
        let rows = self.rows(&mut connection, sql).await?;
        rows.first().map(|row| Ok(ClientId(id(&Reader::new(table, row, subject.id.to_string()), "owner")?))).transpose()
    }
}
