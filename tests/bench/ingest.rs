//! Owns: the door, at full load, beside two simpler doors: one that stores nothing, and one that stores each event by
//! itself. Rounds alternate, so that a slow moment of the machine meets all three.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use hookbridge::app::Workers;
use hookbridge::clock::Clock;
use hookbridge::http::Route;
use hookbridge::http::raw::{BodyLimits, json_body, verified};
use hookbridge::http::server::{Limits, serve};
use hookbridge::signature::Key;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts};
use serde_json::json;
use tokio::net::TcpListener;
use warp::Filter as _;
use warp::http::{HeaderMap, StatusCode};

use crate::Scale;
use crate::home::Home;
use crate::load::{Count, Post, round};
use crate::report::{Report, Target};

const LIMITS: BodyLimits = BodyLimits { bytes_max: 65_536, timeout: Duration::from_secs(5) };
/// As many connections as the bridge may open.
const POOL: usize = 16;

pub async fn measure(home: &Home, scale: Scale, report: &mut Report) -> anyhow::Result<()> {
    let (variables, store) = home.fresh("http://127.0.0.1:9", &[]).await?;
    let app = home.bridge(variables, Workers::ByHand).await?;
    let pool = pool(home).await?;
    let keys: Arc<[Key]> = Arc::from([home.key()?]);
    let bare = door(route(keys.clone(), home.clock.clone(), None)).await?;
    let single = door(route(keys, home.clock.clone(), Some(pool.clone()))).await?;
    let fields = json!({ "invoiceid": 4711, "source": "autogen", "user": "system", "status": "Unpaid" });
    let post = Post {
        key: home.key()?,
        body: Arc::new(home.envelope("InvoiceCreated", "r1", &fields)),
        clock: home.clock.clone(),
        serial: Arc::new(AtomicU64::new(0)),
    };
    let time = Duration::from_millis(scale.round_ms);
    for (connections, times) in [(64, 3.0), (256, 6.0)] {
        let (mut ours, mut verify, mut insert) = (Count::default(), Count::default(), Count::default());
        for _ in 0..scale.rounds {
            ours.add(round(app.address, connections, time, &post).await?);
            insert.add(round(single, connections, time, &post).await?);
            verify.add(round(bare, connections, time, &post).await?);
        }
        let (ours, verify, insert) = (ours.per_second(), verify.per_second(), insert.per_second());
        let name = format!("ingest / INSERT per request, {connections} connections");
        let from = format!("{ours:.0}/s against {insert:.0}/s");
        report.add(&name, ours / insert, "x", Target::AtLeast(times), from);
        let target = if connections == 256 { Target::AtLeast(40.0) } else { Target::None };
        let name = format!("ingest / verify only, {connections} connections");
        report.add(&name, ours * 100.0 / verify, "%", target, format!("{ours:.0}/s against {verify:.0}/s"));
    }
    store.database().clone().close().await;
    pool.disconnect().await?;
    app.stop().await;
    Ok(())
}

async fn pool(home: &Home) -> anyhow::Result<Pool> {
    let mut root = home.root("").await?;
    root.query_drop(
        "CREATE DATABASE IF NOT EXISTS plain; CREATE OR REPLACE TABLE plain.event (\
         id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, \
         received_at DATETIME(3) NOT NULL, body MEDIUMTEXT NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
    )
    .await?;
    root.disconnect().await?;
    let constraints = PoolConstraints::new(POOL, POOL).ok_or_else(|| anyhow::anyhow!("a pool"))?;
    let options = PoolOpts::default().with_constraints(constraints).with_reset_connection(false);
    let url = Opts::from_url(&home.server.url_for("root", "plain"))?;
    Ok(Pool::new(OptsBuilder::from_opts(url).pool_opts(options)))
}

/// Verifies, and stores in one row of its own if there is somewhere to store.
fn route(keys: Arc<[Key]>, clock: Clock, pool: Option<Pool>) -> Route {
    warp::path!("v1" / "events")
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |headers: HeaderMap, body| {
            let (keys, clock, pool) = (keys.clone(), clock.clone(), pool.clone());
            async move {
                let body = match json_body(&headers, body, LIMITS).await {
                    Ok(body) => body,
                    Err(problem) => return problem.response(),
                };
                let known = match verified(&headers, &body, &keys, clock.now()) {
                    Ok(known) => known,
                    Err(problem) => return problem.response(),
                };
                let stored = match pool {
                    Some(pool) => store(&pool, known.id(), known.body()).await,
                    None => Ok(()),
                };
                let status = if stored.is_ok() { StatusCode::ACCEPTED } else { StatusCode::SERVICE_UNAVAILABLE };
                let answer = json!({ "id": known.id() }).to_string();
                hookbridge::http::problem::json_response(status, answer)
            }
        })
        .boxed()
}

async fn store(pool: &Pool, id: &str, body: &[u8]) -> mysql_async::Result<()> {
    let mut connection = pool.get_conn().await?;
    connection.exec_drop("INSERT INTO event (id, received_at, body) VALUES (?, NOW(3), ?)", (id, body)).await
}

/// Serves `route` as the bridge serves its own, until the process ends.
pub async fn door(route: Route) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(listener, route, Limits::default(), std::future::pending()));
    Ok(address)
}
