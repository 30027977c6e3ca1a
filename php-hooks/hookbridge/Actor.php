<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * Who caused the event, as far as this PHP process can tell. No hook parameter says it (WHMCS docs: ClientEdit fires
 * from the client area, the admin area and the API alike), so the entry point and the session are asked.
 */
final class Actor
{
    private const USER_CLASS = 'WHMCS\Authentication\CurrentUser';

    private $admin_folder;

    public function __construct(string $admin_folder)
    {
        $this->admin_folder = $admin_folder;
    }

    /** The `actor` of the envelope; members that are not known are absent. */
    public function describe(): array
    {
        $script = self::script();
        $actor = ['kind' => 'unknown', 'entrypoint' => self::entrypoint($script)];
        if (php_sapi_name() === 'cli') {
            return ['kind' => 'cron'] + array_filter($actor);
        }
        $current = self::currentUser();
        $masquerading = self::ask($current, 'isMasqueradingAdmin');
        if (is_bool($masquerading)) {
            $actor['masquerading'] = $masquerading;
        }
        $actor['kind'] = $this->kind($script, $masquerading === true);
        if ($actor['kind'] === 'admin') {
            $actor['admin_id'] = self::id(self::ask($current, 'admin')) ?: self::sessionId('adminid');
        }
        if ($actor['kind'] !== 'api') {
            $actor['user_id'] = self::id(self::ask($current, 'user'));
            $actor['client_id'] = self::id(self::ask($current, 'client')) ?: self::sessionId('uid');
        }
        return array_filter($actor, static function ($value) {
            return $value !== null && $value !== '';
        });
    }

    private function kind(string $script, bool $masquerading): string
    {
        if (substr('/' . $script, -17) === '/includes/api.php') {
            return 'api';
        }
        $in_admin_folder = strpos('/' . $script, '/' . trim($this->admin_folder, '/') . '/') !== false;
        $client_area = defined('CLIENTAREA');
        // An administrator's session may live on in the browser that shows the client area, and the whole platform may
        // be installed in a folder called like the admin folder: both count only outside of the client area.
        if ($masquerading || defined('ADMINAREA')
            || (!$client_area && ($in_admin_folder || self::sessionId('adminid') !== null))) {
            return 'admin';
        }
        return $client_area ? 'client' : 'unknown';
    }

    /** SCRIPT_NAME before PHP_SELF: a visitor can append any path to the latter and so claim to be in the admin folder. */
    private static function script(): string
    {
        foreach (['SCRIPT_NAME', 'PHP_SELF'] as $name) {
            if (isset($_SERVER[$name]) && is_string($_SERVER[$name]) && $_SERVER[$name] !== '') {
                return $_SERVER[$name];
            }
        }
        return '';
    }

    private static function entrypoint(string $script): string
    {
        return substr((string) preg_replace('/[^A-Za-z0-9_.-]/', '', basename($script)), 0, 64);
    }

    /** @return object|null WHMCS 8.0 and later (WHMCS docs: "Authentication", CurrentUser) */
    private static function currentUser()
    {
        try {
            $class = self::USER_CLASS;
            return class_exists($class) ? new $class() : null;
        } catch (\Throwable $e) {
            return null;
        }
    }

    /**
     * @param object|null $current
     * @return mixed
     */
    private static function ask($current, string $method)
    {
        try {
            return is_callable([$current, $method]) ? $current->$method() : null;
        } catch (\Throwable $e) {
            return null;
        }
    }

    /** @param mixed $model */
    private static function id($model): ?int
    {
        try {
            return is_object($model) && is_numeric($model->id) && $model->id > 0 ? (int) $model->id : null;
        } catch (\Throwable $e) {
            return null;
        }
    }

    private static function sessionId(string $name): ?int
    {
        $value = isset($_SESSION[$name]) ? $_SESSION[$name] : null;
        return is_numeric($value) && $value > 0 ? (int) $value : null;
    }
}
