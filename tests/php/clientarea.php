<?php
/**
 * The client area's page of our addon, by the command line: prints what hookbridge_clientarea() returns as JSON.
 *
 * Environment: HB_STUB_DIR (folder with hookbridge.php and modules/), HB_CLIENT (id of who is logged in), HB_POST ($_POST, JSON; its
 * `hb_token` is the session's), HOOKBRIDGE_STUB_CONFIG, HB_ADDON_LANGUAGE (spanish).
 */

ini_set('display_errors', 'stderr');
error_reporting(E_ALL);
require __DIR__ . '/runtime.php';
$folder = getenv('HB_STUB_DIR') ?: dirname(__DIR__, 2) . '/php-hooks';
require $folder . '/hookbridge.php';
require $folder . '/modules/addons/hookbridge/hookbridge.php';
$_ADDONLANG = [];
require $folder . '/modules/addons/hookbridge/lang/' . (getenv('HB_ADDON_LANGUAGE') ?: 'spanish') . '.php';
$_SESSION = ['uid' => (int) getenv('HB_CLIENT'), 'hookbridge_token' => str_repeat('a', 32)];
$_POST = json_decode((string) getenv('HB_POST'), true) ?: [];
echo json_encode(hookbridge_clientarea(['modulelink' => 'index.php?m=hookbridge', 'version' => '1.0', '_lang' => $_ADDONLANG]));
