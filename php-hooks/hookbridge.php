<?php
/**
 * hookbridge: hands allow-listed fields of the platform's hooks, signed, to the bridge.
 *
 * The platform loads every *.php that lies directly in includes/hooks/, so only this file is loaded by it
 * (WHMCS docs: "Hooks", getting started). Nothing here may ever break or slow a page.
 */

defined('WHMCS') || die('This file cannot be accessed directly');

(static function (string $folder) {
    try {
        // Somebody else may have brought the class: the addon, which holds the same files in its own folder.
        if (!class_exists('Hookbridge\Stub', false) && is_readable($folder . '/Stub.php')) {
            require $folder . '/Stub.php';
        }
        if (class_exists('Hookbridge\Stub', false)) {
            \Hookbridge\Stub::start($folder);
            return;
        }
        $why = 'hookbridge/Stub.php is missing or not readable for PHP';
    } catch (\Throwable $e) { // a file that was copied by half
        $why = get_class($e) . ' at ' . basename($e->getFile()) . ':' . $e->getLine();
    }
    add_hook('AdminLogin', 1, static function () use ($why) {
        function_exists('logActivity') && logActivity("hookbridge is off: $why; copy the folder again");
    });
})(__DIR__ . '/hookbridge');
