//! Owns: which user PHP runs as, and which user runs the platform's cron: both must read the stub's settings and write its spool.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// A user of the machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct User {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

/// The user `name`, out of a text like `/etc/passwd`.
pub fn named(passwd: &str, name: &str) -> Option<User> {
    users(passwd).find(|user| user.name == name)
}

fn users(passwd: &str) -> impl Iterator<Item = User> {
    passwd.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let (uid, gid) = (fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?);
        Some(User { name: (*fields.first()?).to_owned(), uid, gid })
    })
}

/// The users that processes of PHP and of web servers run as, without root: workers of php-fpm, Apache with `mod_php`, `LiteSpeed`.
pub fn of_processes(proc: &Path, passwd: &str) -> BTreeSet<User> {
    const SERVE_PHP: [&str; 6] = ["php-fpm", "apache2", "httpd", "lsphp", "php-cgi", "litespeed"];
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(proc).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(name) = fs::read_to_string(path.join("comm")) else { continue };
        let Ok(about) = fs::metadata(&path) else { continue };
        if about.uid() != 0 && SERVE_PHP.iter().any(|one| name.trim().starts_with(one)) {
            found.extend(users(passwd).find(|user| user.uid == about.uid()));
        }
    }
    found
}

/// The users whose crontabs run `cron.php` of the platform in `root`; `etc` and `spool` are `/etc` and `/var/spool/cron`.
pub fn of_cron(root: &Path, etc: &Path, spool: &Path) -> BTreeSet<String> {
    let root = root.to_string_lossy();
    let runs = |line: &str| !line.trim_start().starts_with('#') && line.contains(&*root) && line.contains("cron.php");
    let mut found = BTreeSet::new();
    // In these files a user stands between the time and the command.
    let system = fs::read_dir(etc.join("cron.d")).into_iter().flatten().flatten().map(|entry| entry.path());
    for file in system.chain([etc.join("crontab")]) {
        for line in fs::read_to_string(file).unwrap_or_default().lines().filter(|line| runs(line)) {
            let fields = if line.trim_start().starts_with('@') { 1 } else { 5 };
            found.extend(line.split_whitespace().nth(fields).map(str::to_owned));
        }
    }
    // Debian keeps users' own below `crontabs`, others directly.
    for folder in [spool.join("crontabs"), spool.to_owned()] {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            if text.lines().any(runs) {
                found.insert(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\nbroken\nshop:x:1001:1002::/:/bin/sh\n";

    #[test]
    fn a_user_is_found_by_name() {
        assert_eq!(named(PASSWD, "shop"), Some(User { name: "shop".into(), uid: 1001, gid: 1002 }));
        assert_eq!(named(PASSWD, "broken"), None);
    }

    #[test]
    fn the_crons_user_is_found_in_each_place_that_can_name_one() {
        let dir = tempfile::tempdir().expect("a folder");
        let (etc, spool) = (dir.path().join("etc"), dir.path().join("spool"));
        fs::create_dir_all(etc.join("cron.d")).expect("folders");
        fs::create_dir_all(spool.join("crontabs")).expect("folders");
        let root = Path::new("/var/www/whmcs");
        fs::write(etc.join("cron.d/a"), "*/5 * * * * www-data php -q /var/www/whmcs/crons/cron.php\n").expect("a");
        fs::write(
            etc.join("crontab"),
            "@daily root /usr/bin/php /var/www/whmcs/crons/cron.php\n# 1 1 1 1 1 no /var/www/whmcs/cron.php\n",
        )
        .expect("b");
        fs::write(spool.join("crontabs/shop"), "* * * * * php /var/www/whmcs/crons/cron.php all\n").expect("c");
        fs::write(spool.join("crontabs/other"), "* * * * * php /var/www/other/crons/cron.php all\n").expect("d");
        let found: Vec<String> = of_cron(root, &etc, &spool).into_iter().collect();
        assert_eq!(found, ["root", "shop", "www-data"]);
    }
}
