<?php

declare(strict_types=1);

namespace Hookbridge;

/** The body of one event, as the contract with the bridge (v1) has it. */
final class Envelope
{
    public const STUB_VERSION = '1.1.0';
    public const BODY_BYTES_MAX = 65536;
    public const STRING_BYTES_MAX = 2000;
    /** Escapes can make a string six times as long: what is too large is built again with shorter strings. */
    private const STRING_BYTES_STEPS = [self::STRING_BYTES_MAX, 400, 80];
    private const JSON = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION
        | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR;

    private $allow;
    private $lookups;
    private $actor;
    private $platform;
    private $request;

    public function __construct(AllowList $allow, Lookups $lookups, Actor $actor, Platform $platform)
    {
        $this->allow = $allow;
        $this->lookups = $lookups;
        $this->actor = $actor;
        $this->platform = $platform;
        $this->request = bin2hex(random_bytes(16));
    }

    /**
     * @param mixed $vars
     * @param array $rule of the manifest
     * @return string|null the JSON, or null when the rule's `only` leaves this one out
     */
    public function body(string $hook, $vars, array $rule, float $now): ?string
    {
        if (!$this->isWanted($vars, $rule['only'])) {
            return null;
        }
        $event = $this->head($hook, $now);
        $changed = $rule['diff'] === [] ? null : $this->allow->changed($vars, $rule['diff']);
        if ($changed !== null) {
            $event['changed'] = $changed;
        }
        foreach (self::STRING_BYTES_STEPS as $string_bytes_max) {
            $fields = $this->allow->pick($vars, $rule['fields'], $string_bytes_max);
            if ($string_bytes_max === self::STRING_BYTES_MAX && $rule['lookups'] !== []) {
                $event += array_filter(['gone' => $this->lookups->run($rule['lookups'], $fields)]);
            }
            $event['fields'] = (object) $fields;
            $json = (string) json_encode($event, self::JSON);
            if ($json !== '' && strlen($json) <= self::BODY_BYTES_MAX) {
                return $json;
            }
        }
        $event['fields'] = new \stdClass(); // the bridge reports a shape that it does not know; a lost event nobody sees
        return (string) json_encode($event, self::JSON);
    }

    /** The body of a question to a rule, or of what the stub itself has to say: flat fields of our own naming. */
    public function question(string $hook, array $fields, float $now): string
    {
        $picked = $this->allow->pick($fields, array_keys($fields), self::STRING_BYTES_STEPS[1]);
        return (string) json_encode(['fields' => (object) $picked] + $this->head($hook, $now), self::JSON);
    }

    private function head(string $hook, float $now): array
    {
        return [
            'v' => 1,
            'hook' => $hook,
            'occurred_at' => self::instant($now),
            'request' => $this->request,
            'actor' => $this->actor->describe(),
            'platform' => $this->platform->describe(),
            'stub' => self::STUB_VERSION,
            'fields' => new \stdClass(),
        ];
    }

    /**
     * @param mixed $vars
     * @param array $only path => accepted values
     */
    private function isWanted($vars, array $only): bool
    {
        foreach ($only as $path => $accepted) {
            $value = $this->allow->pick($vars, [$path], self::STRING_BYTES_MAX);
            foreach (explode('.', $path) as $segment) {
                $value = is_array($value) && array_key_exists($segment, $value) ? $value[$segment] : null;
            }
            if ($value === null || !in_array((string) $value, $accepted, true)) {
                return false;
            }
        }
        return true;
    }

    /** RFC 3339 in UTC with milliseconds. */
    private static function instant(float $now): string
    {
        $ms = (int) floor($now * 1000);
        return gmdate('Y-m-d\TH:i:s', intdiv($ms, 1000)) . sprintf('.%03dZ', $ms % 1000);
    }
}
