//! Owns: the doors that ours is compared with, built as well as such doors are built, behind the same accept loop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hookbridge::clock::Clock;
use hookbridge::demo::stage::SOURCE;
use hookbridge::domain::ids::EventId;
use hookbridge::envelope;
use hookbridge::http::Route;
use hookbridge::http::request::{BodyLimits, json_body, verified};
use hookbridge::http::server::{Limits, serve};
use hookbridge::signature::{Key, Verified, sha256};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Opts, OptsBuilder, Params, Pool, PoolConstraints, PoolOpts};
use serde_json::json;
use tokio::net::TcpListener;
use warp::Filter as _;
use warp::http::{HeaderMap, StatusCode};

use crate::home::{Home, OWN};

const LIMITS: BodyLimits = BodyLimits { bytes_max: 65_536, timeout: Duration::from_secs(5) };
/// As many connections as the bridge may open.
const POOL: usize = 16;

/// What a door does with an event whose signature is good.
#[derive(Clone)]
pub enum Door {
    VerifyOnly,
    /// One prepared INSERT of the whole row, into a table with all columns and indexes of ours, the unique id among them.
    SameRow(Pool),
    /// One prepared INSERT of id, time and body, into a table with nothing but a primary key.
    BareRow(Pool),
}

/// Serves `door` until the process ends.
pub async fn open(door: Door, keys: &Arc<[Key]>, clock: &Clock) -> anyhow::Result<SocketAddr> {
    listen(route(door, keys.clone(), clock.clone())).await
}

/// Serves `route` as the bridge serves its own, until the process ends.
pub async fn listen(route: Route) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(listener, route, Limits::default(), std::future::pending()));
    Ok(address)
}

/// Connections to the tables of [`Door::SameRow`] and [`Door::BareRow`].
pub struct Pools {
    /// As many as the bridge may open, which keep their prepared statements.
    pub tuned: Pool,
    /// As the driver makes them when nobody asks for anything else: up to 100, each reset when it is given back.
    pub plain: Pool,
}

/// Makes the tables, and connections to them.
pub async fn pools(home: &Home) -> anyhow::Result<Pools> {
    let mut root = home.root("").await?;
    root.query_drop(format!(
        "CREATE DATABASE IF NOT EXISTS plain; CREATE OR REPLACE TABLE plain.whole LIKE {OWN}.inbox; \
         CREATE OR REPLACE TABLE plain.bare (id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, \
         received_at DATETIME(3) NOT NULL, body MEDIUMTEXT NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
    ))
    .await?;
    root.disconnect().await?;
    let constraints = PoolConstraints::new(POOL, POOL).context("a pool")?;
    let options = PoolOpts::default().with_constraints(constraints).with_reset_connection(false);
    let url = Opts::from_url(&home.server.url_for("root", "plain"))?;
    Ok(Pools { plain: Pool::new(url.clone()), tuned: Pool::new(OptsBuilder::from_opts(url).pool_opts(options)) })
}

fn route(door: Door, keys: Arc<[Key]>, clock: Clock) -> Route {
    warp::path!("v1" / "events")
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |headers: HeaderMap, body| {
            let (door, keys, clock) = (door.clone(), keys.clone(), clock.clone());
            async move {
                let body = match json_body(&headers, body, LIMITS).await {
                    Ok(body) => body,
                    Err(problem) => return problem.response(),
                };
                let known = match verified(&headers, &body, &keys, clock.now()) {
                    Ok(known) => known,
                    Err(problem) => return problem.response(),
                };
                let stored = match &door {
                    Door::VerifyOnly => Ok(()),
                    Door::SameRow(pool) => whole_row(pool, &known).await,
                    Door::BareRow(pool) => bare_row(pool, &known).await,
                };
                let status = if stored.is_ok() { StatusCode::ACCEPTED } else { StatusCode::SERVICE_UNAVAILABLE };
                let answer = json!({ "id": known.id() }).to_string();
                hookbridge::http::problem::json_response(status, answer)
            }
        })
        .boxed()
}

async fn bare_row(pool: &Pool, known: &Verified<'_>) -> anyhow::Result<()> {
    let mut connection = pool.get_conn().await?;
    let sql = "INSERT INTO bare (id, received_at, body) VALUES (?, NOW(3), ?)";
    Ok(connection.exec_drop(sql, (known.id(), known.body())).await?)
}

async fn whole_row(pool: &Pool, known: &Verified<'_>) -> anyhow::Result<()> {
    let id = EventId::parse(known.id()).context("an id")?;
    let event = envelope::parse(&id, SOURCE, known.body())?;
    let occurred_at = event.occurred_at.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string();
    let values = vec![
        known.id().into(),
        SOURCE.into(),
        event.hook.into(),
        occurred_at.into(),
        known.key_index().into(),
        sha256(known.body()).as_slice().into(),
        known.body().into(),
    ];
    let mut connection = pool.get_conn().await?;
    let sql = "INSERT INTO whole (event_id, source, hook, occurred_at, received_at, key_index, body_sha256, body, run_at) \
               VALUES (?, ?, ?, ?, NOW(3), ?, ?, ?, NOW(3))";
    Ok(connection.exec_drop(sql, Params::Positional(values)).await?)
}
