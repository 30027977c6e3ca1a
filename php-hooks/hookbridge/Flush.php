<?php

declare(strict_types=1);

namespace Hookbridge;

/** Sends what waits in the spool, oldest first, inside a bound of events and of time. */
final class Flush
{
    private const HOUR_S = 3600;

    private $config;
    private $spool;
    private $sender;
    private $activity;

    public function __construct(Config $config, Spool $spool, Sender $sender, Activity $activity)
    {
        $this->config = $config;
        $this->spool = $spool;
        $this->sender = $sender;
        $this->activity = $activity;
    }

    /** The lock goes away with the process, so a killed flush blocks nobody. */
    public function run(): void
    {
        $folder = $this->config->text('spool_dir');
        $lock = Folder::make($folder) ? fopen($folder . '/flush.lock', 'cb') : false;
        if ($lock === false) {
            $this->activity->say('flush-lock', self::HOUR_S, 'spool_dir cannot be written; nothing can wait for the bridge');
            return;
        }
        chmod($folder . '/flush.lock', 0600);
        if (flock($lock, LOCK_EX | LOCK_NB)) {
            $this->spool->tidy($this->config->number('spool_age_max_s'));
            $this->send();
            flock($lock, LOCK_UN);
        }
        fclose($lock);
    }

    private function send(): void
    {
        $names = array_slice($this->spool->waiting(), 0, $this->config->number('flush_events_max'));
        $end = microtime(true) + $this->config->number('flush_time_max_ms') / 1000;
        foreach ($names as $name) {
            if (microtime(true) >= $end) {
                return;
            }
            if ($this->sender->isResting()) {
                $this->tellWaiting(Answer::notTried());
                return;
            }
            $event = $this->spool->read($name);
            if ($event === null) {
                continue;
            }
            $answer = $this->sender->event($event[0], $event[1]);
            if ($answer->verdict() === Answer::LATER) {
                $this->tellWaiting($answer);
                return;
            }
            if ($answer->verdict() === Answer::DONE) {
                $this->spool->done($name);
            } else {
                $this->spool->reject($name, $answer);
            }
        }
    }

    private function tellWaiting(Answer $answer): void
    {
        $this->activity->say('waiting', self::HOUR_S, function () use ($answer): string {
            return count($this->spool->waiting()) . ' events wait for the bridge (' . $answer->summary() . ')';
        });
    }
}
