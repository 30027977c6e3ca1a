<?php
/**
 * The platform's addon page with our module in it, by the command line or as the one page of `php -S host:port addon.php`.
 *
 * Environment: HB_STUB_DIR (folder with hookbridge.php and modules/), HB_ADDON_ADMIN (id of who is logged in), HB_ADDON_SETTINGS (the
 * addon's settings, JSON), HB_ADDON_GET ($_GET, JSON; by the command line), HB_POST ($_POST, JSON), HOOKBRIDGE_STUB_CONFIG, HB_CAPSULE_JSON (tbladmins),
 * HB_ADDON_LANGUAGE (spanish).
 */

ini_set('display_errors', 'stderr');
error_reporting(E_ALL);
ob_start();
require __DIR__ . '/runtime.php';
$folder = getenv('HB_STUB_DIR') ?: dirname(__DIR__, 2) . '/php-hooks';
require $folder . '/hookbridge.php';
if (PHP_SAPI === 'cli') {
    $_GET = json_decode((string) getenv('HB_ADDON_GET'), true) ?: [];
    $_POST = json_decode((string) getenv('HB_POST'), true) ?: [];
}
$_SESSION = ['adminid' => (int) getenv('HB_ADDON_ADMIN'), 'hookbridge_token' => str_repeat('a', 32)];
require $folder . '/modules/addons/hookbridge/hookbridge.php';
$_ADDONLANG = [];
require $folder . '/modules/addons/hookbridge/lang/' . (getenv('HB_ADDON_LANGUAGE') ?: 'spanish') . '.php';
$settings = json_decode((string) getenv('HB_ADDON_SETTINGS'), true) ?: [];
$defaults = array_map(static function (array $field) {
    return $field['Default'];
}, hookbridge_config()['fields']);
echo '<!doctype html><html><head><meta charset="utf-8"><title>hookbridge</title></head><body>';
hookbridge_output(['modulelink' => 'addonmodules.php?module=hookbridge', 'version' => '1.0', '_lang' => $_ADDONLANG] + $settings + $defaults);
echo '</body></html>';
ob_end_flush();
