<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * Tells administrators through the platform's activity log. Only fixed texts, counts and checked codes go in.
 * logActivity() fires the hook LogActivity (WHMCS docs: LogActivity), so a loop must be impossible in both directions.
 */
final class Activity
{
    private static $speaking = false;

    private $throttle;
    private $muted = false;

    public function __construct(Throttle $throttle)
    {
        $this->throttle = $throttle;
    }

    /** Whether the platform is writing a line of ours right now. */
    public static function isSpeaking(): bool
    {
        return self::$speaking;
    }

    /** Nothing is said while this runs: for the time inside the LogActivity hook. */
    public function mutedWhile(callable $work): void
    {
        $before = $this->muted;
        $this->muted = true;
        try {
            $work();
        } finally {
            $this->muted = $before;
        }
    }

    /** @param string|callable $text a callable is asked only when the line is due */
    public function say(string $thing, int $every_s, $text): void
    {
        if ($this->muted || self::$speaking || !function_exists('logActivity')
            || !$this->throttle->allows('said-' . $thing, $every_s)) {
            return;
        }
        self::$speaking = true;
        Quiet::run(static function () use ($text) { // a log that fails must not cost the event
            \logActivity('hookbridge: ' . (is_string($text) ? $text : $text()));
        });
        self::$speaking = false;
    }
}
