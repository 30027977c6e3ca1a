<?php

/** A platform with the addon in it, and the stub inside the addon or in includes/hooks. @return string[] folder, environment */
function platformWithAddon(Sandbox $box, bool $is_alone): array
{
    $from = dirname(__DIR__, 3) . '/php-hooks';
    $root = "$box->dir/platform";
    mkdir("$root/modules/addons", 0755, true);
    mkdir("$root/includes/hooks", 0755, true);
    shell_exec('cp -r ' . escapeshellarg("$from/modules/addons/hookbridge") . ' ' . escapeshellarg("$root/modules/addons/"));
    shell_exec('cp -r ' . escapeshellarg("$from/hookbridge") . ' '
        . escapeshellarg($is_alone ? "$root/modules/addons/hookbridge/" : "$root/includes/hooks/"));
    copy("$from/hookbridge.php", "$root/includes/hooks/hookbridge.php");
    $is_alone && unlink("$root/includes/hooks/hookbridge.php");
    return [$root, ['HOOKBRIDGE_STUB_CONFIG' => "$box->dir/config.php", 'HB_ACTIVITY_LOG' => "$box->dir/activity.log"]];
}

/** What a function of the addon returns, in a process of its own. @return mixed */
function addonSays(array $platform, string $function, string $language = 'english')
{
    list($root, $env) = $platform;
    $program = 'require ' . var_export(dirname(__DIR__) . '/runtime.php', true) . ";define('ROOTDIR', '$root');\$_SESSION = ['adminlang' => '$language'];"
        . "require '$root/modules/addons/hookbridge/hookbridge.php'; echo json_encode($function(['version' => '1.0']));";
    $process = proc_open([php(), '-d', 'display_errors=stderr', '-r', $program], [1 => ['pipe', 'w'], 2 => ['pipe', 'w']], $pipes, null, $env);
    list($out, $err) = [stream_get_contents($pipes[1]), stream_get_contents($pipes[2])];
    same([0, ''], [proc_close($process), $err], $function);
    return json_decode($out, true);
}

test('addon: activating says what is wrong, in the language of who does it', static function () {
    foreach ([true, false] as $is_alone) {
        $box = new Sandbox();
        $platform = platformWithAddon($box, $is_alone);
        same('info', addonSays($platform, 'hookbridge_activate')['status'], 'no config.php yet');
        $box->config['url'] = 'http://bridge.example';
        $box->write();
        $said = addonSays($platform, 'hookbridge_activate', 'spanish');
        same(['info', 0], [$said['status'], strpos($said['description'], 'config.php tiene errores: `url`')], json_encode($said));
        $box->config['url'] = 'http://127.0.0.1:1';
        $box->write();
        same(['status' => 'success', 'description' => 'O hookbridge está pronto. Falta: sua configuração, e quem pode ver sua página (Access Control).'],
            addonSays($platform, 'hookbridge_activate', 'portuguese-br'));
        addonSays($platform, 'hookbridge_upgrade');
        same([], $box->log());
    }
    shell_exec('rm -r ' . escapeshellarg("$platform[0]/includes/hooks/hookbridge"));
    same('error', addonSays($platform, 'hookbridge_activate')['status'], 'without the stub it is not activated');
});

test('addon: deactivated it leaves nothing behind, or only what the bridge did not take', static function () {
    $box = new Sandbox();
    $platform = platformWithAddon($box, true);
    $hooks = "$box->dir/loads";
    mkdir($hooks);
    file_put_contents("$hooks/hookbridge.php", "<?php require '$platform[0]/modules/addons/hookbridge/hooks.php';");
    $box->fire([ONE_EVENT, ONE_EVENT], ['HB_STUB_DIR' => $hooks]);
    same(2, count($box->waiting()));
    $box->config['flush_time_max_ms'] = 2000;
    $box->write();
    $said = addonSays($platform, 'hookbridge_deactivate');
    same(['info', 1], [$said['status'], preg_match('/ 2 events/', $said['description'])], json_encode($said));
    same(['journal'], array_values(array_diff(scandir("$box->dir/spool"), ['.', '..', 'notices'])));
    $box->bridge([['status' => 202]]);
    $box->write();
    same(['success', 2], [addonSays($platform, 'hookbridge_deactivate')['status'], count($box->sent())]);
    same(false, is_dir("$box->dir/spool"));
});

test('addon: with plain hooks beside it, deactivating the page leaves them at work', static function () {
    $box = new Sandbox();
    $platform = platformWithAddon($box, false);
    $box->fire([ONE_EVENT], ['HB_STUB_DIR' => "$platform[0]/includes/hooks"]);
    same('success', addonSays($platform, 'hookbridge_deactivate')['status']);
    same(1, count($box->waiting()));
});

test('addon: all languages have the same words', static function () {
    $words = [];
    foreach (glob(dirname(__DIR__, 3) . '/php-hooks/modules/addons/hookbridge/lang/*.php') as $file) {
        $_ADDONLANG = [];
        require $file;
        $words[basename($file)] = array_keys($_ADDONLANG);
    }
    same([3, 1], [count($words), count(array_unique($words, SORT_REGULAR))]);
});
