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

    private const REFRESH_S = 300;
    private const HOUR_S = 3600;
    /** Hooks at which the stub knows what the platform honours. */
    private const DECIDING = ['OrderProductUpgradeOverride', 'PreUpgradeCheckout', 'ShoppingCartValidateUpgrade', 'ClientAreaPageUpgrade',
        'ClientAreaPageCancellation', 'PreModuleTerminate', 'ClientDetailsValidation', 'ContactDetailsValidation'];

    /**
     * What a page needs of config.php and manifest, checked once and kept as PHP, which opcache holds: the bridge's last good manifest,
     * else the one that came with the stub.
     *
     * @throws ConfigError
     */
    public static function compile(string $folder, string $file): array
    {
        $config = Config::load($file, $folder);
        if (Stub::missing() !== []) {
            throw new ConfigError(['files are missing']); // which, the report says
        }
        $dir = $config->text('spool_dir');
        $saved = is_file($dir . '/manifest.json') ? json_decode((string) file_get_contents($dir . '/manifest.json'), true) : null;
        $is_saved = is_array($saved) && isset($saved['etag'], $saved['manifest']) && is_string($saved['etag']);
        $manifest = $is_saved ? self::of($saved['manifest']) : null;
        $etag = $manifest !== null ? $saved['etag'] : '';
        $manifest = $manifest !== null ? $manifest : self::of(json_decode((string) file_get_contents($folder . '/manifest.json'), true));
        if ($manifest === null) {
            throw new ConfigError(['manifest.json beside the stub cannot be read: copy the folder again']);
        }
        $probe = is_file(Probe::file($dir)) ? (int) filemtime(Probe::file($dir)) : 0;
        $compiled = ['probe_until' => $probe, 'for' => Stub::mark(Config::read($file)), 'made' => time(), 'etag' => $etag, 'config' => $config->plain()]
            + $manifest;
        if (Spool::isUsable($dir, $file)) {
            // Whoever could ask for it over the web would see nothing.
            $php = "<?php\nif (!class_exists('Hookbridge\\Stub', false)) {\n    return null;\n}\nreturn " . var_export($compiled, true) . ";\n";
            Spool::write($dir . '/manifest.php', $php, $compiled['made']);
        }
        return $compiled;
    }

    /** Asks the bridge for a newer one; it is in force from the next PHP process on, because hooks are added at start. */
    public static function refresh(Stub $stub): void
    {
        $sender = $stub->part(Sender::class);
        if ($stub->circuit('events')->restS() > 0 || $stub->activity()->allows('manifest', self::REFRESH_S) === false) {
            return;
        }
        $answer = $sender->manifest($stub->etag());
        if ($answer->status() !== 200) {
            return;
        }
        $wire = json_decode($answer->body(), true);
        if (self::of($wire) === null) {
            $stub->activity()->say('manifest', self::HOUR_S, 'the bridge sent no usable manifest; the last good one stays');
            return;
        }
        $etag = preg_match('#^(W/)?"[!-~]{0,200}"$#D', $answer->header('etag')) === 1 ? $answer->header('etag') : '';
        // One file for both, so that a tag never stands beside another manifest.
        $saved = json_encode(['etag' => $etag, 'manifest' => $wire], JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
        if (is_string($saved) && Spool::write($stub->setting('spool_dir') . '/manifest.json', $saved)) {
            $stub->compile();
        }
    }

    /**
     * @param mixed $wire
     * @return array|null `hooks`, and `decisions` (hook => `rule`, `deadline_ms`, `on_failure`: where the bridge is asked before the
     *     platform acts); null when it is no manifest of a version that this stub knows
     */
    public static function of($wire): ?array
    {
        if (!is_array($wire) || !isset($wire['version'], $wire['hooks']) || $wire['version'] !== 1
            || !is_array($wire['hooks']) || count($wire['hooks']) > self::HOOKS_MAX) {
            return null;
        }
        $manifest = ['hooks' => [], 'decisions' => []];
        foreach ($wire['hooks'] as $hook => $rule) {
            if (is_array($rule) && preg_match('/^[A-Za-z][A-Za-z0-9]{0,63}$/D', (string) $hook) === 1) {
                $manifest['hooks'][$hook] = [
                    'fields' => self::paths($rule, 'fields'),
                    'diff' => self::paths($rule, 'diff'),
                    'lookups' => self::paths($rule, 'lookups'),
                    'only' => self::only($rule),
                ];
            }
        }
        foreach (isset($wire['decisions']) ? (array) $wire['decisions'] : [] as $hook => $declared) {
            if (in_array((string) $hook, self::DECIDING, true) && self::isDeclared($declared)) {
                $manifest['decisions'][$hook] = $declared;
            }
        }
        return $manifest;
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
            $only[(string) $path] = array_map([Text::class, 'of'], array_values(array_filter((array) $accepted, 'is_scalar')));
        }
        return $only;
    }
}
