//! Owns: believable sample data for the platform's tables: the clients of an invented Argentine hosting company, written
//! by hand where a peculiarity matters (the cast: clients 1 to 40), drawn from seeds for the rest (the crowd). The same
//! `now` and [`Size`] give the same rows, byte by byte. No person, company, number or domain is real.

mod cast;
mod draw;
mod insert;
mod invoices;
mod people;
mod phones;
mod products;
mod services;

use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};

pub use cast::{CAST, Cast, Owned};

use insert::Calendar;
use people::{CAST_CLIENTS, Texts};
use products::Products;

use super::schema::Release;

/// The base of the panel's addresses, as the platform stores it.
pub const SYSTEM_URL: &str = "https://paneldecliente.example/";
/// The invented hosting company.
pub const COMPANY_NAME: &str = "Nube Austral";
/// Stands in every column and setting that may hold a secret. Where it turns up, something leaks.
pub const CANARY: &str = "canary-do-not-leak";
/// The zone of the platform's server, in which it writes dates and times.
pub const PLATFORM_ZONE: &str = "America/Argentina/Buenos_Aires";

/// Above this many clients the crowd gets one service and one invoice each, and fewer domains: numbers for a benchmark.
const THIN_ABOVE: u32 = 5_000;

/// How much sample data there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// How many clients; never fewer than the cast's 40.
    pub clients: u32,
}

impl Size {
    /// The cast alone: loads in a few milliseconds, and every id of [`CAST`] is there.
    pub const CAST: Self = Self { clients: CAST_CLIENTS };
    /// What `hookbridge demo` shows.
    pub const DEMO: Self = Self { clients: 300 };
}

/// The parts that are written by hand, in the order in which they build on each other.
const BY_HAND: &[&str] = &[
    include_str!("data/catalogue.sql"),
    include_str!("data/cast_clients.sql"),
    include_str!("data/cast_services.sql"),
    include_str!("data/cast_invoices.sql"),
];

/// What is different in a platform of 9.0, after the rest.
const OF_9_0: &str = include_str!("data/cast_9_0.sql");

/// The platform's times are its server's, and it fills columns that have no default by leaving them out.
const BEGIN: &str = "SET SESSION sql_mode='', time_zone='-03:00', unique_checks=0, foreign_key_checks=0, autocommit=0";

/// The statements that fill empty tables of the platform's `release`, as of `now`.
///
/// # Errors
/// `now` is at the end of the calendar.
pub fn statements(size: Size, now: Timestamp, release: Release) -> anyhow::Result<Vec<String>> {
    let calendar = Calendar::new(now)?;
    let (products, texts) = (Products::read()?, Texts::read()?);
    let thin = size.clients > THIN_ABOVE;
    let crowd = texts.crowd(size.clients);
    let services = services::buy(&crowd, &products, thin)?;
    let mut all = vec![BEGIN.to_owned()];
    all.extend(BY_HAND.iter().map(|sql| calendar.resolve(sql)));
    all.extend(products.statements(&calendar));
    all.extend(people::statements(&crowd, &calendar));
    all.extend(services::statements(&services, &calendar));
    all.extend(services::domains(&services, &calendar, if thin { 15 } else { 60 }));
    all.extend(invoices::statements(&services, &calendar, thin));
    all.extend(invoices::quotes(&crowd, &calendar));
    if release == Release::V9_0 {
        all.push(calendar.resolve(OF_9_0));
    }
    all.push("COMMIT".to_owned());
    Ok(all)
}

/// Fills the platform's empty tables in the database that `url` names, in one transaction, over a connection of its own.
///
/// # Errors
/// The server cannot be reached, or the tables are not the platform's or not empty.
pub async fn load(url: &str, size: Size, now: Timestamp, release: Release) -> anyhow::Result<()> {
    let statements = statements(size, now, release)?;
    let mut conn = Conn::new(Opts::from_url(url)?).await?;
    for statement in statements {
        conn.query_drop(statement).await?;
    }
    conn.disconnect().await?;
    Ok(())
}
