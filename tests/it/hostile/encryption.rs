//! Encrypted connections to a server whose certificate a CA of one's own signed, and ways to log in.

use std::path::Path;

use hookbridge::app::open_store;
use hookbridge::config::load;
use hookbridge::demo::stage::{Secrets, variables};
use hookbridge::sql::{Access, Address, Database};

use super::ground::Ground;
use crate::support::database::TestDb;

async fn connects(url: &str, ca_file: &Path) -> Result<(), String> {
    let ca = std::fs::read_to_string(ca_file).unwrap_or_default();
    let address =
        Address { url, ca: &ca, pool_min: 0, pool_max: 1, acquire_timeout: std::time::Duration::from_secs(10) };
    let database = Database::open(&address, Access::Own, None).map_err(|error| error.to_string())?;
    let result = database.connection().await.map(drop).map_err(|error| error.to_string());
    database.close().await;
    result
}

async fn account(ground: &Ground, db: &TestDb, requires: &str) {
    ground
        .admin(&format!(
            "DROP USER IF EXISTS 'safe'@'127.0.0.1'; CREATE USER 'safe'@'127.0.0.1' {requires}; \
             GRANT ALL PRIVILEGES ON `{}`.* TO 'safe'@'127.0.0.1'",
            db.own
        ))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ca_of_ones_own_is_trusted_by_its_file_and_by_nothing_else() {
    let ground = Ground::hold().await;
    let db = ground.databases().await;
    account(&ground, &db, "REQUIRE SSL").await;
    let url = |host: &str, options: &str| format!("mysql://safe@{host}:{}/{}{options}", ground.port, db.own);
    let none = Path::new("");
    let plain = connects(&url("127.0.0.1", ""), none).await.expect_err("the account requires TLS");
    assert!(plain.contains("1045"), "{plain}");
    let unknown = connects(&url("localhost", "?require_ssl=true"), none).await.expect_err("nobody knows the CA");
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    assert_eq!(connects(&url("localhost", ""), &ground.ca).await, Ok(()));
    assert_eq!(connects(&url("localhost", "?require_ssl=true"), &ground.ca).await, Ok(()));
    let other = connects(&url("localhost", ""), &ground.other_ca).await.expect_err("another CA");
    assert!(other.contains("invalid peer certificate"), "{other}");
    let name = connects(&url("127.0.0.1", ""), &ground.ca).await.expect_err("the certificate is for localhost");
    assert!(name.contains("not valid for name"), "{name}");
    assert_eq!(connects(&url("127.0.0.1", "?require_ssl=true&verify_ca=false"), none).await, Ok(()));
    let both = connects(&url("localhost", "?require_ssl=true&verify_ca=false"), &ground.ca).await;
    assert!(both.expect_err("one of them").contains("one of them"));
    // As configured: by a file, whose name is in the error when it is not there.
    let with = |file: &Path| {
        let secrets = Secrets::new().expect("randomness");
        let mut settings = variables(&url("localhost", ""), &db.reader_url(), "http://127.0.0.1:1", &secrets);
        settings.push(("HOOKBRIDGE__DATABASE__CA_FILE".to_owned(), file.display().to_string()));
        load(None, settings)
    };
    let store = open_store(&with(&ground.ca).expect("settings")).expect("a pool");
    store.ping().await.expect("it is encrypted");
    store.database().clone().close().await;
    let missing = with(Path::new("/nowhere/ca.pem")).expect_err("no such file").to_string();
    assert!(missing.contains("database.ca_file") && missing.contains("/nowhere/ca.pem"), "{missing}");
    let no_ca = with(Path::new("/etc/hostname")).expect("settings");
    assert!(format!("{:#}", open_store(&no_ca).expect_err("no certificate")).contains("holds no certificate"));
}

/// A server that asks for a way to log in, reads what the driver says to it, and refuses it. What it read.
async fn asks_for(plugin: &'static str, account: &str) -> (String, usize) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        // Protocol 10; the capabilities are those of a server of 10.11 without TLS.
        let mut hello = vec![10];
        hello.extend(b"10.11.0-MariaDB\0");
        hello.extend([1, 0, 0, 0]);
        hello.extend(b"abcdefgh\0");
        hello.extend([0xfe, 0xf7, 45, 2, 0, 0xbf, 0x81, 21]);
        hello.extend([0; 10]);
        hello.extend(b"ijklmnopqrst\0mysql_native_password\0");
        send(&mut stream, 0, &hello).await;
        let _ = receive(&mut stream).await;
        let mut switch = vec![0xfe];
        switch.extend(plugin.as_bytes());
        switch.push(0);
        switch.extend([7; 32]);
        send(&mut stream, 2, &switch).await;
        let answer = receive(&mut stream).await;
        if plugin == "parsec" {
            // "P", iterations, salt: the driver answers with its own nonce and a signature.
            send(&mut stream, 4, &[&[0x01, b'P', 0][..], &[9; 18]].concat()).await;
            let signed = receive(&mut stream).await;
            send(&mut stream, 6, b"\xff\x15\x04#28000Access denied").await;
            return signed.len();
        }
        send(&mut stream, 4, b"\xff\x15\x04#28000Access denied").await;
        answer.len()
    });
    let error = connects(&format!("mysql://{account}@127.0.0.1:{port}/d"), Path::new("")).await;
    (error.expect_err("it is refused"), server.await.unwrap_or(0))
}

async fn send(stream: &mut tokio::net::TcpStream, number: u8, payload: &[u8]) {
    use tokio::io::AsyncWriteExt as _;
    let length = u32::try_from(payload.len()).expect("a short one").to_le_bytes();
    let packet = [&length[..3], &[number], payload].concat();
    // A driver that gave up has closed it.
    let _ = stream.write_all(&packet).await;
}

async fn receive(stream: &mut tokio::net::TcpStream) -> Vec<u8> {
    use tokio::io::AsyncReadExt as _;
    let mut head = [0; 4];
    if stream.read_exact(&mut head).await.is_err() {
        return Vec::new();
    }
    let mut payload = vec![0; u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize];
    let _ = stream.read_exact(&mut payload).await;
    payload
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_to_log_in_that_a_server_may_ask_for_ends_in_an_answer_and_never_in_a_panic() {
    let account = "ana:secret";
    let (error, answered) = asks_for("client_ed25519", account).await;
    assert!(error.contains("1045") && answered == 64, "{error}, {answered} bytes");
    let (error, answered) = asks_for("parsec", account).await;
    assert!(error.contains("1045") && answered == 96, "{error}, {answered} bytes");
    // The driver panics here; the pool goes on, and the next one gets an answer, too.
    let (error, _) = asks_for("parsec", "ana").await;
    assert!(error.starts_with("the driver cannot connect"), "{error}");
    let (error, _) = asks_for("auth_gssapi_client", account).await;
    assert!(error.contains("auth_gssapi_client"), "{error}");
    let (error, _) = asks_for("mysql_clear_password", account).await;
    assert!(error.contains("mysql_clear_password"), "{error}");
    let (error, _) = asks_for("mysql_old_password", account).await;
    assert!(error.contains("mysql_old_password"), "{error}");
}
