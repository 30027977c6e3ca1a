<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * Registers the hooks. A hook only writes: allow-list, envelope, one line in this process's journal. What is written is sent when
 * the page is done. This file, config.php and the compiled manifest are all that a page without our hooks loads.
 */
final class Stub
{
    public const VERSION = '1.2.0';
    /** First in line: a later hook of somebody else may redirect and end the request. */
    private const PRIORITY = 1;
    /** Last in line: what the company's rules return must not be overwritten by somebody else's hook. */
    private const PRIORITY_LAST = 100000;
    private const DAY_S = 86400;
    /** Other code's functions at the end of the page may register further ones. */
    private const END_ROUNDS = 5;
    private const CLASSES = ['Activity', 'AddonPage', 'Config', 'Decisions', 'Envelope', 'Flush', 'Journal', 'Manifest', 'Probe', 'Report', 'RuleHooks',
        'Ruling', 'Sender', 'Spool', 'Who'];
    /** Classes that lie in the file of a bigger one. */
    private const FILES = ['AllowList' => 'Envelope', 'DenyList' => 'Envelope', 'Rows' => 'Envelope', 'Text' => 'Envelope',
        'ConfigError' => 'Config', 'Answer' => 'Sender', 'Circuit' => 'Sender', 'Signer' => 'Sender',
        'Preferences' => 'AddonPage', 'UpgradeHooks' => 'RuleHooks', 'CancellationHooks' => 'RuleHooks', 'IdentityHooks' => 'RuleHooks'];

    /** The folder whose stub is at work: plain hooks and the addon may be installed side by side. */
    private static $acting;

    private $folder;
    /** What Manifest::compile() makes: `config` (without secrets), `hooks`, `decisions`, `etag`. */
    private $compiled;
    private $parts = [];
    private $end_rounds = 0;

    /** Registers the hooks. $folder is where the stub's files lie. */
    public static function start(string $folder): void
    {
        if (self::$acting === null) {
            self::$acting = $folder;
            spl_autoload_register([self::class, 'autoload']);
        } elseif (self::$acting !== $folder) {
            return;
        }
        if (!function_exists('set_error_handler') || !function_exists('restore_error_handler')) {
            self::sayOff('PHP has set_error_handler or restore_error_handler disabled (disable_functions)');
            return;
        }
        $error = self::quietly(static function () use ($folder) {
            (new self($folder))->register();
        });
        if ($error !== null) {
            self::sayOff(self::sentence($error));
        }
    }

    /** A stub that listens to nothing, for what is done by hand. @throws ConfigError */
    public static function at(string $folder): self
    {
        return new self($folder);
    }

    public static function autoload(string $class): void
    {
        if (preg_match('/^Hookbridge\\\\([A-Za-z]+)$/D', $class, $found) === 1) {
            $name = isset(self::FILES[$found[1]]) ? self::FILES[$found[1]] : $found[1];
            // A file that cannot be read is only a warning to `include`; to `require` it is the end of the page (PHP 7).
            include_once __DIR__ . '/' . $name . '.php';
        }
    }

    /**
     * Runs our work so that the page never sees it: no exception, no warning, no notice.
     *
     * @return \Throwable|null what went wrong, for the caller to report
     */
    public static function quietly(callable $work): ?\Throwable
    {
        // A handler instead of `@`: the platform's own handler would still be called for a silenced warning.
        set_error_handler(static function () {
            return true;
        });
        try {
            $work();
            return null;
        } catch (\Throwable $e) {
            return $e;
        } finally {
            restore_error_handler();
        }
    }

    public static function configFile(string $folder): string
    {
        $chosen = function_exists('getenv') ? getenv('HOOKBRIDGE_STUB_CONFIG') : false;
        return is_string($chosen) && $chosen !== '' ? $chosen : $folder . '/config.php';
    }

    /** What a compiled manifest is made for: this version and these settings. */
    public static function mark(array $given): string
    {
        return hash('sha256', self::VERSION . var_export($given, true));
    }

    private function __construct(string $folder)
    {
        $this->folder = $folder;
        $file = self::configFile($folder);
        $compiled = null;
        ob_start(); // a byte-order mark or a blank line before <?php would be printed into the page
        try {
            $given = is_readable($file) ? include $file : null;
            $compiled = is_array($given) ? self::compiled($given) : null;
        } catch (\Throwable $e) {
            $compiled = null; // said below, in full
        } finally {
            ob_end_clean();
        }
        $this->compiled = $compiled !== null ? $compiled : Manifest::compile($folder, $file);
    }

    /** The compiled manifest, if it is there, ours, and made for these settings: it is PHP, so nobody else may have written it. */
    private static function compiled(array $given): ?array
    {
        $path = isset($given['spool_dir']) && is_string($given['spool_dir']) ? $given['spool_dir'] . '/manifest.php' : '';
        if ($path === '' || $path[0] !== '/' || is_link($path) || !is_file($path) || (fileperms($path) & 022) !== 0
            || !self::isOurs((int) fileowner($path))) {
            return null;
        }
        $compiled = include $path;
        return is_array($compiled) && isset($compiled['for']) && $compiled['for'] === self::mark($given) ? $compiled : null;
    }

    /** Whether a file belongs to this process's user. Without the posix functions: to who owns the platform's files. */
    public static function isOurs(int $owner): bool
    {
        return $owner === (function_exists('posix_geteuid') ? posix_geteuid() : getmyuid());
    }

    private function register(): void
    {
        foreach ($this->compiled['hooks'] as $hook => $rule) {
            \add_hook($hook, self::PRIORITY, function ($vars = null) use ($hook, $rule) {
                $this->guard($hook, function () use ($hook, $vars, $rule) {
                    $now = microtime(true);
                    $body = $this->envelope()->body($hook, $vars, $rule, $now);
                    if ($body !== null) {
                        $this->journal()->keep(Envelope::id('evt_', $now), $body, $now);
                    }
                });
            });
        }
        foreach ($this->compiled['decisions'] as $hook => $declared) {
            \add_hook($hook, self::PRIORITY_LAST, function ($vars = null) use ($hook, $declared) {
                $returned = null;
                $this->guard($hook, function () use ($hook, $vars, $declared, &$returned) {
                    $returned = $this->part(Decisions::class)->decide($hook, $vars, $declared);
                });
                return $returned;
            });
        }
        foreach ($this->compiled['probe_until'] > time() ? Probe::HOOKS : [] as $hook) {
            \add_hook($hook, self::PRIORITY, function ($vars = null) use ($hook) {
                $this->guard($hook, function () use ($hook, $vars) {
                    $this->part(Probe::class)->note($hook, $vars);
                });
            });
        }
        // WHMCS docs: AfterCronJob runs after each invocation of the system cron; AdminLogin: who installs this logs in.
        foreach (['AfterCronJob', 'AdminLogin'] as $hook) {
            \add_hook($hook, self::PRIORITY, function ($vars = null) use ($hook) {
                $this->guard($hook, function () use ($hook) {
                    $hook === 'AdminLogin' ? $this->part(Report::class)->check() : $this->part(Report::class)->atCron();
                });
            });
        }
    }

    /** Whatever happens inside stays inside, and is said without values: a message of an exception may quote them. */
    private function guard(string $hook, callable $work): void
    {
        $guarded = function () use ($hook, $work) {
            $error = self::quietly($work);
            if ($error !== null) {
                $where = basename($error->getFile()) . ':' . $error->getLine();
                $this->activity()->say("error-$where", self::DAY_S, "$hook: " . get_class($error) . " at $where");
            }
        };
        if ($hook !== 'LogActivity') {
            self::quietly($guarded);
        } elseif (!Activity::isSpeaking()) { // our own line in the log is no event
            self::quietly(function () use ($guarded) {
                $this->activity()->mutedWhile($guarded);
            });
        }
    }

    /** @param string $key @return mixed a setting of config.php; not a secret one */
    public function setting(string $key)
    {
        return $this->compiled['config'][$key];
    }

    /** The object of this class for this page, made when it is first needed. @return mixed */
    public function part(string $class)
    {
        if (!isset($this->parts[$class])) {
            $this->parts[$class] = new $class($this);
        }
        return $this->parts[$class];
    }

    /** Whether this page has needed that class yet. */
    public function has(string $class): bool
    {
        return isset($this->parts[$class]);
    }

    public function envelope(): Envelope
    {
        return $this->part(Envelope::class);
    }

    public function journal(): Journal
    {
        return $this->part(Journal::class);
    }

    public function activity(): Activity
    {
        return $this->part(Activity::class);
    }

    /** The circuit of `events` or of `decisions`: a slow rule holds no event back. */
    public function circuit(string $what): Circuit
    {
        if (!isset($this->parts[$what])) {
            $this->parts[$what] = new Circuit($this->setting('spool_dir') . '/rest-' . $what, $this->setting('circuit_open_s'));
        }
        return $this->parts[$what];
    }

    /** With the secrets in it, so it is read again where something is signed. */
    public function config(): Config
    {
        if (!isset($this->parts[Config::class])) {
            $this->parts[Config::class] = Config::load(self::configFile($this->folder), $this->folder);
        }
        return $this->parts[Config::class];
    }

    /** Makes what the next pages load, of a newer manifest. */
    public function compile(): void
    {
        Manifest::compile($this->folder, self::configFile($this->folder));
    }

    /** @return string[] the hooks that are registered, those that ask a rule included */
    public function hooks(): array
    {
        return array_merge(array_keys($this->compiled['hooks']), array_keys($this->compiled['decisions']));
    }

    /** Until when the probe of the first day is on, Unix seconds. */
    public function probeUntil(): int
    {
        return $this->compiled['probe_until'];
    }

    public function etag(): string
    {
        return $this->compiled['etag'];
    }

    /** To be called once there is something to send. */
    public function sendAtEnd(): void
    {
        register_shutdown_function([$this, 'end']);
    }

    /** The end of the page, behind what other code wants to do there: what is registered at the end comes last. */
    public function end(): void
    {
        if (++$this->end_rounds < self::END_ROUNDS) {
            register_shutdown_function([$this, 'end']);
            return;
        }
        $this->end_rounds = 0;
        $this->guard('the end of the page', function () {
            $is_done = false;
            foreach (['fastcgi_finish_request', 'litespeed_finish_request'] as $finish) {
                $is_done = $is_done || (function_exists($finish) && $finish() !== false);
            }
            if ($is_done && session_status() === PHP_SESSION_ACTIVE) {
                session_write_close(); // the visitor's next page would wait for us
            }
            $this->part(Flush::class)->afterPage($is_done);
            $this->forgetOldManifest();
        });
    }

    /** Where opcache never looks at files again (validate_timestamps=0), it must be invalidated for a newer manifest. */
    private function forgetOldManifest(): void
    {
        $path = $this->setting('spool_dir') . '/manifest.php';
        if (function_exists('opcache_invalidate') && is_file($path) && filemtime($path) !== $this->compiled['made']) {
            opcache_invalidate($path, true);
        }
    }

    /** @return string[] files of the stub that PHP cannot read: an upload that broke off, or another owner */
    public static function missing(): array
    {
        return array_values(array_filter(self::CLASSES, static function (string $name): bool {
            return !is_readable(__DIR__ . '/' . $name . '.php');
        }));
    }

    /** Why the stub cannot work, for people. */
    public static function sentence(\Throwable $error): string
    {
        $missing = self::missing();
        if ($missing !== []) {
            return implode('.php, ', $missing) . '.php in ' . basename(__DIR__) . '/ cannot be read by PHP: copy the folder again, and `chown` it';
        }
        return $error instanceof ConfigError ? $error->getMessage()
            : 'cannot start: ' . get_class($error) . ' at ' . basename($error->getFile()) . ':' . $error->getLine();
    }

    /** When an administrator logs in, as who installs this does, and once a day. */
    private static function sayOff(string $why): void
    {
        foreach (['AdminLogin', 'DailyCronJob'] as $hook) {
            \add_hook($hook, self::PRIORITY, static function ($vars = null) use ($why) {
                if (function_exists('logActivity')) {
                    \logActivity('hookbridge is off: ' . $why);
                }
            });
        }
    }
}
