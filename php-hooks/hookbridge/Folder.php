<?php

declare(strict_types=1);

namespace Hookbridge;

/** A folder of event files, bounded in bytes. Names sort by time: microseconds, then the event id. */
final class Folder
{
    private const NAME = '/^\d{16}-[A-Za-z0-9_.-]{1,64}\.event$/D';
    private const TEMP_PREFIX = '.tmp-';
    private const TEMP_AGE_MAX_S = 3600;

    private $path;
    private $bytes_max;
    private $usage;

    public function __construct(string $path, int $bytes_max)
    {
        $this->path = $path;
        $this->bytes_max = $bytes_max;
        $this->usage = new Usage($path . '/.usage');
    }

    /** Makes a folder that only this user may look into. */
    public static function make(string $path): bool
    {
        if (is_dir($path)) {
            return true;
        }
        $made = mkdir($path, 0700, true) || is_dir($path);
        return $made && chmod($path, 0700); // mkdir obeys the umask, which may be stricter than we can work with
    }

    /**
     * Writes a file that is either there in full or not at all. No fsync: a page would wait for the disk; a power
     * cut may take the newest files with it.
     */
    public static function write(string $path, string $content): bool
    {
        $temp = dirname($path) . '/' . self::TEMP_PREFIX . bin2hex(random_bytes(6)) . '-' . basename($path);
        $file = fopen($temp, 'xb');
        if ($file === false) {
            return false;
        }
        chmod($temp, 0600); // before there is content to read
        $written = fwrite($file, $content) === strlen($content);
        if (fclose($file) && $written && rename($temp, $path)) {
            return true;
        }
        unlink($temp);
        return false;
    }

    public static function nameOf(string $id, float $now): string
    {
        return sprintf('%016d-%s.event', (int) floor($now * 1000000), $id);
    }

    /** @return bool|null null when the folder is full */
    public function put(string $name, string $content): ?bool
    {
        if (!self::make($this->path)) {
            return false;
        }
        if (!$this->usage->reserve(strlen($content), $this->bytes_max, $this->measure())) {
            return null;
        }
        if (self::write($this->path . '/' . $name, $content)) {
            return true;
        }
        $this->usage->release(strlen($content));
        return false;
    }

    /** @return string[] oldest first */
    public function names(): array
    {
        return array_values(preg_grep(self::NAME, $this->all()));
    }

    public function read(string $name): ?string
    {
        $content = file_get_contents($this->path . '/' . $name);
        return $content === false ? null : $content;
    }

    public function remove(string $name): void
    {
        $bytes = (int) filesize($this->path . '/' . $name);
        if (unlink($this->path . '/' . $name)) {
            $this->usage->release($bytes);
        }
    }

    /** Removes what is older, and what a killed process left half-written. Returns how many events went. */
    public function prune(int $age_max_s): int
    {
        $removed = 0;
        foreach ($this->names() as $name) {
            if ((int) substr($name, 0, 16) >= (time() - $age_max_s) * 1000000) {
                break;
            }
            $this->remove($name);
            $removed++;
        }
        foreach (preg_grep('/^' . self::TEMP_PREFIX . '/', $this->all()) as $temp) {
            if (time() - (int) filemtime($this->path . '/' . $temp) > self::TEMP_AGE_MAX_S) {
                unlink($this->path . '/' . $temp);
            }
        }
        return $removed;
    }

    /** Counts the bytes again: a process that was killed between counting and writing leaves a wrong sum. */
    public function recount(): void
    {
        if (is_dir($this->path)) {
            $this->usage->reset(call_user_func($this->measure()));
        }
    }

    /** How many events were turned away since the last call. */
    public function takeRefused(): int
    {
        return $this->usage->takeRefused();
    }

    /** @return string[] */
    private function all(): array
    {
        return is_dir($this->path) ? (scandir($this->path, SCANDIR_SORT_ASCENDING) ?: []) : [];
    }

    private function measure(): callable
    {
        return function (): int {
            $bytes = 0;
            foreach ($this->names() as $name) {
                $bytes += (int) filesize($this->path . '/' . $name);
            }
            return $bytes;
        };
    }
}
