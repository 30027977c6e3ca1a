//! Owns: how long a question to the company's rules takes at the service, beside a bare route with one indexed read of the
//! same database. One connection (a page asks alone) and eight; rounds alternate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use hookbridge::app::{App, Workers};
use hookbridge::clock::Clock;
use hookbridge::http::Route;
use hookbridge::http::problem::json_response;
use hookbridge::http::request::{BodyLimits, json_body, verified};
use hookbridge::signature::Key;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use warp::Filter as _;
use warp::http::{HeaderMap, StatusCode};

use crate::Scale;
use crate::doors::listen;
use crate::home::{BILLING, Home};
use crate::load::{Post, exchange};
use crate::report::{Report, Target};

const LIMITS: BodyLimits = BodyLimits { bytes_max: 65_536, timeout: Duration::from_secs(5) };
/// As many connections as the bridge has to the platform's database.
const POOL: usize = 8;
/// Asked first and not counted.
const WARM_UP: usize = 50;

pub async fn measure(home: &Home, scale: Scale, report: &mut Report) -> anyhow::Result<()> {
    let (variables, store) = home.fresh("http://127.0.0.1:9", &[]).await?;
    let app = home.bridge(variables, Workers::ByHand).await?;
    let services = home.ids("SELECT id FROM tblhosting WHERE domainstatus = 'Active' ORDER BY id LIMIT 500").await?;
    let pool = pool(home)?;
    let bare = listen(route(Arc::from([home.key()?]), home.clock.clone(), pool.clone())).await?;
    let ask = |rule: &'static str, more: serde_json::Value| {
        let bodies = services.iter().map(|service| {
            let mut fields = json!({ "service_id": service });
            if let (Some(fields), Some(more)) = (fields.as_object_mut(), more.as_object()) {
                fields.extend(more.clone());
            }
            Arc::new(home.envelope("OrderProductUpgradeOverride", "r1", &fields))
        });
        (rule, bodies.collect::<Vec<_>>())
    };
    let upgrade = ask("/v1/decisions/upgrade", json!({ "to_product_id": 2, "platform_price": "25.00" }));
    let cancellation = ask("/v1/decisions/cancellation", json!({ "type": "Immediate" }));
    let key = home.key()?;
    for connections in [1, 8] {
        let (mut ours, mut others, mut plain) = (Vec::new(), Vec::new(), Vec::new());
        let each = scale.questions as usize / connections;
        for _ in 0..scale.rounds {
            ours.extend(round(app.address, &upgrade, (connections, each), (&key, &home.clock)).await?);
            plain.extend(round(bare, &upgrade, (connections, each), (&key, &home.clock)).await?);
            others.extend(round(app.address, &cancellation, (connections, each), (&key, &home.clock)).await?);
        }
        let plain_50 = percentile(&mut plain, 50);
        for (rule, times) in [("upgrade", &mut ours), ("cancellation", &mut others)] {
            let (p50, p99) = (percentile(times, 50), percentile(times, 99));
            let from = format!("bare route with one indexed SELECT: {plain_50:.2} ms");
            let targets = if connections == 1 {
                (Target::AtMost(3.0), Target::AtMost(15.0))
            } else {
                (Target::None, Target::None)
            };
            report.add(&format!("decision {rule}, p50, {connections} at once"), p50, "ms", targets.0, from);
            let from = format!("bare route: {:.2} ms; {} questions", percentile(&mut plain, 99), times.len());
            report.add(&format!("decision {rule}, p99, {connections} at once"), p99, "ms", targets.1, from);
        }
    }
    of_the_largest_client(home, &app, scale, report).await?;
    app.drain().await?;
    store.database().clone().close().await;
    pool.disconnect().await?;
    app.stop().await;
    Ok(())
}

/// One client has 5,000 invoices, of which 150 are open: his upgrades are judged in time, too.
async fn of_the_largest_client(home: &Home, app: &App, scale: Scale, report: &mut Report) -> anyhow::Result<()> {
    let service = home.ids("SELECT MIN(id) FROM tblhosting WHERE domainstatus = 'Active'").await?[0];
    let mut root = home.root(BILLING).await?;
    root.query_drop(format!(
        "INSERT INTO tblinvoices (userid, invoicenum, date, duedate, subtotal, credit, tax, tax2, total, status, \
         paymentmethod, notes) \
         SELECT h.userid, '', '2020-01-01', '2020-01-15', 10, 0, 0, 0, 10, IF(n.n % 33 = 0, 'Unpaid', 'Paid'), 'x', '' \
         FROM tblhosting h JOIN JSON_TABLE(CONCAT('[', TRIM(TRAILING ',' FROM REPEAT('1,', 5000)), ']'), \
         '$[*]' COLUMNS (n FOR ORDINALITY)) n WHERE h.id = {service}"
    ))
    .await?;
    root.query_drop("ANALYZE TABLE tblinvoices").await?;
    root.disconnect().await?;
    let fields = json!({ "service_id": service, "to_product_id": 2, "platform_price": "25.00" });
    let body = Arc::new(home.envelope("OrderProductUpgradeOverride", "r1", &fields));
    let questions = ("/v1/decisions/upgrade", vec![body]);
    let each = scale.questions as usize / 4;
    let mut times = round(app.address, &questions, (1, each), (&home.key()?, &home.clock)).await?;
    for (percent, target) in [(50, Target::None), (99, Target::AtMost(100.0))] {
        let name = format!("decision upgrade, p{percent}, a client with 5,000 invoices");
        report.add(&name, percentile(&mut times, percent), "ms", target, format!("{} questions", times.len()));
    }
    Ok(())
}

fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let index = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
}

/// The time of each of `each` questions on each of `connections`.
async fn round(
    to: SocketAddr,
    (path, bodies): &(&'static str, Vec<Arc<String>>),
    (connections, each): (usize, usize),
    (key, clock): (&Key, &Clock),
) -> anyhow::Result<Vec<Duration>> {
    let mut all = JoinSet::new();
    for number in 0..connections {
        let mut stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        let (path, bodies, key, clock) = (*path, bodies.clone(), key.clone(), clock.clone());
        all.spawn(async move {
            let (mut times, mut buffer) = (Vec::with_capacity(each), Vec::with_capacity(8_192));
            let serial = Arc::new(AtomicU64::new(0));
            for index in 0..each + WARM_UP {
                let body = bodies[(index * 7 + number * 31) % bodies.len()].clone();
                let post = Post { key: key.clone(), body, clock: clock.clone(), serial: serial.clone() };
                let started = Instant::now();
                exchange(&mut stream, &mut buffer, &post, path, 200).await?;
                if index >= WARM_UP {
                    times.push(started.elapsed());
                }
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(ended) = all.join_next().await {
        times.extend(ended??);
    }
    Ok(times)
}

fn pool(home: &Home) -> anyhow::Result<Pool> {
    let constraints = PoolConstraints::new(1, POOL).ok_or_else(|| anyhow::anyhow!("a pool"))?;
    let options = PoolOpts::default().with_constraints(constraints).with_reset_connection(false);
    let url = Opts::from_url(&home.server.url_for("root", BILLING))?;
    Ok(Pool::new(OptsBuilder::from_opts(url).pool_opts(options)))
}

/// Verifies, and reads one row by its key.
fn route(keys: Arc<[Key]>, clock: Clock, pool: Pool) -> Route {
    warp::path!("v1" / "decisions" / String)
        .and(warp::post())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |_rule: String, headers: HeaderMap, body| {
            let (keys, clock, pool) = (keys.clone(), clock.clone(), pool.clone());
            async move {
                let body = match json_body(&headers, body, LIMITS).await {
                    Ok(body) => body,
                    Err(problem) => return problem.response(),
                };
                if let Err(problem) = verified(&headers, &body, &keys, clock.now()) {
                    return problem.response();
                }
                match read(&pool, &body).await {
                    Ok(status) => json_response(StatusCode::OK, json!({ "status": status }).to_string()),
                    Err(_) => json_response(StatusCode::SERVICE_UNAVAILABLE, "{}".to_owned()),
                }
            }
        })
        .boxed()
}

async fn read(pool: &Pool, body: &[u8]) -> anyhow::Result<Option<String>> {
    let question: serde_json::Value = serde_json::from_slice(body)?;
    let service = question["fields"]["service_id"].as_u64().unwrap_or_default();
    let mut connection = pool.get_conn().await?;
    Ok(connection.query_first(format!("SELECT domainstatus FROM tblhosting WHERE id = {service}")).await?)
}
