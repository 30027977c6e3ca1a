<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * What waits in spool_dir for the bridge: the journals of all processes (journal/), what version 1.1 kept (pending/, one file per
 * event), and what is set aside for a person (rejected/). An event is named by its file and the place in it.
 */
final class Spool
{
    private const NAME = '/^\d{16}-[A-Za-z0-9_.-]{1,80}\.(log|event)$/D';
    private const REJECTED_MAX = 10000;
    public const TEMP_PREFIX = '.tmp-';
    private const TEMP_AGE_MAX_S = 3600;
    private const HOUR_S = 3600;

    private $stub;
    private $dir;
    /** File => what is known of it in this run: `total` of events once all were read, places of those that are `done`. */
    private $seen = [];
    private $unreadable = [];
    private $stuck = 0;
    private $damaged = 0;

    public function __construct(Stub $stub)
    {
        $this->stub = $stub;
        $this->dir = (string) $stub->setting('spool_dir');
    }

    /** Whether the folder is there, or can be made, and nobody else can read or change what lies in it. */
    public static function isUsable(string $dir, string $config_file): bool
    {
        return self::fault($dir, $config_file) === '';
    }

    /** What is wrong with spool_dir, and what to do; '' for nothing. */
    public static function fault(string $dir, string $config_file): string
    {
        clearstatcache(true, $dir);
        if (is_link($dir)) {
            return 'spool_dir is a link: name the folder itself';
        }
        if (!is_dir($dir)) {
            if (!mkdir($dir, 0700, true) && !is_dir($dir)) {
                return 'spool_dir cannot be made by ' . self::user() . ': make it, `chown` it to this user, `chmod 0700`';
            }
            // A cron that root runs must not make what the pages cannot use: config.php belongs to the user of the pages.
            self::private($dir, 0700, $config_file);
        }
        $owner = (int) fileowner($dir);
        if (!Stub::isOurs($owner) && !Stub::isOurs(0)) {
            return 'spool_dir belongs to ' . self::user($owner) . ', but PHP runs as ' . self::user() . ': `chown` it';
        }
        return (fileperms($dir) & 022) === 0 ? '' : 'spool_dir can be written by other users: `chmod 0700`';
    }

    /** Sees whether a file can really be written and read; says what is wrong with whom. */
    public function check(): string
    {
        $fault = self::fault($this->dir, (string) $this->stub->setting('config_file'));
        if ($fault !== '') {
            return $fault;
        }
        $path = $this->dir . '/check-' . bin2hex(random_bytes(4));
        $content = str_repeat('hookbridge', 100);
        $is_good = self::write($path, $content) && file_get_contents($path) === $content;
        !is_file($path) || unlink($path);
        foreach (['journal', 'pending', 'rejected', 'notices'] as $folder) {
            $is_good = self::make($this->dir . '/' . $folder) && $is_good;
        }
        return $is_good ? '' : 'spool_dir cannot be written by ' . self::user() . ': is the disk full, or read-only?';
    }

    /** For people. @param int|null $uid null for the one PHP runs as */
    public static function user(?int $uid = null): string
    {
        $uid = $uid !== null ? $uid : (function_exists('posix_geteuid') ? posix_geteuid() : null);
        $known = $uid !== null && function_exists('posix_getpwuid') ? posix_getpwuid($uid) : false;
        return $uid === null ? 'another user' : (is_array($known) ? $known['name'] . " (uid $uid)" : "uid $uid");
    }

    /** Makes a folder that only this user may look into. */
    public static function make(string $path): bool
    {
        if (!is_dir($path)) {
            if (!mkdir($path, 0700) && !is_dir($path)) {
                return false;
            }
            self::private($path, 0700); // mkdir obeys the umask, which may be stricter than we can work with
        }
        return true;
    }

    /** Sets the mode; what root makes belongs to the owner of the folder it lies in, or of $like. */
    public static function private(string $path, int $mode, string $like = ''): void
    {
        chmod($path, $mode);
        $owner = (int) fileowner($like !== '' ? $like : dirname($path));
        if ($owner !== 0 && Stub::isOurs(0)) {
            chown($path, $owner);
        }
    }

    /** Writes a file that is either there in full or not at all. */
    public static function write(string $path, string $content, int $made_at = 0): bool
    {
        $temp = dirname($path) . '/' . self::TEMP_PREFIX . bin2hex(random_bytes(6)) . '-' . basename($path);
        $file = fopen($temp, 'xb');
        if ($file === false) {
            return false;
        }
        self::private($temp, 0600); // before there is content to read
        $written = fwrite($file, $content) === strlen($content);
        $written = fclose($file) && $written && ($made_at === 0 || touch($temp, $made_at));
        if ($written && rename($temp, $path)) {
            return true;
        }
        unlink($temp);
        return false;
    }

    /** @return resource|null null while another process sends; it takes what is written until it ends */
    public function lock()
    {
        $file = fopen($this->dir . '/send.lock', 'cb');
        if ($file === false) {
            return null;
        }
        self::private($this->dir . '/send.lock', 0600);
        if (flock($file, LOCK_EX | LOCK_NB, $is_held)) {
            return $file;
        }
        if ($is_held) {
            fclose($file);
            return null;
        }
        $this->stub->activity()->say('flock', 86400, 'files in spool_dir cannot be locked (flock is missing on this file system); '
            . 'events may be sent twice, which the bridge recognises. Better: a folder on a local disk');
        return $file;
    }

    /** @return string[] files with waiting events, oldest first */
    public function waiting(): array
    {
        $files = [];
        foreach (['pending', 'journal'] as $folder) {
            $names = is_dir("$this->dir/$folder") ? (scandir("$this->dir/$folder") ?: []) : [];
            foreach (preg_grep(self::NAME, $names) as $name) {
                $files["$this->dir/$folder/$name"] = $name;
            }
        }
        asort($files, SORT_STRING);
        return array_keys($files);
    }

    /**
     * The events of one file, oldest first: `file`, `place`, `id`, `body`. None while its writer lives, or if it cannot be read.
     *
     * @param bool $is_own whether this process wrote it
     */
    public function events(string $path, bool $is_own): \Generator
    {
        $file = is_file($path) && !is_link($path) ? fopen($path, 'rb') : false;
        if ($file === false) {
            $this->unreadable[$path] = is_file($path) ? (int) fileowner($path) : 0;
            return;
        }
        if (!$is_own && !$this->isLeft($file, $path)) {
            fclose($file);
            return;
        }
        $this->seen[$path] = ['total' => null, 'done' => []];
        $total = 0;
        if (substr($path, -6) === '.event') {
            $parts = explode("\n", (string) stream_get_contents($file), 2);
            if (count($parts) === 2 && preg_match('/^[A-Za-z0-9_.-]{1,64}$/D', $parts[0]) === 1) {
                $total = 1;
                yield ['file' => $path, 'place' => 0, 'id' => $parts[0], 'body' => $parts[1]];
            } // else: empty after a power cut
        } else {
            for ($place = 0; ($line = fgets($file)) !== false; $place += strlen($line)) {
                $event = Journal::read($line);
                if ($event !== null) {
                    $total++;
                    yield ['file' => $path, 'place' => $place, 'id' => $event[0], 'body' => $event[1]];
                } elseif ($line[0] !== '-' && substr($line, -1) === "\n" && substr($line, -2) !== "!\n") {
                    $this->damaged++; // not the torn end of a process that was killed: nobody was promised that one
                }
            }
        }
        fclose($file);
        if (isset($this->seen[$path])) {
            $this->seen[$path]['total'] = $total;
            $this->settle($path);
        }
    }

    /** The event need not be sent again. */
    public function done(array $event): void
    {
        if (isset($this->seen[$event['file']])) {
            $this->seen[$event['file']]['done'][] = $event['place'];
            $this->settle($event['file']);
        }
    }

    /** Sets an event aside that the bridge will never take. Its file can be moved into pending/ to be sent again. */
    public function setAside(array $event, string $why): void
    {
        $folder = $this->dir . '/rejected';
        $name = substr(sprintf('%016d-%s-%s', (int) floor(microtime(true) * 1000000), $event['id'], preg_replace('/[^a-z0-9]+/', '-', $why)), 0, 97)
            . '.event';
        $kept = self::make($folder) && count(scandir($folder) ?: []) < self::REJECTED_MAX
            && self::make($this->dir . '/pending') && self::write("$folder/$name", $event['id'] . "\n" . $event['body']);
        $kept || $this->lose(1);
        $this->stub->activity()->say('rejected-' . $why, self::HOUR_S, "the bridge refuses events ($why); they are set aside in "
            . 'rejected/ and not sent again' . ($kept ? '' : '. That folder is full or cannot be written: they are lost'));
    }

    /** Ends a run: marks in files that are left what is done in them, and says what was in the way. */
    public function release(): void
    {
        foreach ($this->seen as $path => $seen) {
            if ($seen['done'] !== [] && is_file($path)) {
                $file = fopen($path, 'r+b');
                foreach ($file === false ? [] : $seen['done'] as $place) {
                    fseek($file, $place);
                    fwrite($file, '-');
                }
                $file === false || fclose($file);
            }
        }
        $this->seen = [];
        $activity = $this->stub->activity();
        if ($this->unreadable !== []) {
            $owners = implode(', ', array_map([self::class, 'user'], array_unique($this->unreadable)));
            $activity->say('unreadable', self::HOUR_S, count($this->unreadable) . ' files in spool_dir cannot be read by ' . self::user()
                . " (they belong to $owners): `chown` them");
        }
        if ($this->stuck > 0) {
            $activity->say('stuck', self::HOUR_S, "$this->stuck files in spool_dir cannot be deleted by " . self::user() . '; they stay');
        }
        if ($this->damaged > 0) {
            $activity->say('damaged', self::HOUR_S, "$this->damaged lines of the journal are damaged and were left out");
        }
        list($this->unreadable, $this->stuck, $this->damaged) = [[], 0, 0];
    }

    /** Counts lost events: in place, in a file that is there already, because the disk may be full. */
    public function lose(int $events): void
    {
        $events === 0 || $this->changeLost(static function (int $lost) use ($events): int {
            return $lost + $events;
        });
    }

    /** How many events were lost since the last call. */
    public function takeLost(): int
    {
        $taken = 0;
        $this->changeLost(static function (int $lost) use (&$taken): int {
            $taken = $lost;
            return 0;
        });
        return $taken;
    }

    /** Looks whether what waits is more than config.php allows: then nothing more is written until there is room again. */
    public function measure(): void
    {
        $bytes = 0;
        foreach ($this->waiting() as $path) {
            $bytes += (int) filesize($path);
        }
        $mark = $this->dir . '/full';
        if ($bytes >= 0.95 * $this->stub->setting('spool_bytes_max')) {
            touch($mark);
            $this->stub->activity()->say('full', self::HOUR_S, "the spool is full ($bytes bytes wait for the bridge); new events are lost");
        } elseif (is_file($mark)) {
            unlink($mark);
        }
    }

    /** Housekeeping of the cron: what waited too long, and what killed processes left half-written. */
    public function tidy(int $age_max_s): void
    {
        $expired = 0;
        foreach ($this->waiting() as $path) {
            // A file that a person moved back has waited since then, which its change time says.
            $since = substr($path, -6) === '.event' ? (int) filectime($path) : (int) filemtime($path);
            if ($since < time() - $age_max_s) {
                foreach ($this->events($path, false) as $event) {
                    $expired++;
                    $this->done($event);
                }
            }
        }
        $this->release();
        if ($expired > 0) {
            $this->stub->activity()->say('spool-expired', self::HOUR_S, "$expired events waited too long for the bridge and were dropped");
        }
        foreach (['', '/journal', '/pending', '/rejected'] as $folder) {
            foreach (glob($this->dir . $folder . '/' . self::TEMP_PREFIX . '*') ?: [] as $temp) {
                if (time() - (int) filemtime($temp) > self::TEMP_AGE_MAX_S) {
                    unlink($temp);
                }
            }
        }
        !is_file($this->dir . '/pending/.usage') || unlink($this->dir . '/pending/.usage'); // of version 1.1
    }

    /** How things stand: `waiting` events, since when the `oldest` waits (Unix seconds, 0 for none), how many are set `aside`. */
    public function standing(): array
    {
        list($waiting, $oldest) = [0, 0];
        foreach ($this->waiting() as $path) {
            $oldest = $oldest === 0 ? (int) substr(basename($path), 0, 10) : $oldest;
            $waiting += substr($path, -6) === '.event' ? 1 : preg_match_all('/^\+/m', (string) file_get_contents($path));
        }
        return ['waiting' => $waiting, 'oldest' => $oldest, 'aside' => count(glob($this->dir . '/rejected/*.event') ?: [])];
    }

    /** Deletes all but events. @return int how many of those are left */
    public function clear(): int
    {
        foreach (['notices/*', 'journal/' . self::TEMP_PREFIX . '*', 'manifest.*', 'rest-*', 'address-*', 'check-*', 'send.lock', 'heartbeat.json', 'probe', 'lost', 'full', 'flush.lock', 'pending/.usage'] as $name) {
            array_map('unlink', glob($this->dir . '/' . $name) ?: []);
        }
        $standing = $this->standing();
        foreach (['/notices', '/journal', '/pending', '/rejected', ''] as $folder) {
            is_dir($this->dir . $folder) && rmdir($this->dir . $folder); // only if it is empty
        }
        return $standing['waiting'] + $standing['aside'];
    }

    /** Whether nobody writes to the file any more. @param resource $file */
    private function isLeft($file, string $path): bool
    {
        if (substr($path, -6) === '.event' || flock($file, LOCK_EX | LOCK_NB, $is_held)) {
            return true;
        }
        return !$is_held && time() - (int) filemtime($path) > 2 * Journal::ALONE_S;
    }

    /** Deletes the file once all of it is done. */
    private function settle(string $path): void
    {
        if ($this->seen[$path]['total'] === count($this->seen[$path]['done'])) {
            if (Journal::discard($path)) {
                unset($this->seen[$path]);
            } else {
                $this->stuck++;
            }
        }
    }

    private function changeLost(callable $change): void
    {
        $path = $this->dir . '/lost';
        $file = fopen($path, is_file($path) ? 'r+b' : 'x+b');
        if ($file !== false) {
            self::private($path, 0600);
            flock($file, LOCK_EX); // for a moment only: each holder writes twelve bytes
            $lost = (int) fread($file, 12);
            rewind($file);
            fwrite($file, sprintf('%012d', $change($lost)));
            fclose($file);
        }
    }
}
