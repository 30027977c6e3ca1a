<?php

declare(strict_types=1);

namespace Hookbridge;

/** Sends what waits, in batches, oldest first; at the end of a page what this page wrote comes first. */
final class Flush
{
    private const HOUR_S = 3600;
    private const BATCH_BYTES_MAX = 1000000;
    /** A page whose visitor has the answer already may take so long. */
    private const AFTER_RESPONSE_S = 3.0;
    private const CONNECT_MS = 5000;
    private const TOTAL_MS = 10000;
    /** A request that has less than this left is not begun. */
    private const LEAST_MS = 10;
    /** A batch of 500 with one event that something in between refuses is halved nine times until that one is alone. */
    private const FAILURES_MAX = 12;
    private const ROUNDS_MAX = 10;

    private $stub;
    /** Made when something is really sent: most ends of pages in an outage, or while another process sends, need none. @var Sender|null */
    private $sender;
    private $nobody_waits = false;
    private $spool;
    /** Of this process, in seconds: what the budget of a cron has left. */
    private $spent_s = 0.0;
    private $end;
    /** Nobody waits: pauses that the bridge asks for are kept, and batches that fail are halved. */
    private $is_patient;
    private $connect_ms;
    private $left;
    private $failures;
    /** Why this run ended early. @var Answer|null */
    private $stopped_by;

    public function __construct(Stub $stub)
    {
        $this->stub = $stub;
        $this->spool = $stub->part(Spool::class);
        $this->connect_ms = $stub->setting('connect_timeout_ms');
    }

    /** The end of a page or of a cron. @param bool $is_done whether the visitor has the answer already */
    public function afterPage(bool $is_done): void
    {
        if ($is_done) {
            $this->nobodyWaits();
            $this->run(self::AFTER_RESPONSE_S, false);
        } elseif (Who::isCron()) {
            $this->nobodyWaits();
            $this->run($this->cronLeftS(), true);
        } else {
            $left_ms = $this->stub->has(Sender::class) ? $this->stub->part(Sender::class)->leftMs() : $this->stub->setting('total_timeout_ms');
            $this->run(min($this->stub->setting('page_send_ms'), $left_ms) / 1000, false);
        }
    }

    /** Events of a long cron that is not done yet. */
    public function meanwhile(): void
    {
        $this->nobodyWaits();
        $this->run($this->cronLeftS(), false);
    }

    /** The platform's cron is done: everything that waits. @return string why some of it still does, '' for none of the bridge's doing */
    public function everything(): string
    {
        $this->spool->tidy($this->stub->setting('spool_age_max_s'));
        $this->nobodyWaits();
        $this->run($this->stub->setting('flush_time_max_ms') / 1000, true);
        if ($this->stopped_by !== null) {
            $this->stub->activity()->say('waiting', self::HOUR_S, function (): string {
                return $this->spool->standing()['waiting'] . ' events wait for the bridge (' . $this->stopped_by->summary() . ')';
            });
        }
        $this->spool->measure();
        $rest_s = $this->stub->circuit('events')->restS();
        return $this->stopped_by !== null ? $this->stopped_by->summary() : ($rest_s > 0 ? "the bridge is left alone for $rest_s s" : '');
    }

    private function cronLeftS(): float
    {
        return max(0.0, $this->stub->setting('cron_send_ms') / 1000 - $this->spent_s);
    }

    private function nobodyWaits(): void
    {
        $this->nobody_waits = true;
        $this->connect_ms = self::CONNECT_MS;
    }

    private function run(float $left_s, bool $is_patient): void
    {
        $began = microtime(true);
        $this->end = $began + $left_s;
        $this->is_patient = $is_patient;
        $this->left = $this->stub->setting('flush_events_max');
        list($this->failures, $this->stopped_by) = [0, null];
        $own = $this->stub->journal()->close();
        $memory = $this->stub->journal()->takeMemory();
        if ($this->mayBegin()) {
            $this->spool->lose($this->sendMemory($memory) + $this->stub->journal()->takeLost());
            $this->sendFiles($own);
        } else {
            $this->spool->lose(count($memory) + $this->stub->journal()->takeLost());
        }
        if ($this->stopped_by !== null) {
            $this->stub->circuit('events')->open($this->stopped_by->retryAfterS());
            $is_patient || $this->spool->measure();
        }
        $this->spent_s += microtime(true) - $began;
    }

    private function mayBegin(): bool
    {
        $rest_s = $this->stub->circuit('events')->restS();
        if ($rest_s > 0 && $this->is_patient && microtime(true) + $rest_s < $this->end) {
            sleep($rest_s);
            $rest_s = 0;
        }
        return $rest_s === 0;
    }

    /** What no file could take has this one chance. @return int how many were lost */
    private function sendMemory(array $memory): int
    {
        $lost = [];
        foreach ($memory as list($id, $body)) {
            $lost[$id] = ['file' => '', 'place' => 0, 'id' => $id, 'body' => $body];
        }
        $lost === [] || $this->send($lost, $lost);
        return count($lost);
    }

    private function sendFiles(array $own): void
    {
        $known = [];
        for ($round = 0; $round < self::ROUNDS_MAX; $round++) {
            $lock = $this->spool->lock();
            if ($lock === null) {
                return;
            }
            // Own ones first; then the others, in batches of their own.
            $others = array_values(array_diff($this->spool->waiting(), $own, $known));
            $goes_on = $this->sendAll($own, true) && $this->sendAll($others, false);
            $known = array_merge($known, $own, $others);
            $own = [];
            $this->spool->release();
            fclose($lock);
            // Who ended while the lock was held has left its file to us.
            if (!$goes_on || array_diff($this->spool->waiting(), $known) === []) {
                return;
            }
        }
    }

    /** @param string[] $files @return bool false when the run ends here */
    private function sendAll(array $files, bool $are_own): bool
    {
        list($batch, $bytes) = [[], 0];
        foreach ($files as $file) {
            foreach ($this->spool->events($file, $are_own) as $event) {
                $more = strlen($event['body']) + strlen($event['id']) + 32;
                if (count($batch) >= Journal::BATCH_EVENTS_MAX || ($batch !== [] && $bytes + $more > self::BATCH_BYTES_MAX)) {
                    if (!$this->send($batch)) {
                        return false;
                    }
                    list($batch, $bytes) = [[], 0];
                }
                if (--$this->left < 0) {
                    break 2;
                }
                $batch[] = $event;
                $bytes += $more;
            }
        }
        return $batch === [] || $this->send($batch);
    }

    /**
     * @param array[] $batch
     * @param array[]|null $unsent by id: those of which is known that they need not come again are taken out
     * @return bool false when the run ends here
     */
    private function send(array $batch, ?array &$unsent = null): bool
    {
        if ($this->sender === null) {
            $this->sender = $this->stub->part(Sender::class);
            $this->nobody_waits && $this->sender->nobodyWaits();
        }
        $left_ms = (int) min(self::TOTAL_MS, floor(($this->end - microtime(true)) * 1000));
        if ($left_ms < self::LEAST_MS || !$this->sender->isReachable()) {
            return false;
        }
        $answer = $this->sender->batch(self::body($batch), $this->connect_ms, $left_ms);
        $answers = $answer->events();
        if ($answers !== null) {
            $this->failures = 0;
            $batch = $this->settle($batch, $answers, $unsent);
            return $batch === [] || $this->sendLater($batch, $answer, $unsent);
        }
        if (count($batch) === 1 && $answer->isFinal()) {
            $this->setAside(reset($batch), $answer->summary(), $unsent);
            return true;
        }
        if (!$this->is_patient || !$answer->isPartial() || ++$this->failures > self::FAILURES_MAX) {
            return $this->sendLater($batch, $answer, $unsent);
        }
        if (count($batch) === 1) {
            return true; // it stays in its file, and delays nobody
        }
        $halves = array_chunk($batch, (int) ceil(count($batch) / 2));
        return $this->send($halves[0], $unsent) && $this->send($halves[1], $unsent);
    }

    /** @return array[] those that are to be sent again */
    private function settle(array $batch, array $answers, ?array &$unsent): array
    {
        $again = [];
        foreach ($batch as $event) {
            $its = isset($answers[$event['id']]) ? $answers[$event['id']] : ['status' => 0, 'code' => ''];
            if ($its['status'] === 202) {
                $this->spool->done($event);
                unset($unsent[$event['id']]);
            } elseif (Answer::isFinalFor($its)) {
                $this->setAside($event, trim('answer ' . $its['status'] . ' ' . $its['code']), $unsent);
            } else {
                $again[] = $event;
            }
        }
        return $again;
    }

    private function setAside(array $event, string $why, ?array &$unsent): void
    {
        $this->spool->setAside($event, $why);
        $this->spool->done($event);
        unset($unsent[$event['id']]);
    }

    /** The bridge wants a pause, or is not there: a patient run keeps a pause that fits, any other ends. */
    private function sendLater(array $batch, Answer $answer, ?array &$unsent): bool
    {
        $rest_s = $answer->retryAfterS();
        if ($this->is_patient && $rest_s > 0 && microtime(true) + $rest_s < $this->end) {
            sleep($rest_s);
            return $this->send($batch, $unsent);
        }
        $this->stopped_by = $answer;
        return false;
    }

    private static function body(array $batch): string
    {
        $events = [];
        foreach ($batch as $event) {
            $events[] = '{"id":"' . $event['id'] . '","event":' . $event['body'] . '}';
        }
        return '{"events":[' . implode(',', $events) . ']}';
    }
}
