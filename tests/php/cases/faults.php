<?php

use Hookbridge\AllowList;
use Hookbridge\Config;
use Hookbridge\Text;

/** A copy of the shipped files that a test may damage. @return string its folder */
function copyOfStub(Sandbox $box): string
{
    mkdir("$box->dir/hooks", 0755);
    $from = dirname(__DIR__, 3) . '/php-hooks';
    shell_exec('cp -r ' . escapeshellarg("$from/hookbridge.php") . ' ' . escapeshellarg("$from/hookbridge") . ' ' . escapeshellarg("$box->dir/hooks/"));
    return "$box->dir/hooks";
}

/** What a file says to PHP, without comments. */
function code(string $file): string
{
    return php_strip_whitespace($file);
}

/** Compiles a library that stands before the C library, for faults of files. @return string for LD_PRELOAD */
function shim(Sandbox $box, string $code): string
{
    file_put_contents("$box->dir/shim.c", "#define _GNU_SOURCE\n$code");
    shell_exec('cc -shared -fPIC -o ' . escapeshellarg("$box->dir/shim.so") . ' ' . escapeshellarg("$box->dir/shim.c") . ' -ldl');
    return "$box->dir/shim.so";
}

/** Makes a file or folder unreadable for the PHP of the web server. */
function hide(string $path): void
{
    chown($path, posix_geteuid());
    chmod($path, posix_geteuid() === 0 ? 0600 : 0);
}

test('faults: config.php that PHP cannot read: the page is whole, and a sentence names owner and user', static function () {
    $box = new Sandbox();
    $sapi = new Sapi($box);
    $sapi->page('fpm', 'hooks=0');
    hide("$box->dir/config.php");
    check(strpos($sapi->page('fpm', 'hooks=1&also=AdminLogin'), 'page end') !== false, 'whole');
    same(1, count(preg_grep('/^hookbridge is off: config.php belongs to .+ and is not readable for .+, as which PHP runs: `chown`/', $box->log())),
        json_encode($box->log()));
});

test('faults: a class file that PHP cannot read, or that is missing, breaks no page and is said', static function () {
    foreach (array_map('basename', glob(dirname(__DIR__, 3) . '/php-hooks/hookbridge/[A-Z]*.php')) as $name) {
        $box = new Sandbox();
        $folder = copyOfStub($box);
        unlink("$folder/hookbridge/$name");
        $lines = $box->fire([ONE_EVENT, 'AfterCronJob', 'AdminLogin'], ['HB_STUB_DIR' => $folder]);
        same([false, true], [$lines[0]['registered'], $lines[2]['registered']], $name);
        same(1, count(preg_grep("/hookbridge is off: (hookbridge\\/)?$name/", $box->log())), $name . ': ' . json_encode($box->log()));
    }
    $box = new Sandbox();
    $folder = copyOfStub($box);
    $sapi = new Sapi($box, $folder);
    $sapi->page('fpm', 'hooks=0');
    hide("$folder/hookbridge/Envelope.php"); // after it has worked
    check(strpos($sapi->page('fpm', 'hooks=1'), 'page end') !== false, 'whole');
});

test('faults: half a file breaks no page and is said', static function () {
    foreach (['Stub', 'Config', 'Manifest'] as $name) {
        $box = new Sandbox();
        $folder = copyOfStub($box);
        $text = file_get_contents("$folder/hookbridge/$name.php");
        file_put_contents("$folder/hookbridge/$name.php", substr($text, 0, (int) (strlen($text) / 2)));
        $box->fire([ONE_EVENT, 'AdminLogin'], ['HB_STUB_DIR' => $folder]);
        same(1, count(preg_grep('/^hookbridge is off/', $box->log())), $name . json_encode($box->log()));
    }
});

test('faults: spool_dir of another user: nothing is lost while the bridge listens, and who owns it is said', static function () {
    if (posix_geteuid() !== 0) {
        return; // only root can give a folder away
    }
    $box = new Sandbox();
    $sapi = new Sapi($box);
    $box->bridge([['status' => 202]]);
    $sapi->page('fpm', 'hooks=0');
    is_dir("$box->dir/spool") || mkdir("$box->dir/spool");
    shell_exec('chown -R root:root ' . escapeshellarg("$box->dir/spool") . '; chmod 0755 ' . escapeshellarg("$box->dir/spool"));
    $sapi->page('fpm', 'hooks=2&also=AdminLogin');
    until(static function () use ($box) {
        return count($box->sent()) === 2;
    }, 'sent from memory');
    same(1, count(preg_grep('/spool_dir belongs to root \(uid 0\), but PHP runs as www-data/', $box->log())), json_encode($box->log()));
});

test('faults: a cron of root makes nothing that the pages cannot use', static function () {
    if (posix_geteuid() !== 0) {
        return;
    }
    $box = new Sandbox();
    $box->write();
    chown("$box->dir/config.php", 'www-data');
    $box->fire([ONE_EVENT, cron(31)]);
    foreach (array_merge(["$box->dir/spool"], glob("$box->dir/spool/*"), glob("$box->dir/spool/journal/*")) as $path) {
        same(posix_getpwnam('www-data')['uid'], fileowner($path), $path);
    }
});

test('faults: a disk that is full leaves no half event, loses none while the bridge listens, and counts what is lost', static function () {
    $full = 'static ssize_t (*real)(int, const void *, size_t);'
        . 'ssize_t write(int f, const void *b, size_t n) { char p[64], t[512]; ssize_t l; struct stat s;'
        . 'if (!real) real = dlsym(RTLD_NEXT, "write");'
        . 'snprintf(p, 64, "/proc/self/fd/%d", f); l = readlink(p, t, 511); t[l < 0 ? 0 : l] = 0;'
        // The first two lines fit, of the third a part, nothing more; and no new file.
        . 'if (strstr(t, "/journal/") && fstat(f, &s) == 0) { long r = 700 - (long) s.st_size;'
        . ' if (r <= 0) { errno = ENOSPC; return -1; } if ((size_t) r < n) n = r; } return real(f, b, n); }';
    $box = new Sandbox();
    $env = ['LD_PRELOAD' => shim($box, "#include <stdio.h>\n#include <string.h>\n#include <errno.h>\n#include <dlfcn.h>\n#include <unistd.h>\n"
        . "#include <sys/stat.h>\n$full")];
    $page = ['actor' => 'client', 'new_request' => true] + ONE_EVENT;
    $box->fire([['hook' => 'AdminLogin']]);
    $box->fire([['repeat' => 10] + $page], $env);
    $kept = count($box->waiting());
    check($kept > 0 && $kept < 10, "some were kept: $kept");
    $box->fire([['hook' => 'AdminLogin']]);
    $lost = 10 - $kept;
    same(["hookbridge: $lost events were lost: spool_dir could not take them, and the bridge did not"], $box->log());
    $box->bridge([['status' => 202]]);
    $box->fire([['repeat' => 10, 'clock_offset_s' => 31] + $page], $env);
    same([10 + $kept, [], []], [count($box->sent()), $box->waiting(), preg_grep('/damaged/', $box->log())], 'with the bridge, none');
});

test('faults: functions that the host disabled are named', static function () {
    foreach (['curl_exec', 'register_shutdown_function,flock', 'restore_error_handler', 'random_bytes'] as $disabled) {
        $box = new Sandbox();
        $box->ini['disable_functions'] = $disabled;
        $lines = $box->fire(['AdminLogin', ONE_EVENT]);
        same(false, $lines[1]['registered'], $disabled);
        foreach (explode(',', $disabled) as $name) {
            same(1, count(preg_grep("/^hookbridge is off: PHP has .*$name/", $box->log())), json_encode($box->log()));
        }
    }
    $box = new Sandbox();
    $box->ini['disable_functions'] = 'posix_geteuid,posix_getpwuid,opcache_invalidate';
    $box->bridge([['status' => 202]]);
    $box->fire([ONE_EVENT]);
    same(1, count($box->sent()), 'what it can do without is not missed');
});

test('faults: letters and numbers are the same in every locale', static function () {
    same('serverip', Text::lower('serverIP'));
    same('1.5', Text::of(1.5));
    $allow = new AllowList('strval');
    same([], $allow->pick(['params' => ['serverIP' => 'CANARY', 'APIKey' => 'CANARY']], ['params.serverIP', 'params.APIKey'], 100));
    same([], $allow->changed(['amount' => 1.5, 'olddata' => ['amount' => '1.5']], ['amount']));
    foreach (shipped() as $file) { // PHP 7 asks the locale in these
        same(0, preg_match('/\b(strtolower|strtoupper|ucfirst|ucwords|stripos|stristr|strcasecmp|natcasesort)\s*\(/', code($file), $found),
            basename($file) . implode($found));
    }
});

test('faults: what a cookie says is not what the page was asked for', static function () {
    foreach (shipped() as $file) {
        same(0, preg_match('/\$_(REQUEST|COOKIE)\b(?!,)/', code($file)), basename($file));
    }
});

test('faults: the flush of a cron has its own times, not those of a page', static function () {
    $box = new Sandbox();
    $box->config = ['connect_timeout_ms' => 10, 'total_timeout_ms' => 20, 'page_send_ms' => 10, 'circuit_open_s' => 1] + $box->config;
    $box->bridge([['does' => 'late', 'status' => 202]]);
    $box->fire([['actor' => 'client'] + ONE_EVENT]);
    same(1, count($box->waiting()), 'too late for a page');
    $box->fire([cron(31)]);
    same(0, count($box->waiting()));
});

test('faults: plain hooks and the addon side by side: one of them acts', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    $folder = copyOfStub($box);
    $from = dirname(__DIR__, 3) . '/php-hooks';
    $addon = "$box->dir/platform/modules/addons/hookbridge";
    mkdir($addon, 0755, true);
    shell_exec('cp -r ' . escapeshellarg("$from/modules/addons/hookbridge/.") . ' ' . escapeshellarg($addon));
    shell_exec('cp -r ' . escapeshellarg("$from/hookbridge") . ' ' . escapeshellarg($addon));
    foreach ([["$folder/hookbridge.php", "$addon/hooks.php"], ["$addon/hooks.php", "$folder/hookbridge.php"], ["$addon/hooks.php"]] as $number => $files) {
        mkdir("$box->dir/both$number");
        file_put_contents("$box->dir/both$number/hookbridge.php", '<?php foreach (' . var_export($files, true) . ' as $file) { require $file; }');
        $box->fire([ONE_EVENT], ['HB_STUB_DIR' => "$box->dir/both$number"]);
        same($number + 1, count($box->sent()), implode(' and ', $files));
    }
});
