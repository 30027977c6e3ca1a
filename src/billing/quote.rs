//! Owns: reading quotes. A quote carries its own currency; without a client it is for a prospect.

use std::collections::{BTreeSet, HashMap};

use mysql_async::Conn;

use super::client::Read;
use super::platform::Currencies;
use super::pool::{Billing, BillingError};
use super::row::{date, id, money, text};
use crate::domain::ids::{ClientId, QuoteId};
use crate::domain::record::Quote;
use crate::sql::{Reader, list};

impl Billing {
    pub(super) async fn quotes(
        &self,
        connection: &mut Conn,
        ids: &BTreeSet<u64>,
        currencies: &Currencies,
    ) -> Result<HashMap<u64, Read<Quote>>, BillingError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT id, userid, subject, stage, currency, total, validuntil, datesent FROM tblquotes WHERE id IN ({})",
            list(ids.iter().copied())
        );
        let mut found = HashMap::new();
        for row in &self.rows(connection, sql).await? {
            let key = id(&Reader::new("tblquotes", row, ""), "id")?;
            found.insert(key, quote(&Reader::new("tblquotes", row, key.to_string()), key, currencies));
        }
        Ok(found)
    }
}

fn quote(reader: &Reader<'_>, key: u64, currencies: &Currencies) -> Read<Quote> {
    let client = id(reader, "userid")?;
    let currency = currencies.of(reader, "currency")?;
    let currency_id = currency.as_ref().map_or_else(|none| none.id, |currency| currency.id);
    Ok(Quote {
        id: QuoteId(key),
        client_id: (client > 0).then_some(ClientId(client)),
        subject: text(reader, "subject")?,
        stage: text(reader, "stage")?,
        total: money(reader, "total", currency_id)?,
        currency,
        valid_until: date(reader, "validuntil")?,
        sent: date(reader, "datesent")?,
    })
}
