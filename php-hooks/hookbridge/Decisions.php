<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * The way of one decision: hook -> question -> the bridge, inside the rule's deadline and the page's budget -> the shape that the platform
 * honours. A hook's class has `question()`: the fields, or null for nothing to ask; and `answer()`: what the hook returns.
 */
final class Decisions
{
    public const MISSED = 'HookbridgeDecisionMissed';
    private const SHAPES = ['PreModuleTerminate' => CancellationHooks::class, 'ClientAreaPageCancellation' => CancellationHooks::class,
        'ClientDetailsValidation' => IdentityHooks::class, 'ContactDetailsValidation' => IdentityHooks::class];
    /** Ids say what it was about. Nothing that a person typed goes into the journal. */
    private const KEPT = ['service_id' => 1, 'client_id' => 1, 'contact_id' => 1, 'to_product_id' => 1, 'upgrade_id' => 1];
    private const MINUTE_S = 60;
    private const HOUR_S = 3600;
    private const DAY_S = 86400;

    private $stub;
    /** Answers of this request: the platform fires some of these hooks several times per page. */
    private $known = [];
    private $missed = [];

    public function __construct(Stub $stub)
    {
        $this->stub = $stub;
    }

    /**
     * @param mixed $vars
     * @param array $declared of the manifest: `rule`, `deadline_ms`, `on_failure`
     * @return array|null what the hook returns
     */
    public function decide(string $hook, $vars, array $declared): ?array
    {
        $end = microtime(true) + $declared['deadline_ms'] / 1000;
        $vars = is_array($vars) ? $vars : [];
        $shape = $this->stub->part(isset(self::SHAPES[$hook]) ? self::SHAPES[$hook] : UpgradeHooks::class);
        $fields = [];
        $cause = 'error';
        $returned = null;
        Stub::quietly(function () use ($shape, $hook, $vars, $declared, $end, &$fields, &$cause, &$returned) {
            $fields = $shape->question($hook, $vars);
            if ($fields === null) {
                $cause = '';
                return;
            }
            $key = $declared['rule'] . "\n" . serialize($fields);
            $this->known[$key] = isset($this->known[$key]) ? $this->known[$key] : $this->ask($declared['rule'], $hook, $fields, $end);
            list($ruling, $cause) = $this->known[$key];
            if ($ruling !== null) {
                $cause = 'nonsense'; // until the shape made sense of it
                $returned = $shape->answer($hook, $vars, $ruling);
                $cause = '';
                $this->sayStopped($hook, $fields, $ruling);
            }
        });
        if ($cause === '') {
            return $returned;
        }
        $this->miss($hook, $declared, (array) $fields, $cause);
        return $declared['on_failure'] !== 'closed' ? null
            : $shape->answer($hook, $vars, Ruling::refusal($declared['rule'], $this->stub->part(Who::class)->language($vars)));
    }

    /** @return array [Ruling or null, why there is none] */
    private function ask(string $rule, string $hook, array $fields, float $end): array
    {
        $sender = $this->stub->part(Sender::class);
        $circuit = $this->stub->circuit('decisions');
        if ($circuit->restS() > 0 || $this->stub->circuit('events')->restS() > 0 || !$sender->isReachable()) {
            return [null, 'resting'];
        }
        $now = microtime(true);
        $body = $this->stub->envelope()->question($hook, $fields, $now);
        $left_ms = min($sender->leftMs(), (int) floor(($end - microtime(true)) * 1000));
        if ($left_ms < 1) {
            return [null, 'deadline'];
        }
        $answer = $sender->decision($rule, Envelope::id('dec_', $now), $body, $left_ms);
        $cause = $answer->failure();
        $ruling = $cause === '' ? Ruling::parse($answer->body()) : null;
        if ($cause !== '' && $cause !== 'refused') {
            $circuit->open($answer->retryAfterS());
        }
        return [$ruling, $ruling === null && $cause === '' ? 'nonsense' : $cause];
    }

    /** What was let through or refused without the bridge: administrators read it at once, the bridge hears it with the events. */
    private function miss(string $hook, array $declared, array $fields, string $cause): void
    {
        $did = $declared['on_failure'] === 'closed' ? 'refused' : 'left to the platform';
        $activity = $this->stub->activity();
        $activity->say("missed-$hook-$cause", self::HOUR_S, "$hook was $did without a decision ($cause)");
        $about = array_intersect_key($fields, self::KEPT);
        $once = $hook . serialize($about);
        // A stranger at the registration form can fire as often as wanted: that must not crowd events out of the spool.
        if (isset($this->missed[$once])
            || ($about === [] && $activity->allows("missed-event-$hook", self::MINUTE_S) === false)) {
            return;
        }
        $this->missed[$once] = true;
        $now = microtime(true);
        $fields = ['rule' => $declared['rule'], 'hook' => $hook, 'cause' => $cause,
            'on_failure' => $declared['on_failure'], 'deadline_ms' => $declared['deadline_ms']] + $about;
        $this->stub->journal()->keep(Envelope::id('evt_', $now), $this->stub->envelope()->question(self::MISSED, $fields, $now), $now);
    }

    /** The platform says only that the module failed; why, an administrator finds in the activity log. */
    private function sayStopped(string $hook, array $fields, Ruling $ruling): void
    {
        if ($hook === 'PreModuleTerminate' && $ruling->refuses()) {
            $service = $fields['service_id'];
            $this->stub->activity()->say("stopped-$service", self::DAY_S, "the termination of service $service was stopped: "
                . $ruling->codes() . '. `hookbridge decisions` shows why and how to override it');
        }
    }
}
