<?php
/** Loads the classes when they are needed and starts one stub for this PHP process. */

declare(strict_types=1);

namespace Hookbridge;

(static function () {
    if (!class_exists(Stub::class, false)) {
        spl_autoload_register(static function (string $class) {
            if (preg_match('/^Hookbridge\\\\([A-Za-z]+)$/', $class, $found) !== 1) {
                return;
            }
            $file = __DIR__ . '/' . $found[1] . '.php';
            if (is_file($file)) {
                require_once $file;
            }
        });
    }
    Quiet::run(static function () {
        Stub::start(__DIR__);
    });
})();
