<?php

declare(strict_types=1);

namespace Hookbridge;

/** "At most once in so many seconds", across PHP processes: the age of one empty marker file per thing. */
final class Throttle
{
    private $folder;
    private $seen = [];

    public function __construct(string $folder)
    {
        $this->folder = $folder;
    }

    public function allows(string $thing, int $every_s): bool
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
        Folder::make($this->folder);
        touch($marker, $now);
        return true;
    }
}
