<?php
/**
 * Copy to config.php and fill in. It holds a secret: chmod 0640, owned by the user that PHP runs as.
 * Keys that are commented out show their defaults.
 */

return [
    // Where the bridge listens, without a path behind it. https, or http to this same machine only.
    'url' => 'http://127.0.0.1:8466',

    // The name of this installation in the bridge's configuration; it selects the keys.
    'source' => 'billing',

    // whsec_ and the base64 of 24 to 64 random bytes; the same text as in the bridge's configuration. To make one:
    // php -r 'echo "whsec_" . base64_encode(random_bytes(32)) . PHP_EOL;'
    'secret' => 'whsec_REPLACE_ME',

    // A folder outside of the web root that PHP may write to. It is made with mode 0700 if it is missing.
    'spool_dir' => '/var/spool/hookbridge',

    // How long a page may wait for the bridge, in milliseconds.
    // 'connect_timeout_ms' => 150,
    // 'total_timeout_ms' => 400,

    // After a failure this PHP process spools directly for so many seconds, so that a long cron run waits only once.
    // 'circuit_open_s' => 30,

    // What waits for a bridge that is down: at most so many bytes, for at most so many seconds (7 days).
    // 'spool_bytes_max' => 52428800,
    // 'spool_age_max_s' => 604800,

    // What one run of the platform's cron sends from the spool.
    // 'flush_events_max' => 200,
    // 'flush_time_max_ms' => 5000,

    // Certificate of your own authority, when the bridge's certificate is not signed by a public one.
    // 'ca_file' => '/etc/ssl/hookbridge-ca.pem',

    // For the button of the addon page (modules/addons/hookbridge): where browsers reach the bridge's page, and the secret that
    // links are signed with, the same text as `admin.sso_secret` of the bridge and another one than `secret`.
    // 'page_url' => 'https://hookbridge.example.com',
    // 'sso_secret' => 'whsec_REPLACE_ME',

    // The name of the admin folder, if you renamed it ($customadminpath in configuration.php).
    // 'admin_folder' => 'admin',
];
