<?php

declare(strict_types=1);

namespace Hookbridge;

/** Runs our work so that the page never sees it: no exception, no warning, no notice. */
final class Quiet
{
    /** @return \Throwable|null what went wrong, for the caller to report */
    public static function run(callable $work): ?\Throwable
    {
        // A handler instead of `@`: the platform's own handler would still be called for a silenced warning.
        set_error_handler(static function () {
            return true;
        });
        try {
            $work();
            return null;
        } catch (\Throwable $e) {
            return $e;
        } finally {
            restore_error_handler();
        }
    }
}
