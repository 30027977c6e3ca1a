//! Owns: the connections to the platform's database and the errors of this room.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Row};

use super::platform::{Overrides, Remembered};
use crate::sql::{ConnectError, Database, Inconsistent, plain};

/// Any single read ends by then.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// A read gets so long at least: zero would be no limit.
const LEAST: Duration = Duration::from_millis(5);

/// A text cannot be compared with a column, because the column's character set lacks one of its characters: MariaDB's
/// "illegal mix of collations" for two, three and more operands (1267, 1270, 1271), MySQL's "cannot convert string" (3854,
/// 3988), and what both call an invalid character string (1300).
const NOT_CONVERTIBLE: [u16; 6] = [1267, 1270, 1271, 1300, 3854, 3988];

/// The platform's database, read-only.
#[derive(Clone, Debug)]
pub struct Billing {
    pub(super) database: Database,
    pub(super) overrides: Arc<Overrides>,
    pub(super) remembered: Arc<ArcSwapOption<Remembered>>,
    /// Nobody waits for an answer after this.
    until: Option<Instant>,
}

/// What can go wrong: the database (try again later), or a row of reference data that all alerts need.
#[derive(Debug, thiserror::Error)]
pub enum BillingError {
    #[error("the billing database: {0}")]
    Connect(#[from] ConnectError),
    #[error("the billing database did not answer within {STATEMENT_TIMEOUT:?}")]
    Slow,
    #[error("the billing database: {}", plain(.0))]
    Database(#[from] mysql_async::Error),
    #[error(transparent)]
    Inconsistent(#[from] Inconsistent),
    #[error("the platform's settings lack `{0}`: give it in the configuration")]
    Setting(&'static str),
}

/// Codes of the server that are about a value in one row or in what it is compared with: collations that do not go together
/// (1267, 1270, 1271), text that is not of its character set (1300, 1366, 3854), dates and numbers (1264, 1292, 1365, 1411, 1690).
const OF_A_ROW: &[u16] = &[1264, 1267, 1270, 1271, 1292, 1300, 1365, 1366, 1411, 1690, 3854];

impl BillingError {
    /// One row is to blame: reading the others apart may work.
    #[must_use]
    pub fn is_of_a_row(&self) -> bool {
        match self {
            Self::Inconsistent(_) => true,
            Self::Database(mysql_async::Error::Server(error)) => OF_A_ROW.contains(&error.code),
            Self::Connect(_) | Self::Slow | Self::Database(_) | Self::Setting(_) => false,
        }
    }
}

impl Billing {
    #[must_use]
    pub fn new(database: Database, overrides: Overrides) -> Self {
        Self { database, overrides: Arc::new(overrides), remembered: Arc::new(ArcSwapOption::empty()), until: None }
    }

    /// The same, for somebody who waits for so long and no longer: the server itself ends each read by then, so that one that
    /// stands in a queue of locks keeps no connection from others.
    #[must_use]
    pub fn within(&self, time: Duration) -> Self {
        Self { until: Some(Instant::now() + time), ..self.clone() }
    }

    /// A read with the time that is left. MariaDB takes the first note, MySQL the second; each passes over the other's.
    fn limited(&self, sql: String) -> String {
        let Some(until) = self.until else { return sql };
        let left = until.saturating_duration_since(Instant::now()).max(LEAST);
        let hinted = sql.replacen("SELECT", &format!("SELECT /*+ MAX_EXECUTION_TIME({}) */", left.as_millis()), 1);
        format!("/*M!100108 SET STATEMENT max_statement_time = {:.3} FOR */ {hinted}", left.as_secs_f64())
    }

    /// One read, in the text protocol: every value arrives as bytes or NULL, so that no zero date can make the driver
    /// panic. Callers put only numbers, constants and `row::literal`s into `sql`.
    pub(super) async fn rows(&self, connection: &mut Conn, sql: String) -> Result<Vec<Row>, BillingError> {
        match tokio::time::timeout(STATEMENT_TIMEOUT, connection.query(self.limited(sql))).await {
            Ok(rows) => Ok(rows?),
            Err(_) => Err(BillingError::Slow),
        }
    }

    /// Several reads in one round trip: the rows of each, in their order.
    pub(super) async fn rows_of_each(
        &self,
        connection: &mut Conn,
        reads: Vec<String>,
    ) -> Result<Vec<Vec<Row>>, BillingError> {
        let count = reads.len();
        let sql = reads.into_iter().map(|sql| self.limited(sql)).collect::<Vec<_>>().join("; ");
        let work = async {
            let mut sets = Vec::with_capacity(count);
            let mut result = connection.query_iter(sql).await?;
            while sets.len() < count {
                sets.push(result.collect::<Row>().await?);
            }
            result.drop_result().await?;
            Ok(sets)
        };
        match tokio::time::timeout(STATEMENT_TIMEOUT, work).await {
            Ok(sets) => sets,
            Err(_) => Err(BillingError::Slow),
        }
    }

    /// The same where `sql` compares a column with what a person typed: a text that the column's character set cannot hold
    /// is in no row.
    pub(super) async fn rows_of_text(&self, connection: &mut Conn, sql: String) -> Result<Vec<Row>, BillingError> {
        match self.rows(connection, sql).await {
            Err(BillingError::Database(Error::Server(e))) if NOT_CONVERTIBLE.contains(&e.code) => Ok(Vec::new()),
            rows => rows,
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), BillingError> {
        let mut connection = self.database.connection().await?;
        self.rows(&mut connection, "SELECT 1".to_owned()).await.map(drop)
    }

    /// The connections behind, for their figures and for `doctor`.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }
}
