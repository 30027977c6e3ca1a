<?php

declare(strict_types=1);

namespace Hookbridge;

/** Picks the listed paths out of what the platform passed, nested as it passed them. Everything else stays behind. */
final class AllowList
{
    /** All that is ever read of an object, which may fetch or compute whatever else it is asked for. */
    private const OF_OBJECTS = 'id';

    private $refused;

    /** @param callable $refused told each listed path that the deny-list stopped */
    public function __construct(callable $refused)
    {
        $this->refused = $refused;
    }

    /**
     * @param mixed $vars whatever the platform passed: some hooks get an object or nothing at all
     * @param string[] $paths
     */
    public function pick($vars, array $paths, int $string_bytes_max): array
    {
        $picked = [];
        foreach ($paths as $path) {
            if ($this->stops($path)) {
                continue;
            }
            $value = $vars;
            foreach (explode('.', $path) as $segment) {
                if (is_object($value) && $segment === self::OF_OBJECTS) {
                    $value = self::idOf($value);
                } elseif (is_array($value) && array_key_exists($segment, $value)) {
                    $value = $value[$segment];
                } else {
                    continue 2;
                }
            }
            if (self::fits($value)) {
                self::put($picked, $path, is_string($value) ? Text::clean($value, $string_bytes_max) : $value);
            }
        }
        return $picked;
    }

    /**
     * Names, never values, of the listed keys whose value differs from the one in `olddata`; null when there is no
     * `olddata`. A key that only one side has says nothing about a change (WHMCS docs: ClientEdit lists no `tax_id`).
     *
     * @param mixed $vars
     * @param string[] $keys
     * @return string[]|null
     */
    public function changed($vars, array $keys): ?array
    {
        if (!is_array($vars) || !isset($vars['olddata']) || !is_array($vars['olddata'])) {
            return null;
        }
        $names = [];
        foreach ($keys as $key) {
            if (array_key_exists($key, $vars) && array_key_exists($key, $vars['olddata'])
                && self::isPlain($vars[$key]) && self::isPlain($vars['olddata'][$key])
                && !self::isSame($vars[$key], $vars['olddata'][$key]) && !$this->stops($key)) {
                $names[] = $key;
            }
        }
        return $names;
    }

    /**
     * WHMCS docs: UserLogin and UserLogout pass a `user` that is an object. An id is a number; what is none says nothing, and fits
     * nowhere.
     *
     * @param object $object
     * @return int|object
     */
    private static function idOf($object)
    {
        try {
            $id = isset($object->id) ? $object->id : null;
        } catch (\Throwable $e) {
            $id = null;
        }
        return is_int($id) || (is_string($id) && preg_match('/^[1-9]\d{0,17}$/D', $id) === 1) ? (int) $id : $object;
    }

    private function stops(string $path): bool
    {
        if (!DenyList::refuses($path)) {
            return false;
        }
        call_user_func($this->refused, $path);
        return true;
    }

    /**
     * The platform passes `false` where the old row has 0 (WHMCS docs: ContactEdit); as text these would differ.
     *
     * @param mixed $new
     * @param mixed $old
     */
    private static function isSame($new, $old): bool
    {
        return is_bool($new) || is_bool($old) ? (bool) $new === (bool) $old : (string) $new === (string) $old;
    }

    /** @param mixed $value */
    private static function isPlain($value): bool
    {
        return $value === null || is_scalar($value);
    }

    /** @param mixed $value */
    private static function fits($value): bool
    {
        return self::isPlain($value) && !(is_float($value) && !is_finite($value)); // JSON has no NAN
    }

    /** @param mixed $value */
    private static function put(array &$picked, string $path, $value): void
    {
        $place = &$picked;
        foreach (explode('.', $path) as $segment) {
            $place = &$place[$segment];
        }
        $place = $value;
    }
}
