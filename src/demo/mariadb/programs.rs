//! Owns: where MariaDB's programs are. A normal user's `PATH` has no `sbin`, and Debian keeps the server there.

use std::env;
use std::path::PathBuf;

use anyhow::bail;

/// The programs a private server needs.
pub(super) struct Programs {
    pub(super) server: PathBuf,
    pub(super) installer: PathBuf,
}

/// Where to look beside `PATH`.
const USUAL_PLACES: &[&str] = &["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/usr/libexec"];

/// On Debian and Ubuntu the server and `mariadb-install-db` are in mariadb-server-core; the latter calls
/// `my_print_defaults`, which is in mariadb-client-core.
const NEEDED: &[&str] = &["mariadbd", "mariadb-install-db", "my_print_defaults"];

pub(super) fn find() -> anyhow::Result<Programs> {
    let missing: Vec<&str> = NEEDED.iter().copied().filter(|name| locate(name).is_none()).collect();
    match (locate("mariadbd"), locate("mariadb-install-db")) {
        (Some(server), Some(installer)) if missing.is_empty() => Ok(Programs { server, installer }),
        _ => bail!(
            "the demo and the tests need MariaDB's programs, and {} cannot be found. On Debian or Ubuntu: \
             apt-get install --no-install-recommends mariadb-server-core mariadb-client-core \
             (no server is started by that; hookbridge runs one of its own)",
            missing.join(", ")
        ),
    }
}

fn locate(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).chain(USUAL_PLACES.iter().map(PathBuf::from));
    places.map(|place| place.join(name)).find(|file| file.is_file())
}
