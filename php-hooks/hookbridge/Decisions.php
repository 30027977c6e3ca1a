<?php

declare(strict_types=1);

namespace Hookbridge;

/** The road of one decision: hook -> question -> the bridge, inside the rule's deadline -> the shape the platform honours. */
final class Decisions
{
    private const SHAPES = [
        'OrderProductUpgradeOverride' => UpgradeHooks::class,
        'PreUpgradeCheckout' => UpgradeHooks::class,
        'ShoppingCartValidateUpgrade' => UpgradeHooks::class,
        'ClientAreaPageUpgrade' => UpgradeHooks::class,
        'ClientAreaPageCancellation' => CancellationHooks::class,
        'PreModuleTerminate' => CancellationHooks::class,
        'ClientDetailsValidation' => IdentityHooks::class,
        'ContactDetailsValidation' => IdentityHooks::class,
    ];
    private const DAY_S = 86400;

    private $asked;
    private $misses;
    private $visitor;
    private $activity;
    private $shapes;

    public function __construct(Asked $asked, Misses $misses, Visitor $visitor, Activity $activity, Lookups $lookups)
    {
        $this->asked = $asked;
        $this->misses = $misses;
        $this->visitor = $visitor;
        $this->activity = $activity;
        $this->shapes = [
            UpgradeHooks::class => new UpgradeHooks($visitor, $lookups),
            CancellationHooks::class => new CancellationHooks($visitor),
            IdentityHooks::class => new IdentityHooks($visitor),
        ];
    }

    /** Whether the stub knows what the platform honours at this hook. */
    public static function knows(string $hook): bool
    {
        return isset(self::SHAPES[$hook]);
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
        $shape = $this->shapes[self::SHAPES[$hook]];
        $fields = [];
        $cause = 'error';
        $returned = null;
        Quiet::run(function () use ($shape, $hook, $vars, $declared, $end, &$fields, &$cause, &$returned) {
            $fields = $shape->question($hook, $vars);
            if ($fields === null) {
                $cause = '';
                return;
            }
            list($ruling, $cause) = $this->asked->about($declared['rule'], $hook, $fields, $end);
            if ($ruling !== null) {
                $cause = 'nonsense'; // until the shape made sense of it
                $returned = $shape->answer($hook, $vars, $ruling);
                $cause = '';
                $this->tellStopped($hook, $fields, $ruling);
            }
        });
        return $cause === '' ? $returned : $this->undecided($shape, $hook, $vars, $declared, (array) $fields, $cause);
    }

    /** Nobody answered: what the rule declares for that. */
    private function undecided(HookShape $shape, string $hook, array $vars, array $declared, array $fields, string $cause): ?array
    {
        $returned = null;
        if ($declared['on_failure'] === 'closed') {
            $sentence = Sentences::undecided($declared['rule'], $this->visitor->language($vars));
            $returned = $shape->answer($hook, $vars, Ruling::refusal($sentence));
        }
        $this->misses->tell($hook, $declared, $fields, $cause);
        return $returned;
    }

    /** The platform says only that the module failed; why, an administrator finds in the activity log. */
    private function tellStopped(string $hook, array $fields, Ruling $ruling): void
    {
        if ($hook === 'PreModuleTerminate' && $ruling->refuses()) {
            $service = $fields['service_id'];
            $this->activity->say("stopped-$service", self::DAY_S, "the termination of service $service was stopped: "
                . $ruling->codes() . '. `hookbridge decisions` shows why and how to override it');
        }
    }
}
