//! Owns: reading what clients asked for: cancellation requests, and who wrote a ticket. Never a ticket's text.

use std::collections::{BTreeSet, HashMap};

use mysql_async::Conn;

use super::client::Read;
use super::gather::Missing;
use super::pool::{Billing, BillingError};
use super::row::{datetime, id, literal, text};
use crate::domain::case::{CancelKind, CancelRequest, Ticket};
use crate::domain::ids::ClientId;
use crate::domain::record::Ticket as TicketRow;
use crate::sql::{Reader, list};

/// Longest number of a ticket.
const TICKET_CHARS_MAX: usize = 128;
/// The account may not read a table or column, or there is none (1142, 1143, 1146, 1054).
const NO_RIGHT: [u16; 4] = [1142, 1143, 1146, 1054];

impl Billing {
    /// The newest request to cancel `service`.
    pub(super) async fn cancel_request(
        &self,
        connection: &mut Conn,
        service: u64,
    ) -> Result<Option<CancelRequest>, BillingError> {
        let sql =
            format!("SELECT id, date, type FROM tblcancelrequests WHERE relid = {service} ORDER BY id DESC LIMIT 1");
        let rows = self.rows(connection, sql).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let key = id(&Reader::new("tblcancelrequests", row, ""), "id")?;
        let reader = Reader::new("tblcancelrequests", row, key.to_string());
        let kind = reader.parse("type", CancelKind::parse)?;
        Ok(Some(CancelRequest { id: key, at: datetime(&reader, "date")?, kind }))
    }

    /// The newest cancellation request of each of `services`, where there is one. Few at a time: clients cancel rarely.
    pub(super) async fn cancel_requests(
        &self,
        connection: &mut Conn,
        services: &BTreeSet<u64>,
    ) -> Result<HashMap<u64, Read<CancelRequest>>, BillingError> {
        let mut found = HashMap::new();
        for service in services {
            match self.cancel_request(connection, *service).await {
                Ok(request) => found.extend(request.map(|request| (*service, Ok(request)))),
                Err(BillingError::Inconsistent(error)) => drop(found.insert(*service, Err(error))),
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Tickets by their rows' ids. Where the account has not (yet) the right to read them, they alone are without facts.
    pub(super) async fn tickets(
        &self,
        connection: &mut Conn,
        ids: &BTreeSet<u64>,
    ) -> Result<HashMap<u64, Result<TicketRow, Missing>>, BillingError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT t.id, t.tid, t.userid, t.status, t.urgency, t.lastreply, t.merged_ticket_id, d.name AS department, \
             s.showactive FROM tbltickets t LEFT JOIN tblticketdepartments d ON d.id = t.did \
             LEFT JOIN tblticketstatuses s ON s.title = t.status WHERE t.id IN ({})",
            list(ids.iter().copied())
        );
        let rows = match self.rows(connection, sql).await {
            Ok(rows) => rows,
            Err(BillingError::Database(mysql_async::Error::Server(error))) if NO_RIGHT.contains(&error.code) => {
                let refused = || Missing::Refused(format!("{}; see `hookbridge doctor`", error.message));
                return Ok(ids.iter().map(|id| (*id, Err(refused()))).collect());
            }
            Err(error) => return Err(error),
        };
        let mut found = HashMap::new();
        for row in &rows {
            let key = id(&Reader::new("tbltickets", row, ""), "id")?;
            let read = row_of(&Reader::new("tbltickets", row, key.to_string()), key);
            found.insert(key, read.map_err(Missing::Unreadable));
        }
        Ok(found)
    }

    /// A ticket by the number that clients see, or else by its row's id.
    pub(super) async fn ticket(&self, connection: &mut Conn, number: &str) -> Result<Option<Ticket>, BillingError> {
        let number = number.trim().trim_start_matches('#');
        if number.is_empty() || number.len() > TICKET_CHARS_MAX {
            return Ok(None);
        }
        let row_id: u64 = number.parse().unwrap_or(0);
        let sql = format!(
            "SELECT id, userid, contactid, requestor_id, email FROM tbltickets WHERE tid = {} OR id = {row_id} \
             ORDER BY id = {row_id} LIMIT 1",
            literal(number)
        );
        let rows = self.rows_of_text(connection, sql).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let key = id(&Reader::new("tbltickets", row, ""), "id")?;
        let reader = Reader::new("tbltickets", row, key.to_string());
        let client = id(&reader, "userid")?;
        let mut sender = text(&reader, "email")?;
        if sender.is_empty() {
            // Who was logged in, as far as the row tells.
            let (user, contact) = (id(&reader, "requestor_id")?, id(&reader, "contactid")?);
            sender = match (user, contact) {
                (user, _) if user > 0 => self.email_of(connection, "tblusers", user).await?,
                (_, contact) if contact > 0 => self.email_of(connection, "tblcontacts", contact).await?,
                _ => self.email_of(connection, "tblclients", client).await?,
            };
        }
        Ok(Some(Ticket { id: key, client_id: (client > 0).then_some(ClientId(client)), sender }))
    }
}

fn row_of(reader: &Reader<'_>, key: u64) -> Read<TicketRow> {
    let client = id(reader, "userid")?;
    let status = text(reader, "status")?;
    // The company's own words for a status say by a flag whether it is over.
    let active = reader.get::<Option<i64>>("showactive")?;
    let number = text(reader, "tid")?;
    Ok(TicketRow {
        id: key,
        client_id: (client > 0).then_some(ClientId(client)),
        number: if number.is_empty() { key.to_string() } else { number },
        department: text(reader, "department")?,
        priority: text(reader, "urgency")?,
        is_closed: active.map_or_else(|| status == "Closed", |active| active == 0),
        status,
        is_merged: id(reader, "merged_ticket_id").is_ok_and(|into| into > 0),
        last_reply: datetime(reader, "lastreply")?,
    })
}
