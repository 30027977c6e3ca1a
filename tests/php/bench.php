<?php
/**
 * What the stub costs a page, measured beside an older one in the same run, in alternating rounds: php bench.php '<JSON>'.
 *
 * In: {"old":folder of hookbridge.php,"new":folder,"url":…,"source":…,"secret":…,"pages":200,"events":10000}. The bridge at `url` is a
 * healthy one; the sick ones are made here. Out: one JSON object of figures, milliseconds where nothing else is said; progress on stderr.
 * `make bench` runs it (tests/bench/stub.rs), against a real bridge. Other programs only ever make a page or a cron slower: of pages, one
 * after the other, the fastest quarter counts; of three crons the fastest; of rounds of pages at once the fastest, and of that the median.
 */

error_reporting(E_ALL);
require __DIR__ . '/sandbox.php';
require __DIR__ . '/sapi.php';

const SIDES = ['none', 'old', 'new'];
const AT_ONCE = 20;
const SICK_ROUNDS = 5;
/** A page that is answered may still send: its process is not there for the next visitor. */
const CHILDREN = AT_ONCE + 12;
/** So long the older stub may empty what an outage left; then what it sent until then is counted. */
const OUTAGE_S = 20;

$told = json_decode($argv[1], true);
$dir = sys_get_temp_dir() . '/hookbridge-bench-' . bin2hex(random_bytes(4));
mkdir($dir, 0755);
$running = [];
register_shutdown_function(static function () use ($dir, &$running) {
    foreach ($running as $process) {
        proc_terminate($process);
        proc_close($process);
    }
    shell_exec('rm -rf ' . escapeshellarg($dir));
});

$run = static function (array $words, array $env = [], string $log = '/dev/null') use (&$running) {
    $env += ['PATH' => (string) getenv('PATH')];
    $running[] = $process = proc_open($words, [['file', '/dev/null', 'r'], ['pipe', 'w'], ['file', $log, 'a']], $pipes, null, $env);
    return [$process, $pipes[1]];
};

$say = static function (string $what) {
    fwrite(STDERR, sprintf("[bench] stub: %s (after %.0f s)\n", $what, microtime(true) - $_SERVER['REQUEST_TIME_FLOAT']));
};

/** A configuration and an empty spool for both sides. The old one knows no other keys. @return string[] the folders */
$configure = static function (array $more) use ($told, $dir) {
    static $number = 0;
    $number++; // a new folder each time: somebody may still send what is in the last one
    $folders = [];
    foreach (['old', 'new'] as $side) {
        $folders[$side] = "$dir/spool-$side-$number";
        mkdir($folders[$side], 0700);
        $config = $more + ['url' => $told['url'], 'source' => $told['source'], 'secret' => $told['secret'], 'spool_dir' => $folders[$side]];
        file_put_contents("$dir/config-$side.php", '<?php return ' . var_export($config, true) . ';');
    }
    posix_geteuid() === 0 && shell_exec('chown www-data ' . escapeshellarg($dir) . ' ' . implode(' ', $folders));
    return $folders;
};

/** How many events wait in a spool. */
$waiting = static function (string $spool) {
    $journals = implode('', array_map('file_get_contents', glob("$spool/journal/*.log")));
    return substr_count("\n" . $journals, "\n+") + count(glob("$spool/pending/*.event"));
};

file_put_contents("$dir/page.php", '<?php $folders = ' . var_export(['old' => $told['old'], 'new' => $told['new']], true) . ';'
    . '$side = $_GET["side"]; putenv("HOOKBRIDGE_STUB_CONFIG=' . $dir . '/config-$side.php"); $_SERVER["SCRIPT_NAME"] = "/clientarea.php";'
    . 'require ' . var_export(__DIR__ . '/runtime.php', true) . '; $before = count(get_included_files()); $began = microtime(true);'
    . 'if ($side !== "none") { require $folders[$side] . "/hookbridge.php"; } $load = microtime(true) - $began; $files = count(get_included_files()) - $before;'
    . 'for ($i = 0; $i < (int) $_GET["hooks"]; $i++) { run_hook("InvoiceCreated", ["invoiceid" => 4711, "source" => "autogen", "user" => "system",'
    . ' "status" => "Unpaid"]); } echo json_encode(["load_ms" => $load * 1000, "files" => $files]);');

/** Starts an FPM. @return string its socket */
$fpm = static function (string $name, array $ini, array $inside = []) use ($dir, $run) {
    $user = posix_geteuid() === 0 ? "user = www-data\ngroup = www-data\nlisten.owner = root\n" : '';
    $children = CHILDREN;
    file_put_contents("$dir/$name.conf", "[global]\nerror_log = $dir/$name.log\n[www]\n{$user}listen = $dir/$name.sock\nlisten.backlog = 511\npm = static\n"
        . "pm.max_children = $children\nclear_env = no\n");
    $words = [Sapi::program('/usr/sbin/php-fpm' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION), '-F', '-y', "$dir/$name.conf"];
    foreach ($ini as $key => $value) {
        array_push($words, '-d', "$key=$value");
    }
    $run(array_merge($inside, $words), ['PHP_INI_SCAN_DIR' => '/etc/php/' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION . '/cli/conf.d'], "$dir/$name.log");
    for ($try = 0; !file_exists("$dir/$name.sock") && $try < 500; $try++) {
        usleep(20000);
    }
    return "$dir/$name.sock";
};

/** Asks for pages at once. @return array[] of each: how long the visitor waited, and what the page says of itself */
$pages = static function (string $socket, string $side, int $hooks, int $count = 1) use ($dir) {
    $streams = $bytes = $done = [];
    for ($i = 0; $i < $count; $i++) {
        $streams[$i] = stream_socket_client("unix://$socket", $code, $message, 30);
        stream_set_blocking($streams[$i], false);
        $bytes[$i] = '';
    }
    $began = microtime(true);
    foreach ($streams as $stream) {
        fwrite($stream, FastCgi::request("$dir/page.php", "side=$side&hooks=$hooks"));
    }
    while ($streams !== []) {
        $read = $streams;
        $write = $except = null;
        stream_select($read, $write, $except, 60);
        foreach ($read as $i => $stream) {
            $bytes[$i] .= fread($stream, 65536);
            $page = FastCgi::page($bytes[$i]);
            if ($page !== null) {
                $done[] = ['ms' => (microtime(true) - $began) * 1000] + json_decode($page, true);
                fclose($stream);
                unset($streams[$i]);
            }
        }
    }
    return $done;
};

$median = static function (array $values) {
    sort($values);
    return $values[intdiv(count($values), 2)];
};

$quarter = static function (array $values) {
    sort($values);
    return $values[intdiv(count($values), 4)];
};

$figures = [];
const OPCACHE = ['opcache.enable' => 1, 'opcache.file_update_protection' => 0, 'opcache.revalidate_freq' => 0];
$opcached = $fpm('opcached', OPCACHE);
$plain = $fpm('plain', ['opcache.enable' => 0]);

// A page without our hooks, and one with one hook towards a healthy bridge.
$say('pages, one after the other');
$spools = $configure([]);
foreach (['opcache' => [$opcached, 0], 'plain' => [$plain, 0], 'hook' => [$opcached, 1]] as $name => list($socket, $hooks)) {
    $ms = $load = $files = array_fill_keys(SIDES, []);
    for ($round = -20; $round < $told['pages']; $round++) {
        foreach (SIDES as $side) {
            list($page) = $pages($socket, $side, $hooks);
            if ($round >= 0) {
                $ms[$side][] = $page['ms'];
                $load[$side][] = $page['load_ms'];
                $files[$side] = $page['files'];
            }
        }
    }
    foreach (['old', 'new'] as $side) {
        $figures[$name][$side] = ['seen_ms' => $quarter($ms[$side]) - $quarter($ms['none']), 'load_ms' => $quarter($load[$side]),
            'files' => $files[$side]];
    }
}

/** A cron of one process. @return float seconds */
$cron = static function (string $side, array $shots) use ($dir, $told, $run) {
    mkdir("$dir/none", 0755);
    file_put_contents("$dir/none/hookbridge.php", '<?php');
    file_put_contents("$dir/shots", implode("\n", array_map('json_encode', $shots)) . "\n");
    $env = ['HB_STUB_DIR' => $side === 'none' ? "$dir/none" : $told[$side], 'HB_STUB_CONFIG' => "$dir/config-$side.php", 'PATH' => (string) getenv('PATH')];
    // The runtime that came with each side: the old stub ends with its hooks.
    $began = microtime(true);
    $process = proc_open([PHP_BINARY, __DIR__ . '/fire.php'], [['file', "$dir/shots", 'r'], ['pipe', 'w'], STDERR], $pipes, null, $env);
    stream_get_contents($pipes[1]);
    proc_close($process);
    shell_exec('rm -r ' . escapeshellarg("$dir/none"));
    return microtime(true) - $began;
};
$vars = ['invoiceid' => 4711, 'source' => 'autogen', 'user' => 'system', 'status' => 'Unpaid'];
$many = [['hook' => 'InvoiceCreated', 'actor' => 'cron', 'vars' => $vars, 'repeat' => $told['events']]];
$say('crons');
$s = array_fill_keys(SIDES, []);
for ($round = 0; $round < 3; $round++) {
    foreach (SIDES as $side) {
        $s[$side][] = $cron($side, $many);
    }
}
foreach (['old', 'new'] as $side) {
    $figures['cron'][$side] = (min($s[$side]) - min($s['none'])) * 1000;
    $figures['cron'][$side . '_waits'] = $waiting($spools[$side]);
}

// What an outage left: how many runs of the cron until nothing waits.
foreach (['old', 'new'] as $side) {
    $say("an outage, the $side stub");
    $spools = $configure(['url' => 'http://127.0.0.1:1']);
    $cron($side, $many);
    $config = include "$dir/config-$side.php";
    file_put_contents("$dir/config-$side.php", '<?php return ' . var_export(['url' => $told['url']] + $config, true) . ';');
    $began = microtime(true);
    for ($runs = 0; ($left = $waiting($spools[$side])) > 0 && microtime(true) - $began < OUTAGE_S; $runs++) {
        $cron($side, [['hook' => 'AfterCronJob', 'actor' => 'cron', 'clock_offset_s' => 60]]);
    }
    // Each run sends as much as the one before.
    $figures['outage'][$side] = (int) ceil($runs * $told['events'] / max(1, $told['events'] - $left));
}

// Sick bridges, twenty pages at once.
$stand_in = static function (string $answer) {
    $pipes = [];
    $process = proc_open([PHP_BINARY, __DIR__ . '/server.php', json_encode(['log' => '/dev/null', 'answers' => [json_decode($answer, true)]])],
        [['pipe', 'r'], ['pipe', 'w'], STDERR], $pipes);
    $GLOBALS['kept'][] = [$process, $pipes];
    return (int) fgets($pipes[1]);
};
$full = stream_socket_server('tcp://127.0.0.1:0', $code, $message, STREAM_SERVER_BIND | STREAM_SERVER_LISTEN,
    stream_context_create(['socket' => ['backlog' => 1]]));
$full_at = stream_socket_get_name($full, false);
for ($i = 0; $i < 8; $i++) {
    $kept[] = stream_socket_client("tcp://$full_at", $code, $message, 0, STREAM_CLIENT_CONNECT | STREAM_CLIENT_ASYNC_CONNECT);
}
// A nameserver that hears and never answers, for one FPM: that takes a view of the files of its own, which only root can have.
$nameserver = posix_geteuid() === 0 ? stream_socket_server('udp://127.0.0.77:53', $code, $message, STREAM_SERVER_BIND) : false;
file_put_contents("$dir/resolv.conf", "nameserver 127.0.0.77\n");
$unresolved = $nameserver === false ? '' : $fpm('unresolved', OPCACHE,
    ['unshare', '-m', 'sh', '-c', 'mount --bind ' . escapeshellarg("$dir/resolv.conf") . ' /etc/resolv.conf && exec "$0" "$@"']);
$sick = [
    'black hole' => [['url' => 'http://127.0.0.1:' . $stand_in('{"does":"hang"}')], $opcached, 1],
    'SYN dropped' => [['url' => "http://$full_at"], $opcached, 1],
    'answers after 300 ms, 6 hooks' => [['url' => 'http://127.0.0.1:' . $stand_in('{"does":"late","status":202}')], $opcached, 6],
    'resolver hangs' => [['url' => 'https://bridge.hosting.example:8466'], $unresolved, 1],
];
foreach ($sick as $name => list($config, $socket, $hooks)) {
    if ($socket === '') {
        continue;
    }
    $say($name);
    $seen = array_fill_keys(SIDES, []);
    for ($round = 0; $round <= SICK_ROUNDS; $round++) {
        $configure($config); // each round finds closed circuits
        foreach (SIDES as $side) {
            $pages($socket, $side, 0, AT_ONCE); // the class files go into opcache; a first page compiles the manifest
            $times = array_column($pages($socket, $side, $hooks, AT_ONCE), 'ms');
            $seen[$side] = $round === 0 ? [] : array_merge($seen[$side], [$median($times)]);
        }
    }
    foreach (['old', 'new'] as $side) {
        $figures['sick'][$name][$side] = max(0, min($seen[$side]) - min($seen['none']));
    }
}
echo json_encode($figures), "\n";
foreach (isset($GLOBALS['kept']) ? $GLOBALS['kept'] : [] as $one) {
    is_array($one) && proc_terminate($one[0]);
}
