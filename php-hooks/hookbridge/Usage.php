<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * How many bytes a folder holds and how many events it turned away: two numbers in one small file. Listing a folder of
 * 100,000 files for each hook would cost more than the budget of a page.
 */
final class Usage
{
    private const TRIES = 20;
    private const PAUSE_US = 500;

    private $file;

    public function __construct(string $file)
    {
        $this->file = $file;
    }

    /** @param callable $measure asked for the bytes when there is no count yet */
    public function reserve(int $bytes, int $bytes_max, callable $measure): bool
    {
        $fits = true; // without a lock in time the event matters more than the count; the next flush counts again
        $this->change(static function (?int $held, int $refused) use ($bytes, $bytes_max, $measure, &$fits): array {
            $held = $held === null ? $measure() : $held;
            $fits = $held + $bytes <= $bytes_max;
            return $fits ? [$held + $bytes, $refused] : [$held, $refused + 1];
        });
        return $fits;
    }

    public function release(int $bytes): void
    {
        $this->change(static function (?int $held, int $refused) use ($bytes): array {
            return [max(0, (int) $held - $bytes), $refused];
        });
    }

    public function reset(int $bytes): void
    {
        $this->change(static function (?int $held, int $refused) use ($bytes): array {
            return [$bytes, $refused];
        });
    }

    public function takeRefused(): int
    {
        $taken = 0;
        $this->change(static function (?int $held, int $refused) use (&$taken): array {
            $taken = $refused;
            return [$held, 0];
        });
        return $taken;
    }

    /** @param callable $change (bytes held or null, refused) -> the new pair */
    private function change(callable $change): void
    {
        $file = fopen($this->file, 'c+b');
        if ($file === false) {
            return;
        }
        chmod($this->file, 0600);
        if (self::lock($file)) {
            $known = sscanf((string) stream_get_contents($file), '%d %d');
            $known = is_array($known) ? $known : [];
            list($held, $refused) = $change(isset($known[0]) ? $known[0] : null, isset($known[1]) ? $known[1] : 0);
            rewind($file);
            ftruncate($file, 0);
            if ($held !== null) {
                fwrite($file, $held . ' ' . $refused);
            }
            fflush($file);
            flock($file, LOCK_UN);
        }
        fclose($file);
    }

    /** Waits a few milliseconds at most. @param resource $file */
    private static function lock($file): bool
    {
        for ($try = 0; $try < self::TRIES; $try++) {
            if (flock($file, LOCK_EX | LOCK_NB)) {
                return true;
            }
            usleep(self::PAUSE_US);
        }
        return false;
    }
}
