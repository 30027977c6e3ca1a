//! Owns: when payments were booked, by the clock of the PHP that wrote them.

use std::collections::HashMap;

use jiff::civil::DateTime;

use super::pool::{Billing, BillingError};
use super::row::{datetime, id};
use crate::sql::{Reader, list};

impl Billing {
    /// The local time of each payment of `ids` that is there and has one.
    ///
    /// # Errors
    /// The database.
    pub async fn payment_times(&self, ids: &[u64]) -> Result<HashMap<u64, DateTime>, BillingError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!("SELECT id, date FROM tblaccounts WHERE id IN ({})", list(ids.iter().copied()));
        let mut connection = self.database.connection().await?;
        let mut times = HashMap::new();
        for row in &self.rows(&mut connection, sql).await? {
            let reader = Reader::new("tblaccounts", row, "");
            // One that cannot be read tells nothing of the clock.
            if let (Ok(key), Ok(Some(at))) = (id(&reader, "id"), datetime(&reader, "date")) {
                times.insert(key, at);
            }
        }
        Ok(times)
    }
}
