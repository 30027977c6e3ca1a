<?php

declare(strict_types=1);

namespace Hookbridge;

/** Tells what was let through or refused without the bridge: administrators at once, the bridge with the next flush. */
final class Misses
{
    public const HOOK = 'HookbridgeDecisionMissed';
    private const HOUR_S = 3600;
    private const MINUTE_S = 60;
    /** Ids say what it was about. Nothing that a person typed goes into the spool. */
    private const TOLD = ['service_id' => 1, 'client_id' => 1, 'contact_id' => 1, 'to_product_id' => 1, 'upgrade_id' => 1];

    private $spool;
    private $envelope;
    private $activity;
    private $throttle;
    private $told = [];

    public function __construct(Spool $spool, Envelope $envelope, Activity $activity, Throttle $throttle)
    {
        $this->spool = $spool;
        $this->envelope = $envelope;
        $this->activity = $activity;
        $this->throttle = $throttle;
    }

    public function tell(string $hook, array $declared, array $fields, string $cause): void
    {
        $did = $declared['on_failure'] === 'closed' ? 'refused' : 'left to the platform';
        $this->activity->say("missed-$hook-$cause", self::HOUR_S, "$hook was $did without a decision ($cause)");
        $about = array_intersect_key($fields, self::TOLD);
        $once = $hook . serialize($about);
        if (isset($this->told[$once])) {
            return;
        }
        $this->told[$once] = true;
        // A stranger at the registration form can fire as often as he likes: that must not crowd events out of the spool.
        if ($about === [] && !$this->throttle->allows("missed-event-$hook-$cause", self::MINUTE_S)) {
            return;
        }
        $now = microtime(true);
        $fields = ['rule' => $declared['rule'], 'hook' => $hook, 'cause' => $cause,
            'on_failure' => $declared['on_failure'], 'deadline_ms' => $declared['deadline_ms']] + $about;
        $this->spool->keep(EventId::make('evt_', $now), $this->envelope->question(self::HOOK, $fields, $now), $now);
    }
}
