<?php
/**
 * hookbridge: hands allow-listed fields of the platform's hooks, signed, to the bridge.
 *
 * The platform loads every *.php that lies directly in includes/hooks/, so only this file is loaded by it
 * (WHMCS docs: "Hooks", getting started). Nothing here may ever break or slow a page.
 */

defined('WHMCS') || die('This file cannot be accessed directly');

try {
    // A missing file is a fatal error that no catch sees: a half-copied installation must stay harmless.
    if (is_readable(__DIR__ . '/hookbridge/bootstrap.php')) {
        require __DIR__ . '/hookbridge/bootstrap.php';
    }
} catch (\Throwable $e) {
    // The page goes on without alerts. What can be reported was reported inside.
}
