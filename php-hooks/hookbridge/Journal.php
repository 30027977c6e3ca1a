<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * What this process has to say to the bridge: one file of its own in spool_dir/journal, one line per event, sent when the page is
 * done or by somebody later. One writer per file, so nothing is waited for; the lock that the writer holds only says that it lives.
 */
final class Journal
{
    /** One request to the bridge holds so many events at most. */
    public const BATCH_EVENTS_MAX = 500;
    /** A long cron sends meanwhile: when so many events wait, or the first of them for so long. */
    private const MEANWHILE_S = 2.0;
    /** Where files cannot be locked, their age says whether the writer lives: it leaves a file alone long before others take it. */
    public const ALONE_S = 600;
    /** A web server's process makes page after page. Making a file is most of what a hook costs, so it uses its last one again. */
    private const LASTING = ['apache2handler', 'fpm-fcgi', 'frankenphp', 'litespeed'];
    private const IDLE = Spool::TEMP_PREFIX . 'idle-';
    /** What waits in memory when no file can be written. */
    private const MEMORY_BYTES_MAX = 1048576;

    private $stub;
    private $dir;
    private $file;
    private $path = '';
    private $pid = 0;
    private $wrote_at = 0.0;
    /** The last line is only there in part: the disk was full. */
    private $is_torn = false;
    /** Of all files of this process that wait. */
    private $bytes = 0;
    private $is_announced = false;
    private $waiting = 0;
    private $waits_since = 0.0;
    /** Files of this process that it does not write to any more, oldest first. */
    private $closed = [];
    /** @var array[] id and body of events that no file could take */
    private $memory = [];
    private $memory_bytes = 0;
    private $lost = 0;

    public function __construct(Stub $stub)
    {
        $this->stub = $stub;
        $this->dir = (string) $stub->setting('spool_dir');
    }

    /** One line: `+`, a checksum, the id, the body byte for byte. `+` becomes `-` once the event is done. */
    public static function line(string $id, string $body): string
    {
        $content = $id . ' ' . $body;
        return '+' . hash('crc32b', $content) . ' ' . $content . "\n";
    }

    /** @return string[]|null id and body of a line; null for one that is done, torn or damaged */
    public static function read(string $line): ?array
    {
        if (preg_match('/^\+([0-9a-f]{8}) (([A-Za-z0-9_.-]{1,64}) (.+))\n$/sD', $line, $found) !== 1
            || hash('crc32b', $found[2]) !== $found[1]) {
            return null;
        }
        return [$found[3], $found[4]];
    }

    /** Keeps an event until it is sent. */
    public function keep(string $id, string $body, float $now): void
    {
        if (!$this->write(self::line($id, $body), $now)) {
            $this->remember($id, $body);
        }
        if (!$this->is_announced) {
            $this->is_announced = true;
            $this->stub->sendAtEnd();
        }
        $this->waits_since = $this->waiting === 0 ? $now : $this->waits_since;
        $this->waiting++;
        if (($this->waiting >= self::BATCH_EVENTS_MAX || $now - $this->waits_since >= self::MEANWHILE_S) && Who::isCron()) {
            $this->stub->part(Flush::class)->meanwhile();
            $this->waiting = 0;
        }
    }

    /** Ends the file that is written to. @return string[] this process's files that are not sent yet, oldest first */
    public function close(): array
    {
        if ($this->file !== null) {
            fclose($this->file);
            $this->file = null;
            $this->closed[] = $this->path;
        }
        $this->closed = array_values(array_filter($this->closed, 'is_file'));
        $this->bytes = array_sum(array_map('filesize', $this->closed));
        return $this->closed;
    }

    /** @return array[] id and body of the events in memory, which is empty after that */
    public function takeMemory(): array
    {
        list($memory, $this->memory, $this->memory_bytes, $this->is_announced) = [$this->memory, [], 0, false];
        return $memory;
    }

    /** How many events no file and no memory could take, since the last call. */
    public function takeLost(): int
    {
        list($lost, $this->lost) = [$this->lost, 0];
        return $lost;
    }

    private function write(string $line, float $now): bool
    {
        if ($this->file !== null && ($this->pid !== getmypid() || $now - $this->wrote_at > self::ALONE_S)) {
            $this->close(); // a forked child writes its own; and after a long silence others may have taken this one
        }
        if (($this->file === null && !$this->open($now)) || $this->bytes + strlen($line) > $this->stub->setting('spool_bytes_max')) {
            return false;
        }
        // `!` before the line end: the reader knows that this one was kept elsewhere.
        $line = ($this->is_torn ? "!\n" : '') . $line;
        $written = fwrite($this->file, $line);
        $this->is_torn = $written !== strlen($line) && ($written > 0 || $this->is_torn);
        $this->bytes += (int) $written;
        $this->wrote_at = $now;
        if ($this->stub->setting('journal_fsync')) {
            $fsync = 'fsync'; // of PHP 8.1; Config has seen to that
            $fsync($this->file);
        }
        return $written === strlen($line);
    }

    private function open(float $now): bool
    {
        // `full`: what waits takes all the room that config.php gives it (Spool::measure).
        if (!Spool::isUsable($this->dir, (string) $this->stub->setting('config_file')) || is_file($this->dir . '/full')) {
            return false;
        }
        $folder = $this->dir . '/journal';
        $this->path = sprintf('%s/%016d-%d-%s.log', $folder, (int) floor($now * 1000000), getmypid(), bin2hex(random_bytes(3)));
        $file = $this->reopen($folder . '/' . self::IDLE . getmypid());
        if ($file === null) {
            $temp = $folder . '/' . Spool::TEMP_PREFIX . basename($this->path);
            $file = fopen($temp, 'xb');
            $file = $file === false && Spool::make($folder) ? fopen($temp, 'xb') : $file;
            if ($file === false) {
                return false;
            }
            Spool::private($temp, 0600); // before there is content to read
            // Locked before it has the name by which others find it: one that is not locked is theirs, and an empty one they delete.
            flock($file, LOCK_EX | LOCK_NB);
            if (!rename($temp, $this->path)) {
                fclose($file);
                return false;
            }
        }
        list($this->file, $this->pid, $this->is_torn) = [$file, getmypid(), false];
        return true;
    }

    /** @return resource|null this process's last file, empty; null for none, or while somebody else has it */
    private function reopen(string $idle)
    {
        $file = is_file($idle) ? fopen($idle, 'r+b') : false;
        if ($file === false) {
            return null;
        }
        // The same file under the new name: another one may have been put there a moment ago.
        if (flock($file, LOCK_EX | LOCK_NB) && rename($idle, $this->path) && fstat($file)['ino'] === fileinode($this->path)) {
            return $file;
        }
        fclose($file);
        return null;
    }

    /** All of the file is sent: it is emptied for the next page of its process, or deleted. Whoever sends it has no other use for it. */
    public static function discard(string $path): bool
    {
        $is_lasting = in_array(php_sapi_name(), self::LASTING, true);
        $file = $is_lasting && preg_match('/^\d{16}-(\d+)-[0-9a-f]+\.log$/D', basename($path), $found) === 1 ? fopen($path, 'r+b') : false;
        if ($file === false) {
            return unlink($path);
        }
        $is_kept = flock($file, LOCK_EX | LOCK_NB) && rename($path, dirname($path) . '/' . self::IDLE . $found[1]) && ftruncate($file, 0);
        fclose($file);
        return $is_kept || unlink($path);
    }

    /** The bridge may take it at the end of the page all the same. */
    private function remember(string $id, string $body): void
    {
        $this->memory_bytes += strlen($body);
        if (count($this->memory) < self::BATCH_EVENTS_MAX && $this->memory_bytes <= self::MEMORY_BYTES_MAX) {
            $this->memory[] = [$id, $body];
        } else {
            $this->lost++;
        }
    }
}
