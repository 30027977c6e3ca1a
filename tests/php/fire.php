<?php
/**
 * Fires hooks through the real stub. JSON lines on stdin, one JSON line per hook on stdout.
 *
 *   {"hook":"InvoiceCreated","vars":{"invoiceid":7},"actor":"client","new_request":true}
 *
 * hook         name of the hook; {"hook":"AfterCronJob"} flushes the spool
 * vars         what the platform passes, any JSON value; {"__object__":"Class"} makes an object; or
 * args         a list, for the hooks that get several arguments
 * actor        client | admin | masquerade | api | cron (default) | unknown; stays until the next line that names one
 * get, post    what the browser sent with the page: members of $_GET and $_POST; for this line only
 * user_id, client_id, admin_id    who that is (defaults: user 7, client 7, administrator 3)
 * new_request  the page ends, and another one begins: what was kept is sent, the stub is loaded again
 * clock_offset_s  the stub's clock is so many seconds ahead from here on
 * platform, tables   the platform's version, and rows of its tables: {"table":[{row},…]}; with new_request, until the next that names them
 * repeat       fire that many times (default 1); one output line with the sum
 * before, after   written to the file HB_LEDGER, on the disk, before and after the hook: what was fired, should this
 *              process be killed
 *
 * Environment: HB_STUB_DIR (folder with hookbridge.php), HB_STUB_CONFIG (path of a config.php), HB_ACTIVITY_LOG,
 * HB_CAPSULE_JSON, HB_PLATFORM_VERSION, HB_LEDGER.
 * Output: {"hook","elapsed_us","registered","returned":[…],"printed":"…","errors":[…]}; the last two must be empty, and
 * `returned` too, but for the hooks that ask a decision.
 */

require __DIR__ . '/runtime.php';
require __DIR__ . '/entrypoint.php';

error_reporting(E_ALL);
$errors = [];
set_error_handler(static function ($level, $message, $file, $line) use (&$errors) {
    $errors[] = "$message at " . basename($file) . ":$line";
    return true;
});
if (getenv('HB_STUB_CONFIG')) {
    putenv('HOOKBRIDGE_STUB_CONFIG=' . getenv('HB_STUB_CONFIG'));
}
$stub = (getenv('HB_STUB_DIR') ?: dirname(__DIR__, 2) . '/php-hooks') . '/hookbridge.php';

$objects = static function ($value) use (&$objects) {
    if (!is_array($value)) {
        return $value;
    }
    if (!isset($value['__object__'])) {
        return array_map($objects, $value);
    }
    $class = class_exists($value['__object__']) ? $value['__object__'] : 'stdClass';
    $object = new $class();
    foreach (array_diff_key($value, ['__object__' => 1]) as $name => $member) {
        $object->$name = $objects($member);
    }
    return $object;
};

$end = static function () use (&$errors) {
    ob_start();
    HookbridgeEntrypoint::endRequest();
    $printed = ob_get_clean();
    if ($printed . implode($errors) !== '') {
        fwrite(STDERR, 'at the end of the page: ' . $printed . implode('; ', $errors) . "\n");
        exit(3);
    }
};

$load = static function () use ($stub) {
    HookbridgeRuntime::forgetHooks();
    ob_start();
    require $stub;
    return ob_get_clean();
};

$ledger = getenv('HB_LEDGER') ? fopen(getenv('HB_LEDGER'), 'ab') : null;
$note = static function (array $shot, string $when) use ($ledger) {
    if ($ledger !== null && isset($shot[$when])) {
        fwrite($ledger, json_encode([$when => $shot[$when]]) . "\n");
        fflush($ledger);
        if (function_exists('fsync')) { // PHP 8.1
            fsync($ledger);
        }
    }
};

$at_load = null;
while (($line = fgets(STDIN)) !== false) {
    if (trim($line) === '') {
        continue;
    }
    $shot = json_decode($line, true);
    if (!is_array($shot) || !isset($shot['hook'])) {
        fwrite(STDERR, "not a line with a hook: $line");
        exit(2);
    }
    if (!empty($shot['new_request'])) {
        $end();
        $GLOBALS['CONFIG']['Version'] = isset($shot['platform']) ? $shot['platform'] : $GLOBALS['CONFIG']['Version'];
        HookbridgeRuntime::$tables = array_key_exists('tables', $shot) ? $shot['tables'] : HookbridgeRuntime::$tables;
    }
    if (isset($shot['actor']) || $at_load === null) {
        $who = ['user' => 'user_id', 'client' => 'client_id', 'admin' => 'admin_id', 'masquerading' => 'masquerading'];
        foreach ($who as $member => $name) {
            $who[$member] = isset($shot[$name]) ? $shot[$name] : null;
        }
        HookbridgeEntrypoint::become(isset($shot['actor']) ? $shot['actor'] : 'cron', array_filter($who));
    }
    if (isset($shot['clock_offset_s'])) {
        HookbridgeEntrypoint::$clock_offset_s = $shot['clock_offset_s'];
    }
    if ($at_load === null || !empty($shot['new_request'])) {
        $at_load = $load();
    }
    $_GET = isset($shot['get']) ? $shot['get'] : [];
    $_POST = isset($shot['post']) ? $shot['post'] : [];
    $_REQUEST = $_POST + $_GET;
    $args = isset($shot['args']) ? $shot['args'] : (array_key_exists('vars', $shot) ? [$shot['vars']] : []);
    $args = array_map($objects, $args);
    $returned = [];
    $note($shot, 'before');
    ob_start();
    $started = microtime(true);
    for ($i = 0; $i < (isset($shot['repeat']) ? $shot['repeat'] : 1); $i++) {
        $returned = array_merge($returned, array_filter(run_hook($shot['hook'], ...$args), static function ($value) {
            return $value !== null;
        }));
    }
    $elapsed = microtime(true) - $started;
    $printed = $at_load . ob_get_clean();
    $at_load = '';
    $note($shot, 'after');
    echo json_encode([
        'hook' => $shot['hook'],
        'elapsed_us' => (int) round($elapsed * 1000000),
        'registered' => isset(HookbridgeRuntime::$hooks[$shot['hook']]),
        'returned' => $returned,
        'printed' => $printed,
        'errors' => $errors,
    ], JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR), "\n";
    flush();
    $errors = [];
}
$end();
