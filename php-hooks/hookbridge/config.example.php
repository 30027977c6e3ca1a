<?php
/**
 * Copy to config.php and fill in. It holds a secret: `chown` it to the user that PHP runs as, then `chmod 0600`.
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

    // A folder of PHP's user, outside of what the web server shows; mode 0700. What waits for the bridge lies in it.
    'spool_dir' => '/var/spool/hookbridge',

    // The IP address of the host in `url`, if that is a name: then nothing is ever resolved. Without it, pages use the address at
    // which the last cron reached the bridge.
    // 'address' => '192.0.2.10',

    // How long a page may wait for the bridge, in milliseconds: to connect (with TLS), for all decisions and sendings of a page
    // together, and for sending what the page wrote, where PHP cannot finish the response first (mod_php, CGI).
    // 'connect_timeout_ms' => 150,
    // 'total_timeout_ms' => 400,
    // 'page_send_ms' => 150,

    // How long one PHP process of a cron may spend on sending meanwhile and at its end.
    // 'cron_send_ms' => 10000,

    // After a failure all processes leave the bridge alone for so many seconds.
    // 'circuit_open_s' => 30,

    // What waits for a bridge that is down: at most so many bytes, for at most so many seconds (7 days).
    // 'spool_bytes_max' => 52428800,
    // 'spool_age_max_s' => 604800,

    // What one run of the platform's cron sends of what waits.
    // 'flush_events_max' => 100000,
    // 'flush_time_max_ms' => 60000,

    // true: each event is on the disk before the page goes on (PHP 8.1). Without it a power cut may take the last seconds.
    // 'journal_fsync' => false,

    // Certificate of your own authority, when the bridge's certificate is not signed by a public one.
    // 'ca_file' => '/etc/ssl/hookbridge-ca.pem',

    // For the button of the addon page (modules/addons/hookbridge): where browsers reach the bridge's page, and the secret that
    // links are signed with, the same text as `admin.sso_secret` of the bridge and another one than `secret`.
    // 'page_url' => 'https://hookbridge.example.com',
    // 'sso_secret' => 'whsec_REPLACE_ME',

    // The name of the admin folder, if you renamed it ($customadminpath in configuration.php).
    // 'admin_folder' => 'admin',
];
