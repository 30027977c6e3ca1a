<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * What the platform's cron does for the stub when it ends, and how the stub is: reported to the bridge with each run, and shown to people by
 * the addon page and tool.php.
 */
final class Report
{
    /** Without a cron run for so long something is wrong; and so long an event may wait. */
    private const CRON_AGE_MAX_S = 3600;
    private const WAITING_MAX_S = 1800;
    private const HOUR_S = 3600;
    private const NAME = '/^[A-Za-z0-9]{1,64}$/D';

    private $stub;
    private $spool;
    private $file;

    public function __construct(Stub $stub)
    {
        $this->stub = $stub;
        $this->spool = $stub->part(Spool::class);
        $this->file = $stub->setting('spool_dir') . '/heartbeat.json';
    }

    public function atCron(): void
    {
        list($fault, $lost) = $this->check();
        $this->stub->part(Flush::class)->everything();
        Manifest::refresh($this->stub);
        $this->send($fault, $lost);
    }

    /** Says what is wrong with spool_dir while there is time to mend it, and what was lost. @return array both */
    public function check(): array
    {
        $activity = $this->stub->activity();
        $fault = $this->spool->check();
        if ($fault !== '') {
            $activity->sayNow('spool_dir', self::HOUR_S, $fault . '. Until then events are sent at the end of each page, or lost');
            return [$fault, 0];
        }
        $lost = $this->spool->takeLost();
        if ($lost > 0) {
            $activity->sayNow('', 0, "$lost events were lost: spool_dir could not take them, and the bridge did not");
        }
        return ['', $lost];
    }

    /** @param string $fault what is wrong with spool_dir @param int $lost events that were lost since the last time */
    private function send(string $fault, int $lost): void
    {
        $last = $this->last();
        $lost += $last['lost']; // what no bridge has heard of yet
        $now = time();
        $state = ['tried' => $now, 'lost' => $lost, 'why' => 'left alone after a failure'] + $last;
        if ($this->stub->circuit('events')->restS() === 0) {
            $sender = $this->stub->part(Sender::class);
            $sender->nobodyWaits();
            $answer = $sender->heartbeat($this->stub->envelope()->heartbeat($this->spool->standing(), $this->stub->hooks(), $fault, $lost));
            $told = $answer->status() === 200 ? json_decode($answer->body(), true) : null;
            $state = is_array($told) ? ['tried' => $now, 'lost' => 0, 'accepted' => $now, 'why' => '', 'told' => $told]
                : ['why' => $answer->summary()] + $state;
        }
        if ($fault === '') {
            Spool::write($this->file, (string) json_encode($state));
        }
    }

    /** @return array[] name, value, whether that is wrong: for people */
    public function lines(): array
    {
        $fault = $this->spool->check();
        $standing = $this->spool->standing();
        list($last, $now, $rest_s) = [$this->last(), time(), $this->stub->circuit('events')->restS()];
        $told = $last['told'];
        $least = isset($told['stub_least']) && is_string($told['stub_least']) ? Text::clean($told['stub_least'], 16) : '';
        $missing = isset($told['missing']) && is_array($told['missing']) ? preg_grep(self::NAME, array_filter($told['missing'], 'is_string')) : [];
        $clock = isset($told['clock_ahead_s']) ? (int) $told['clock_ahead_s'] : 0;
        return array_values(array_filter([
            ['version', Stub::VERSION, false],
            !empty($told['old']) && version_compare(Stub::VERSION, $least) < 0 ? ['version_needed', $least, true] : null,
            ['php', PHP_VERSION . ' (' . php_sapi_name() . ')', false],
            ['user', Spool::user(), false],
            ['folder', (string) $this->stub->setting('spool_dir'), $fault !== ''],
            $fault !== '' ? ['fault', $fault, true] : null,
            $this->stub->probeUntil() > $now ? ['probe_until', self::moment($this->stub->probeUntil()), false] : null,
            ['hooks', (string) count($this->stub->hooks()), false],
            $missing !== [] ? ['hooks_missing', implode(', ', $missing), true] : null,
            ['waiting', (string) $standing['waiting'], false],
            $standing['oldest'] > 0 ? ['oldest', self::moment($standing['oldest']), $now - $standing['oldest'] > self::WAITING_MAX_S] : null,
            ['set_aside', (string) $standing['aside'], $standing['aside'] > 0],
            $last['lost'] > 0 ? ['lost', (string) $last['lost'], true] : null,
            ['cron', self::moment($last['tried']), $now - $last['tried'] > self::CRON_AGE_MAX_S],
            ['heartbeat', self::moment($last['accepted']), $last['why'] !== ''],
            $last['why'] !== '' ? ['answer', $last['why'], true] : null,
            $clock !== 0 ? ['clock', "$clock s", true] : null,
            $rest_s > 0 ? ['resting', self::moment($now + $rest_s), true] : null,
        ]));
    }

    /** What is known of the last heartbeat: when it was `tried` and `accepted`, `why` it was not, what the bridge `told`, `lost` events. */
    private function last(): array
    {
        $last = is_file($this->file) ? json_decode((string) file_get_contents($this->file), true) : null;
        $last = is_array($last) ? $last : [];
        foreach (['tried' => 0, 'accepted' => 0, 'lost' => 0, 'why' => '', 'told' => []] as $name => $none) {
            $last[$name] = isset($last[$name]) && gettype($last[$name]) === gettype($none) ? $last[$name] : $none;
        }
        return $last;
    }

    private static function moment(int $at): string
    {
        return $at === 0 ? '-' : gmdate('Y-m-d H:i:s', $at) . ' UTC';
    }
}
