#!/usr/bin/env bash
# mysql_async 0.37.1 (with rustls 0.23): two things its documentation does not say.
# 1. The statements of `OptsBuilder::setup` (and `init`) are run from the last to the first.
#    Seen:  setup(["SET @a = 1", "SET @a = 2"]) leaves @a = 1
# 2. `verify_identity=false` in the URL (`SslOpts::with_danger_skip_domain_validation`) has no effect with rustls: a certificate of a
#    trusted CA for another name is refused all the same.
#    Seen:  "certificate not valid for name"
# Hurt: whose later statement builds on an earlier one; who trusts a CA of one's own and reaches the server by an address.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "${pid:-0}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
port=$((20000 + RANDOM % 20000))
ec=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
openssl req -x509 "${ec[@]}" -days 2 -subj /CN=ca -keyout ca.key -out ca.pem 2>/dev/null
openssl req "${ec[@]}" -subj /CN=db.example.com -keyout server.key -out server.csr 2>/dev/null
openssl x509 -req -days 2 -CA ca.pem -CAkey ca.key -CAcreateserial -in server.csr -out server.pem \
  -extfile <(echo subjectAltName=DNS:db.example.com) 2>/dev/null
export PATH=$PATH:/usr/sbin
mariadb-install-db --no-defaults --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve \
  --force --user="$(id -un)" >log 2>&1
mariadbd --no-defaults --datadir="$dir/data" --socket="$dir/sock" --port="$port" --bind-address=127.0.0.1 --user="$(id -un)" \
  --ssl-cert=server.pem --ssl-key=server.key >>log 2>&1 &
pid=$!
for _ in $(seq 100); do mariadb --no-defaults -uroot -S sock -e "CREATE USER IF NOT EXISTS f@'127.0.0.1'" 2>/dev/null && break; sleep 0.1; done
mkdir -p src
cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"
[dependencies]
mysql_async = { version = "=0.37.1", default-features = false, features = ["default-rustls-ring"] }
rustls = { version = "=0.23.46", default-features = false, features = ["ring"] }
tokio = { version = "1", features = ["rt", "macros"] }
TOML
cat >src/main.rs <<'RUST'
use mysql_async::{prelude::Queryable, Conn, Opts, OptsBuilder, SslOpts};
#[tokio::main(flavor = "current_thread")]
async fn main() {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let url = std::env::args().nth(1).unwrap();
    let opts = OptsBuilder::from_opts(Opts::from_url(&url).unwrap());
    let setup = opts.clone().prefer_socket(false).setup(vec!["SET @a = 1", "SET @a = 2"]);
    let a: Option<i64> = Conn::new(setup).await.unwrap().query_first("SELECT @a").await.unwrap();
    let ca = std::fs::read("ca.pem").unwrap();
    let tls = SslOpts::default().with_root_certs(vec![ca.into()]).with_danger_skip_domain_validation(true);
    let tls = Conn::new(opts.prefer_socket(false).ssl_opts(tls)).await.map(drop);
    println!("@a = {a:?}, skipping the name's check: {tls:?}");
}
RUST
seen=$(cargo run -q -- "mysql://f@127.0.0.1:$port/" 2>&1)
echo "$seen"
grep -q '@a = Some(1)' <<<"$seen" && grep -q 'NotValidForName' <<<"$seen"
