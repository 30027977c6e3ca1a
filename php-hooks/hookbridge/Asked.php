<?php

declare(strict_types=1);

namespace Hookbridge;

/** Asks the bridge, and remembers for this request: the platform fires some of these hooks several times per page. */
final class Asked
{
    private $sender;
    private $envelope;
    private $circuit;
    private $known = [];

    /** @param Circuit $circuit of decisions alone: a slow rule must not send events into the spool */
    public function __construct(Sender $sender, Envelope $envelope, Circuit $circuit)
    {
        $this->sender = $sender;
        $this->envelope = $envelope;
        $this->circuit = $circuit;
    }

    /**
     * @param float $end when the hook must be done
     * @return array [Ruling or null, why there is none]
     */
    public function about(string $rule, string $hook, array $fields, float $end): array
    {
        $key = $rule . "\n" . serialize($fields);
        if (!isset($this->known[$key])) {
            $this->known[$key] = $this->ask($rule, $hook, $fields, $end);
        }
        return $this->known[$key];
    }

    private function ask(string $rule, string $hook, array $fields, float $end): array
    {
        if ($this->circuit->isOpen() || $this->sender->isResting()) {
            return [null, 'resting'];
        }
        $now = microtime(true);
        $body = $this->envelope->question($hook, $fields, $now);
        $left_ms = (int) floor(($end - microtime(true)) * 1000);
        if ($left_ms < 1) {
            return [null, 'deadline'];
        }
        $answer = $this->sender->decision($rule, EventId::make('dec_', $now), $body, $left_ms);
        $cause = $answer->failure();
        $ruling = $cause === '' ? Ruling::parse($answer->body()) : null;
        if ($cause !== '' && $cause !== 'refused') {
            $this->circuit->open(0);
        }
        return [$ruling, $ruling === null && $cause === '' ? 'nonsense' : $cause];
    }
}
