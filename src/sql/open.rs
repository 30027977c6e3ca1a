//! Owns: the two pools' common ground: what a URL and a CA file mean, and what each new connection goes through before
//! anybody uses it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use mysql_async::{Conn, Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts, UrlError};

use super::{Access, Database, Seen, session};

/// A pooled connection that nobody used for so long is closed.
const CONNECTION_IDLE: Duration = Duration::from_mins(1);

/// How a database is reached.
#[derive(Debug)]
pub struct Address<'a> {
    /// `mysql://user:password@host:port/database`, with the driver's options behind a `?`.
    pub url: &'a str,
    /// Certificates to trust instead of the public ones, in PEM; connections are then encrypted. Empty: none.
    pub ca: &'a str,
    pub pool_min: usize,
    pub pool_max: usize,
    pub acquire_timeout: Duration,
}

/// Why no pool can be made. Never shows the URL: it holds a password.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AddressError {
    #[error("is not a readable URL: mysql://user:password@host:3306/database, with `%40` for an @ in the password")]
    Url,
    #[error("must begin with mysql://")]
    Scheme,
    #[error("has an option `{0}` that does not exist: see \"The database's address\" in docs/OPERATIONS.md")]
    Option(String),
    #[error(
        "has a value of its option `{0}` that is not readable: see \"The database's address\" in docs/OPERATIONS.md"
    )]
    Value(String),
    #[error("names no database: mysql://user:password@host:3306/database")]
    NoDatabase,
    #[error("pool_min is above pool_max, or pool_max is 0")]
    Pool,
    #[error("ca_file is set, and so is `verify_ca=false` in the URL: one of them")]
    CaUnused,
    #[error("ca_file holds no certificate (`{BEGIN}`): the CA's in PEM is needed")]
    Ca,
}

/// What a connection of the platform must prove before its first use.
pub type Check = Arc<dyn for<'a> Fn(&'a mut Conn) -> BoxFuture<'a, mysql_async::Result<()>> + Send + Sync>;

impl Database {
    /// A pool. No connection is made yet; each new one is set up as [`Access`] says and goes through `check`.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn open(address: &Address<'_>, access: Access, check: Option<Check>) -> Result<Self, AddressError> {
        let opts = Opts::from_url(address.url).map_err(of_url)?;
        if opts.db_name().is_none_or(str::is_empty) {
            return Err(AddressError::NoDatabase);
        }
        let constraints = PoolConstraints::new(address.pool_min, address.pool_max).ok_or(AddressError::Pool)?;
        let pool = PoolOpts::default()
            .with_constraints(constraints)
            .with_inactive_connection_ttl(CONNECTION_IDLE)
            // Connections are never left with state behind, and resetting costs a round trip each time.
            .with_reset_connection(false);
        let tls = with_ca(&opts, address.ca)?;
        let seen = Arc::new(Seen::default());
        let of_sessions = seen.clone();
        let opts = OptsBuilder::from_opts(opts)
            .pool_opts(pool)
            .ssl_opts(tls)
            // Where the URL says, and nowhere else: the socket that a server names may be another server's here.
            .prefer_socket(false)
            .after_connect(move |connection| {
                let (seen, check) = (of_sessions.clone(), check.clone());
                Box::pin(async move {
                    session::set_up(connection, access, &seen).await?;
                    match check {
                        Some(check) => check(connection).await,
                        None => Ok(()),
                    }
                })
            });
        Ok(Self::new(Pool::new(opts), address.acquire_timeout, seen))
    }
}

fn of_url(error: UrlError) -> AddressError {
    match error {
        UrlError::UnknownParameter { param } => AddressError::Option(param),
        UrlError::InvalidParamValue { param, .. } | UrlError::FeatureRequired { param, .. } => {
            AddressError::Value(param)
        }
        UrlError::UnsupportedScheme { .. } => AddressError::Scheme,
        UrlError::InvalidPoolConstraints { .. } => AddressError::Pool,
        _ => AddressError::Url,
    }
}

/// The URL's TLS options, with `ca` as the only certificates trusted.
fn with_ca(opts: &Opts, ca: &str) -> Result<Option<mysql_async::SslOpts>, AddressError> {
    let of_url = opts.ssl_opts().cloned();
    if ca.is_empty() {
        return Ok(of_url);
    }
    if !ca.contains(BEGIN) {
        return Err(AddressError::Ca);
    }
    let tls = of_url.unwrap_or_default();
    if tls.accept_invalid_certs() {
        return Err(AddressError::CaUnused);
    }
    Ok(Some(tls.with_root_certs(vec![ca.as_bytes().to_vec().into()]).with_disable_built_in_roots(true)))
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> AddressError {
        let address = Address { url, ca: "", pool_min: 0, pool_max: 2, acquire_timeout: Duration::from_secs(1) };
        Database::open(&address, Access::Own, None).expect_err("it is no good URL")
    }

    #[test]
    fn a_bad_url_says_what_is_wrong_and_never_shows_itself() {
        assert_eq!(refused("hunter2"), AddressError::Url);
        assert_eq!(refused("postgres://a:hunter2@h/d"), AddressError::Scheme);
        assert_eq!(refused("mysql://a:hunter2@h"), AddressError::NoDatabase);
        assert_eq!(refused("mysql://a:hunter2@h/d?ssl=1"), AddressError::Option("ssl".to_owned()));
        assert_eq!(refused("mysql://a:hunter2@h/d?require_ssl=ja"), AddressError::Value("require_ssl".to_owned()));
        for url in ["hunter2", "mysql://a:hunter2@h/d?ssl=1"] {
            assert!(!refused(url).to_string().contains("hunter2"));
        }
    }
}
