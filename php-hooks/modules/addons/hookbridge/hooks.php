<?php
/**
 * The hooks of an installation by the addon alone: the platform loads this file while the addon is active (WHMCS docs: "Addon Modules",
 * "Hooks"). With the same files in includes/hooks as well, whichever the platform loads first acts.
 */

defined('WHMCS') || die('This file cannot be accessed directly');

// Without the stub's folder beside it, the addon is only the page in the administration.
if (is_readable(__DIR__ . '/hookbridge/Stub.php')) {
    if (!class_exists('Hookbridge\Stub', false)) {
        require __DIR__ . '/hookbridge/Stub.php';
    }
    \Hookbridge\Stub::start(__DIR__ . '/hookbridge');
}
