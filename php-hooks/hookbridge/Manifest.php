<?php

declare(strict_types=1);

namespace Hookbridge;

/** Which hooks are listened to and what may leave with each. Unknown members are ignored, broken hooks are left out. */
final class Manifest
{
    private const HOOKS_MAX = 400;
    private const PATHS_MAX = 64;
    private const PATH = '/^[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,7}$/D';

    /** What a rule may take at most, whatever the bridge says: a page waits for it. */
    private const DEADLINE_MS_MAX = 5000;

    private $rules = [];
    private $decisions = [];

    /** @return self|null null when the JSON is no manifest of a version that this stub knows */
    public static function parse(string $json): ?self
    {
        return self::of(json_decode($json, true, 32));
    }

    /** @param mixed $wire */
    public static function of($wire): ?self
    {
        if (!is_array($wire) || !isset($wire['version'], $wire['hooks']) || $wire['version'] !== 1
            || !is_array($wire['hooks']) || count($wire['hooks']) > self::HOOKS_MAX) {
            return null;
        }
        $manifest = new self();
        foreach ($wire['hooks'] as $hook => $rule) {
            if (is_array($rule) && preg_match('/^[A-Za-z][A-Za-z0-9]{0,63}$/D', (string) $hook) === 1) {
                $manifest->rules[$hook] = [
                    'fields' => self::paths($rule, 'fields'),
                    'diff' => self::paths($rule, 'diff'),
                    'lookups' => self::paths($rule, 'lookups'),
                    'only' => self::only($rule),
                ];
            }
        }
        foreach (isset($wire['decisions']) ? (array) $wire['decisions'] : [] as $hook => $declared) {
            if (Decisions::knows((string) $hook) && self::isDeclared($declared)) {
                $manifest->decisions[$hook] = $declared;
            }
        }
        return $manifest;
    }

    /** Hook => `rule`, `deadline_ms`, `on_failure`: where the bridge is asked before the platform acts. */
    public function decisions(): array
    {
        return $this->decisions;
    }

    /** @param mixed $declared */
    private static function isDeclared($declared): bool
    {
        return is_array($declared) && isset($declared['rule'], $declared['deadline_ms'], $declared['on_failure'])
            && is_string($declared['rule']) && preg_match('/^[a-z_]{1,32}$/D', $declared['rule']) === 1
            && is_int($declared['deadline_ms']) && $declared['deadline_ms'] >= 1
            && $declared['deadline_ms'] <= self::DEADLINE_MS_MAX
            && in_array($declared['on_failure'], ['open', 'closed'], true);
    }

    /** @return string[] */
    public function hooks(): array
    {
        return array_keys($this->rules);
    }

    /** `fields`, `diff`, `lookups` (lists) and `only` (path => accepted values), all present. */
    public function rule(string $hook): array
    {
        return $this->rules[$hook];
    }

    /** @return string[] */
    private static function paths(array $rule, string $member): array
    {
        $paths = isset($rule[$member]) && is_array($rule[$member]) ? array_filter($rule[$member], 'is_string') : [];
        return array_slice(array_values(preg_grep(self::PATH, $paths)), 0, self::PATHS_MAX);
    }

    /** A condition that cannot be read is kept as one that nothing meets: better no event than one too many. */
    private static function only(array $rule): array
    {
        $only = [];
        foreach (isset($rule['only']) ? (array) $rule['only'] : [] as $path => $accepted) {
            $only[(string) $path] = array_map('strval', array_filter((array) $accepted, 'is_scalar'));
        }
        return $only;
    }
}
