<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * What the bridge has not taken: `pending/` is sent again, `rejected/` is set aside for a person. A file is the event's
 * id, a line feed, and the body byte for byte; no secret and no signature.
 */
final class Spool
{
    private const HOUR_S = 3600;

    private $activity;
    private $bytes_max;
    private $pending;
    private $rejected;

    public function __construct(string $path, int $bytes_max, Activity $activity)
    {
        $this->activity = $activity;
        $this->bytes_max = $bytes_max;
        $this->pending = new Folder($path . '/pending', $bytes_max);
        $this->rejected = new Folder($path . '/rejected', $bytes_max);
    }

    /** Keeps an event for the next flush. When the spool is full the newest event is the one that is lost. */
    public function keep(string $id, string $body, float $now): void
    {
        $this->put($this->pending, 'spool', Folder::nameOf($id, $now), $id . "\n" . $body);
    }

    /** Sets an event aside that the bridge will never take. */
    public function setAside(string $id, string $body, float $now, Answer $answer): void
    {
        $this->put($this->rejected, 'folder of rejected events', Folder::nameOf($id, $now), $id . "\n" . $body);
        $this->tellRejected($answer);
    }

    /** @return string[] oldest first */
    public function waiting(): array
    {
        return $this->pending->names();
    }

    /** @return string[]|null id and body; null when there is nothing to send */
    public function read(string $name): ?array
    {
        $content = $this->pending->read($name);
        $parts = explode("\n", (string) $content, 2);
        if (count($parts) === 2 && preg_match('/^[A-Za-z0-9_.-]{1,64}$/D', $parts[0]) === 1) {
            return $parts;
        }
        if ($content !== null) {
            $this->pending->remove($name); // empty after a power cut; one that cannot be read is left for a person
        }
        return null;
    }

    public function done(string $name): void
    {
        $this->pending->remove($name);
    }

    /** Moves an event that waited into `rejected/`. */
    public function reject(string $name, Answer $answer): void
    {
        $this->put($this->rejected, 'folder of rejected events', $name, (string) $this->pending->read($name));
        $this->pending->remove($name);
        $this->tellRejected($answer);
    }

    /** Housekeeping for the process that holds the flush lock. */
    public function tidy(int $age_max_s): void
    {
        $expired = $this->pending->prune($age_max_s);
        if ($expired > 0) {
            $this->activity->say('spool-expired', self::HOUR_S, "$expired events waited too long for the bridge and were dropped");
        }
        $this->rejected->prune($age_max_s);
        $this->pending->recount();
        $this->rejected->recount();
    }

    private function put(Folder $folder, string $called, string $name, string $content): void
    {
        $kept = $folder->put($name, $content);
        if ($kept === null) {
            $this->activity->say($called . '-full', self::HOUR_S, function () use ($folder, $called): string {
                return "the $called is full ({$this->bytes_max} bytes); {$folder->takeRefused()} events were lost since the last report";
            });
        } elseif ($kept === false) {
            $this->activity->say($called . '-broken', self::HOUR_S, "the $called cannot be written; events are being lost");
        }
    }

    private function tellRejected(Answer $answer): void
    {
        $this->activity->say(
            'rejected-' . $answer->code(),
            self::HOUR_S,
            'the bridge refuses events (' . $answer->summary() . '); they are set aside in rejected/ and not sent again'
        );
    }
}
