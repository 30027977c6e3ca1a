<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * Who caused the event and for whom this page is, as far as this PHP process can tell. No hook parameter says it (WHMCS docs:
 * ClientEdit fires from the client area, the admin area and the API alike), so the entry point and the session are asked.
 */
final class Who
{
    private const USER_CLASS = 'WHMCS\Authentication\CurrentUser';

    private $admin_folder;
    private $platform;

    public function __construct(Stub $stub)
    {
        $this->admin_folder = (string) $stub->setting('admin_folder');
    }

    /** PHP without a visitor: by the command line, or a php-cgi that no web server started. */
    public static function isCron(): bool
    {
        return php_sapi_name() === 'cli' || !isset($_SERVER['REQUEST_METHOD']);
    }

    /** The `actor` of the envelope; members that are not known are absent. */
    public function actor(): array
    {
        $script = self::script();
        $actor = ['kind' => 'unknown', 'entrypoint' => self::entrypoint($script)];
        if (self::isCron()) {
            return ['kind' => 'cron'] + array_filter($actor);
        }
        $current = self::currentUser();
        $masquerading = self::ask($current, 'isMasqueradingAdmin');
        if (is_bool($masquerading)) {
            $actor['masquerading'] = $masquerading;
        }
        $actor['kind'] = $this->kind($script, $masquerading === true);
        if ($actor['kind'] === 'admin') {
            $actor['admin_id'] = self::idOf(self::ask($current, 'admin')) ?: self::sessionId('adminid');
        }
        if ($actor['kind'] !== 'api') {
            $actor['user_id'] = self::idOf(self::ask($current, 'user'));
            $actor['client_id'] = self::idOf(self::ask($current, 'client')) ?: self::sessionId('uid');
        }
        return array_filter($actor, static function ($value) {
            return $value !== null && $value !== '';
        });
    }

    /** The `platform` of the envelope: the setting `Version`, for example `8.13.1-release.1`; `unknown` when nobody tells. */
    public function platform(): array
    {
        if ($this->platform === null) {
            $version = isset($GLOBALS['CONFIG']['Version']) ? $GLOBALS['CONFIG']['Version'] : null;
            try {
                $class = 'WHMCS\Config\Setting';
                $version = !is_string($version) && class_exists($class) ? $class::getValue('Version') : $version;
            } catch (\Throwable $e) {
                $version = null;
            }
            $version = is_string($version) && $version !== '' ? Text::clean($version, 64) : 'unknown';
            $this->platform = ['name' => 'whmcs', 'version' => $version, 'php' => PHP_VERSION];
        }
        return $this->platform;
    }

    /** The client who is logged in, 0 for none. In the client area only this one counts, whatever a form claims. */
    public function clientId(): int
    {
        $actor = $this->actor();
        return !$this->isStaff() && isset($actor['client_id']) ? $actor['client_id'] : 0;
    }

    /** An administrator on a page of the administration, or a program at the API: they may name any client. */
    public function isStaff(): bool
    {
        $actor = $this->actor();
        return in_array($actor['kind'], ['admin', 'api', 'cron'], true) && empty($actor['masquerading']);
    }

    /**
     * The visitor's language: `es_AR`, `en` or `pt_BR`, out of the platform's names of languages (`spanish`, `portuguese-br`).
     *
     * @param array $vars of a page, which name its language
     */
    public function language(array $vars): string
    {
        $names = [
            isset($vars['language']) ? $vars['language'] : '',
            isset($_SESSION['Language']) ? $_SESSION['Language'] : '',
            self::languageOfClient(),
            isset($GLOBALS['CONFIG']['Language']) ? $GLOBALS['CONFIG']['Language'] : '',
        ];
        foreach (array_filter($names, 'is_string') as $name) {
            foreach (['spanish' => 'es_AR', 'english' => 'en', 'portuguese' => 'pt_BR'] as $begin => $language) {
                if (strpos(Text::lower($name), $begin) === 0) {
                    return $language;
                }
            }
        }
        return 'es_AR';
    }

    /**
     * What the browser sent with this page, for hooks that do not pass it: '' when there is none, or when address and form differ, as
     * which one the page means cannot be known. Never $_REQUEST, which may hold cookies. The bridge checks who owns what.
     */
    public static function requested(string $name): string
    {
        $given = [];
        foreach ([$_GET, $_POST] as $source) {
            if (isset($source[$name]) && is_scalar($source[$name])) {
                $given[] = Text::clean((string) $source[$name], Envelope::STRING_BYTES_MAX);
            }
        }
        return count(array_unique($given)) === 1 ? $given[0] : '';
    }

    /** The same as a row id, 0 when it is none. */
    public static function requestedId(string $name): int
    {
        $text = self::requested($name);
        return preg_match('/^[1-9]\d{0,17}$/D', $text) === 1 ? (int) $text : 0;
    }

    /** A row id among what the platform passed, 0 for none. */
    public static function id(array $vars, string $name): int
    {
        return isset($vars[$name]) && is_numeric($vars[$name]) && $vars[$name] > 0 ? (int) $vars[$name] : 0;
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

    private static function languageOfClient(): string
    {
        try {
            $client = self::ask(self::currentUser(), 'client');
            return is_object($client) && isset($client->language) ? (string) $client->language : '';
        } catch (\Throwable $e) {
            return '';
        }
    }

    /** @param mixed $model */
    private static function idOf($model): ?int
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
