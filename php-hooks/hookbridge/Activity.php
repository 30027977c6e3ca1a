<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * Tells administrators through the platform's activity log, each thing at most once in so many seconds, across PHP processes: the age
 * of one empty marker file per thing. Only fixed texts, counts and checked codes go in. logActivity() fires the hook LogActivity
 * (WHMCS docs: LogActivity), so a loop must be impossible in both directions.
 */
final class Activity
{
    private static $is_speaking = false;

    private $folder;
    private $is_muted = false;
    private $seen = [];

    public function __construct(Stub $stub)
    {
        $this->folder = $stub->setting('spool_dir') . '/notices';
    }

    /** Whether the platform is writing a line of ours right now. */
    public static function isSpeaking(): bool
    {
        return self::$is_speaking;
    }

    /** Nothing is said while this runs: for the time inside the LogActivity hook. */
    public function mutedWhile(callable $work): void
    {
        $before = $this->is_muted;
        $this->is_muted = true;
        try {
            $work();
        } finally {
            $this->is_muted = $before;
        }
    }

    /**
     * Silent where no marker can be kept: one line per page would flood the log.
     *
     * @param string|callable $text a callable is asked only when the line is due
     */
    public function say(string $thing, int $every_s, $text): void
    {
        if ($this->maySpeak() && $this->allows('said-' . $thing, $every_s) === true) {
            $this->speak($text);
        }
    }

    /** Also where no marker can be kept: for the cron, and for who logs in. */
    public function sayNow(string $thing, int $every_s, string $text): void
    {
        if ($this->maySpeak() && $this->allows('said-' . $thing, $every_s) !== false) {
            $this->speak($text);
        }
    }

    /** Whether the thing is due. @return bool|null null when nobody can know, as no marker can be kept */
    public function allows(string $thing, int $every_s): ?bool
    {
        $now = time();
        // Without a folder to write to, this process alone still keeps count.
        if (isset($this->seen[$thing]) && $now - $this->seen[$thing] < $every_s) {
            return false;
        }
        $this->seen[$thing] = $now;
        $marker = $this->folder . '/' . sha1($thing);
        clearstatcache(true, $marker);
        $age_s = is_file($marker) ? $now - (int) filemtime($marker) : $every_s;
        if ($age_s >= 0 && $age_s < $every_s) {
            return false;
        }
        return Spool::make($this->folder) && touch($marker, $now) ? true : null;
    }

    private function maySpeak(): bool
    {
        return !$this->is_muted && !self::$is_speaking && function_exists('logActivity');
    }

    /** @param string|callable $text */
    private function speak($text): void
    {
        self::$is_speaking = true;
        Stub::quietly(static function () use ($text) { // a log that fails must not cost the event
            \logActivity('hookbridge: ' . (is_string($text) ? $text : $text()));
        });
        self::$is_speaking = false;
    }
}
