//! Owns: the facts of one question to the company's rules: a few indexed reads on one connection.

use jiff::Timestamp;

use super::account::accounts_sql;
use super::debt::{Debts, Of, debts_of_client, debts_sql};
use super::plan::{plans_of, plans_sql, way_of, way_sql};
use super::pool::{Billing, BillingError};
use crate::domain::case::{Account, CancelRequest, Cycle, Debt, Hosted, Plan, Ticket};
use crate::domain::hookpoint::{Subject, SubjectKind};
use crate::domain::ids::ClientId;
use crate::domain::record::DomainName;

/// A service, its owner, where it is to go, and what is owed.
#[derive(Clone, Debug, Default)]
pub struct UpgradeCase {
    pub service: Option<Hosted>,
    pub account: Option<Account>,
    pub from: Option<Plan>,
    pub to: Option<Plan>,
    pub to_cycle: Option<Cycle>,
    pub is_path: bool,
    pub open_upgrades: u64,
    pub debts: Debts,
}

/// A service, its owner and who is to become it.
#[derive(Clone, Debug, Default)]
pub struct OwnershipCase {
    pub service: Option<Hosted>,
    pub owner: Option<Account>,
    pub new_owner: Option<Account>,
    pub ticket: Option<Ticket>,
    pub owner_debts: Debts,
    pub new_owner_debts: Debts,
}

/// What is to be cancelled, whose it is, and what is not paid of it.
#[derive(Clone, Debug, Default)]
pub struct CancellationCase {
    pub service: Option<Hosted>,
    pub domain: Option<DomainName>,
    pub account: Option<Account>,
    pub debts: Vec<Debt>,
}

/// A service and the newest request to cancel it.
#[derive(Clone, Debug, Default)]
pub struct TerminationCase {
    pub service: Option<Hosted>,
    pub account: Option<Account>,
    pub request: Option<CancelRequest>,
}

/// Who has the same address, and the client if there is one.
#[derive(Clone, Debug, Default)]
pub struct IdentityCase {
    pub account: Option<Account>,
    pub same_email: Vec<ClientId>,
}

impl Billing {
    /// Facts of an upgrade of `service` to product `to`, or to where the upgrade row `upgrade` leads.
    ///
    /// # Errors
    /// The database, or a row that cannot be understood.
    pub async fn upgrade_case(
        &self,
        service: u64,
        to: Option<(u64, Option<Cycle>)>,
        upgrade: Option<u64>,
        now: Timestamp,
    ) -> Result<UpgradeCase, BillingError> {
        let mut connection = self.database.connection().await?;
        let c = &mut connection;
        let Some(hosted) = self.hosted(c, service).await? else { return Ok(UpgradeCase::default()) };
        let target = match (to, upgrade) {
            (Some(to), _) => Some(to),
            (None, Some(upgrade)) => self.upgrade_target(c, upgrade, service).await?,
            (None, None) => None,
        };
        let (owner, currency) = (hosted.client_id.0, hosted.recurring.currency());
        let mut case = UpgradeCase { to_cycle: target.and_then(|(_, cycle)| cycle), ..UpgradeCase::default() };
        if let Some((to, _)) = target {
            // A page waits: all of it is read in one round trip.
            let way = (hosted.product_id, to);
            let [before, open] = debts_sql(owner);
            let reads = vec![
                accounts_sql(&[owner]),
                plans_sql(&[way.0, to], currency),
                way_sql(service, way, upgrade),
                before,
                open,
            ];
            let sets = self.rows_of_each(c, reads).await?;
            case.account = self.accounts_of(&sets[0], now).await?.remove(&owner);
            if case.account.is_some() {
                let mut plans = plans_of(&sets[1], currency)?;
                case.to = plans.get(&to).cloned();
                case.from = plans.remove(&hosted.product_id);
                let way = way_of(&sets[2], service)?;
                (case.is_path, case.open_upgrades) = (way.is_path, way.open);
                case.debts = debts_of_client(&sets[3], &sets[4], currency)?;
            }
        } else {
            case.account = self.one_account(c, owner, now).await?;
        }
        case.service = Some(hosted);
        Ok(case)
    }

    /// Facts of a change of owner of `service` to client `to`, asked for in `ticket`; from client `before`, where the platform
    /// has moved it already.
    ///
    /// # Errors
    /// The database, or a row that cannot be understood.
    pub async fn ownership_case(
        &self,
        service: u64,
        to: u64,
        before: Option<u64>,
        ticket: Option<&str>,
        now: Timestamp,
    ) -> Result<OwnershipCase, BillingError> {
        let mut connection = self.database.connection().await?;
        let c = &mut connection;
        let mut hosted = self.hosted(c, service).await?;
        if let (Some(hosted), Some(before)) = (hosted.as_mut(), before) {
            hosted.client_id = ClientId(before);
        }
        let owner = hosted.as_ref().map_or(0, |hosted| hosted.client_id.0);
        let mut accounts = self.accounts(c, &[owner, to], now).await?;
        self.add_owner_emails(c, &mut accounts).await?;
        let mut case = OwnershipCase { service: hosted, ..OwnershipCase::default() };
        if let Some(ticket) = ticket {
            case.ticket = self.ticket(c, ticket).await?;
        }
        case.new_owner = accounts.get(&to).cloned();
        case.owner = accounts.remove(&owner);
        if let Some(account) = &case.owner {
            case.owner_debts = self.debts(c, owner, account.currency_id).await?;
        }
        if let Some(account) = &case.new_owner {
            case.new_owner_debts = self.debts(c, to, account.currency_id).await?;
        }
        Ok(case)
    }

    /// Facts of a cancellation of a service or a domain.
    ///
    /// # Errors
    /// The database, or a row that cannot be understood.
    pub async fn cancellation_case(&self, what: Subject, now: Timestamp) -> Result<CancellationCase, BillingError> {
        let mut connection = self.database.connection().await?;
        let c = &mut connection;
        let mut case = CancellationCase::default();
        let (owner, of) = if what.kind == SubjectKind::Domain {
            let mut found = self.domain_names(c, &[what.id].into()).await?;
            case.domain = found.remove(&what.id).transpose()?;
            (case.domain.as_ref().map(|domain| domain.client_id.0), Of::Domain(what.id))
        } else {
            case.service = self.hosted(c, what.id).await?;
            (case.service.as_ref().map(|hosted| hosted.client_id.0), Of::Service(what.id))
        };
        let Some(owner) = owner else { return Ok(case) };
        case.account = self.one_account(c, owner, now).await?;
        if let Some(account) = &case.account {
            case.debts = self.debts_of(c, owner, of, account.currency_id).await?;
        }
        Ok(case)
    }

    /// Facts of a termination of `service`.
    ///
    /// # Errors
    /// The database, or a row that cannot be understood.
    pub async fn termination_case(&self, service: u64, now: Timestamp) -> Result<TerminationCase, BillingError> {
        let mut connection = self.database.connection().await?;
        let c = &mut connection;
        let Some(hosted) = self.hosted(c, service).await? else { return Ok(TerminationCase::default()) };
        let account = self.one_account(c, hosted.client_id.0, now).await?;
        let request = self.cancel_request(c, service).await?;
        Ok(TerminationCase { service: Some(hosted), account, request })
    }

    /// Facts of a client's data before they are saved.
    ///
    /// # Errors
    /// The database, or a row that cannot be understood.
    pub async fn identity_case(
        &self,
        client: Option<u64>,
        email: &str,
        now: Timestamp,
    ) -> Result<IdentityCase, BillingError> {
        let mut connection = self.database.connection().await?;
        let c = &mut connection;
        let account = match client {
            Some(client) => self.one_account(c, client, now).await?,
            None => None,
        };
        Ok(IdentityCase { account, same_email: self.same_email(c, email, client).await? })
    }

    async fn one_account(
        &self,
        connection: &mut mysql_async::Conn,
        client: u64,
        now: Timestamp,
    ) -> Result<Option<Account>, BillingError> {
        Ok(self.accounts(connection, &[client], now).await?.remove(&client))
    }
}
