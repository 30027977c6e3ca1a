<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * Registers the hooks, and the road of one event: closure -> envelope -> sender, and into the spool when the bridge does
 * not take it. The road of one decision is in Decisions.
 */
final class Stub
{
    /** First in line: a later hook of somebody else may redirect and end the request. */
    private const PRIORITY = 1;
    /** Last in line: what the company's rules return must not be overwritten by somebody else's hook. */
    private const PRIORITY_LAST = 100000;
    private const DAY_S = 86400;
    private const EVER_S = PHP_INT_MAX;

    private $manifest;
    private $store;
    private $envelope;
    private $sender;
    private $spool;
    private $flush;
    private $activity;
    private $decisions;

    /** Registers the hooks. $folder is where the stub's files lie. */
    public static function start(string $folder): void
    {
        $chosen = getenv('HOOKBRIDGE_STUB_CONFIG');
        try {
            $config = Config::load(is_string($chosen) && $chosen !== '' ? $chosen : $folder . '/config.php');
            $stub = new self($config, $folder);
        } catch (ConfigError $e) {
            self::reportConfig($e);
            return;
        }
        foreach ($stub->manifest->hooks() as $hook) {
            \add_hook($hook, self::PRIORITY, static function ($vars = null) use ($stub, $hook) {
                $stub->guard($hook, static function () use ($stub, $hook, $vars) {
                    $stub->observe($hook, $vars);
                });
            });
        }
        foreach ($stub->manifest->decisions() as $hook => $declared) {
            \add_hook($hook, self::PRIORITY_LAST, static function ($vars = null) use ($stub, $hook, $declared) {
                $returned = null;
                $stub->guard($hook, static function () use ($stub, $hook, $vars, $declared, &$returned) {
                    $returned = $stub->decisions->decide($hook, $vars, $declared);
                });
                return $returned;
            });
        }
        // WHMCS docs: AfterCronJob runs after each invocation of the system cron.
        \add_hook('AfterCronJob', self::PRIORITY, static function ($vars = null) use ($stub) {
            $stub->guard('AfterCronJob', static function () use ($stub) {
                $stub->flush->run();
                $stub->store->refresh($stub->sender);
            });
        });
    }

    private function __construct(Config $config, string $folder)
    {
        $spool_dir = $config->text('spool_dir');
        $throttle = new Throttle($spool_dir . '/notices');
        $this->activity = new Activity($throttle);
        $this->store = new ManifestStore($folder . '/manifest.json', $spool_dir, $throttle, $this->activity);
        $this->manifest = $this->store->load();
        $this->sender = new Sender($config, new Signer($config->key()), new Circuit($config->number('circuit_open_s')));
        $this->spool = new Spool($spool_dir, $config->number('spool_bytes_max'), $this->activity);
        $this->flush = new Flush($config, $this->spool, $this->sender, $this->activity);
        $allow = new AllowList(function (string $path) {
            $this->activity->say('denied-' . $path, self::EVER_S, "the manifest asks for `$path`, which never leaves PHP");
        });
        $actor = new Actor($config->text('admin_folder'));
        $lookups = new Lookups();
        $this->envelope = new Envelope($allow, $lookups, $actor, new Platform());
        $asked = new Asked($this->sender, $this->envelope, new Circuit($config->number('circuit_open_s')));
        $misses = new Misses($this->spool, $this->envelope, $this->activity, $throttle);
        $this->decisions = new Decisions($asked, $misses, new Visitor($actor), $this->activity, $lookups);
    }

    /** @param mixed $vars */
    private function observe(string $hook, $vars): void
    {
        $now = microtime(true);
        $body = $this->envelope->body($hook, $vars, $this->manifest->rule($hook), $now);
        if ($body === null) {
            return;
        }
        $id = EventId::make('evt_', $now);
        $answer = Answer::notTried();
        try {
            $answer = $this->sender->event($id, $body);
        } finally {
            if ($answer->verdict() === Answer::LATER) {
                $this->spool->keep($id, $body, $now);
            } elseif ($answer->verdict() === Answer::REJECTED) {
                $this->spool->setAside($id, $body, $now, $answer);
            }
        }
    }

    /** Whatever happens inside stays inside, and is said without values: a message of an exception may quote them. */
    private function guard(string $hook, callable $work): void
    {
        if ($hook !== 'LogActivity') {
            $this->guarded($hook, $work);
        } elseif (!Activity::isSpeaking()) { // our own line in the log is no event
            $this->activity->mutedWhile(function () use ($hook, $work) {
                $this->guarded($hook, $work);
            });
        }
    }

    private function guarded(string $hook, callable $work): void
    {
        Quiet::run(function () use ($hook, $work) {
            $error = Quiet::run($work);
            if ($error !== null) {
                $where = basename($error->getFile()) . ':' . $error->getLine();
                $this->activity->say("error-$where", self::DAY_S, "$hook: " . get_class($error) . " at $where");
            }
        });
    }

    /** Rare hooks, so that the log is not filled; AdminLogin, because who installs this logs in (WHMCS docs: AdminLogin). */
    private static function reportConfig(ConfigError $error): void
    {
        foreach (['AdminLogin', 'DailyCronJob'] as $hook) {
            \add_hook($hook, self::PRIORITY, static function ($vars = null) use ($error) {
                Quiet::run(static function () use ($error) {
                    if (function_exists('logActivity')) {
                        \logActivity('hookbridge is off: ' . $error->getMessage());
                    }
                });
            });
        }
    }
}
