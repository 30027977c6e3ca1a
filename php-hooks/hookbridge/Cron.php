<?php

declare(strict_types=1);

namespace Hookbridge;

/** What the platform's cron does for the stub when it ends, and what is looked at when an administrator logs in. */
final class Cron
{
    private const HOUR_S = 3600;

    private $stub;

    public function __construct(Stub $stub)
    {
        $this->stub = $stub;
    }

    public function run(): void
    {
        list($fault, $lost) = $this->check();
        $this->stub->part(Flush::class)->everything();
        Manifest::refresh($this->stub);
        $this->stub->part(Report::class)->send($fault, $lost);
    }

    /** Says what is wrong with spool_dir while there is time to mend it, and what was lost. @return array both */
    public function check(): array
    {
        $spool = $this->stub->part(Spool::class);
        $activity = $this->stub->activity();
        $fault = $spool->check();
        if ($fault !== '') {
            $activity->sayNow('spool_dir', self::HOUR_S, $fault . '. Until then events are sent at the end of each page, or lost');
            return [$fault, 0];
        }
        $lost = $spool->takeLost();
        if ($lost > 0) {
            $activity->sayNow('', 0, "$lost events were lost: spool_dir could not take them, and the bridge did not");
        }
        return ['', $lost];
    }
}
