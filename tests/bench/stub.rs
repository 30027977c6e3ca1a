//! Owns: what a hook costs the platform's page: the real stub towards the bridge, beside a module that calls the provider
//! while the page waits.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use hookbridge::app::Workers;
use hookbridge::demo::stage::SOURCE;
use hookbridge::demo::stub::{Stub, StubSettings};
use serde_json::json;
use warp::Filter as _;
use warp::Reply as _;

use crate::Scale;
use crate::doors::listen;
use crate::home::Home;
use crate::report::{Report, Target};

/// How long the provider takes to answer: a near data centre over TLS.
const LATENCY: Duration = Duration::from_millis(120);
const ROUNDS: u32 = 4;

/// A call as such modules make it, each on its own. Prints the microseconds of all.
const SLOW: &str = r"
$body = json_encode(['messaging_product' => 'whatsapp', 'to' => '+5491155550100', 'type' => 'template',
    'template' => ['name' => 'invoice_created', 'language' => ['code' => 'es_AR']]]);
$started = microtime(true);
for ($i = 0; $i < (int) $argv[2]; $i++) {
    $curl = curl_init($argv[1]);
    curl_setopt_array($curl, [CURLOPT_POST => true, CURLOPT_POSTFIELDS => $body, CURLOPT_RETURNTRANSFER => true,
        CURLOPT_HTTPHEADER => ['Content-Type: application/json'], CURLOPT_TIMEOUT => 5]);
    if (curl_exec($curl) === false) {
        fwrite(STDERR, curl_error($curl));
        exit(1);
    }
    unset($curl);
}
echo (int) round((microtime(true) - $started) * 1000000);
";

pub async fn measure(home: &Home, scale: Scale, report: &mut Report) -> anyhow::Result<()> {
    let (variables, store) = home.fresh("http://127.0.0.1:9", &[]).await?;
    let app = home.bridge(variables, Workers::ByHand).await?;
    let url = format!("http://{}", app.address);
    let secret = &home.secrets.stub;
    let settings = StubSettings { url: &url, source: SOURCE, secret, connect_timeout_ms: 150, total_timeout_ms: 400 };
    let stub = Stub::install(&home.dir.path().join("platform"), &settings)?;
    stub.rows(&hookbridge::demo::script::rows())?;
    let answer = warp::any().then(|| async {
        tokio::time::sleep(LATENCY).await;
        warp::reply::json(&json!({ "messages": [{ "id": "wamid.bench" }] })).into_response()
    });
    let provider = format!("http://{}/messages", listen(answer.boxed()).await?);
    let (hooks, calls) = (scale.hooks / ROUNDS, (scale.slow_calls / ROUNDS).max(1));
    let (mut quick, mut slow) = (0, 0);
    let vars = json!({ "invoiceid": 4711, "source": "autogen", "user": "system", "status": "Unpaid" });
    for _ in 0..ROUNDS {
        let warm = json!({ "hook": "InvoiceCreated", "actor": "cron", "vars": vars });
        let line = json!({ "hook": "InvoiceCreated", "vars": vars, "repeat": hooks });
        let shots = stub.fire(&[warm, line]).await?;
        quick += shots[1]["elapsed_us"].as_u64().context("microseconds")?;
        slow += call(&provider, calls).await?;
    }
    let kept = stub.waiting();
    let (stored, _) = hookbridge::store::inbox::depth(&store).await?;
    ensure!(stored == u64::from(ROUNDS * (hooks + 1)), "only {stored} hooks arrived, {kept} wait in the spool");
    let quick = quick as f64 / f64::from(hooks * ROUNDS);
    let slow = slow as f64 / f64::from(calls * ROUNDS);
    let from = format!("{quick:.0} us per hook against {slow:.0} us per call");
    report.add("provider call in the page / stub's hook", slow / quick, "x", Target::AtLeast(50.0), from);
    store.database().clone().close().await;
    app.stop().await;
    Ok(())
}

async fn call(url: &str, calls: u32) -> anyhow::Result<u64> {
    let output = tokio::process::Command::new("php")
        .args(["-r", SLOW, "--", url, &calls.to_string()])
        .stdin(Stdio::null())
        .output()
        .await
        .context("php does not start (package php-cli)")?;
    ensure!(output.status.success(), "php failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
