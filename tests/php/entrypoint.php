<?php
/**
 * Where and when the code seems to run. The stub asks php_sapi_name(), defined(), time(), microtime(), sleep() and
 * register_shutdown_function() without a backslash, so functions of its own namespace stand in for them here; nothing in the stub
 * knows about tests.
 */

namespace Hookbridge {
    function php_sapi_name()
    {
        return \HookbridgeEntrypoint::$sapi;
    }

    function time()
    {
        return \time() + \HookbridgeEntrypoint::$clock_offset_s;
    }

    function microtime($as_float = false)
    {
        return \microtime(true) + \HookbridgeEntrypoint::$clock_offset_s;
    }

    /** Nobody waits: the clock goes on. */
    function sleep($seconds)
    {
        \HookbridgeEntrypoint::$clock_offset_s += $seconds;
        return 0;
    }

    function register_shutdown_function($callback)
    {
        \HookbridgeEntrypoint::$at_end[] = $callback;
    }

    function defined($name)
    {
        return in_array($name, ['CLIENTAREA', 'ADMINAREA'], true) ? $name === \HookbridgeEntrypoint::$area : \defined($name);
    }
}

namespace {
    final class HookbridgeEntrypoint
    {
        public static $sapi = 'cli';
        public static $area = '';
        public static $clock_offset_s = 0;
        public static $at_end = [];

        /** What PHP does at the end of a request: in order, and also what is registered meanwhile. */
        public static function endRequest()
        {
            while (self::$at_end !== []) {
                call_user_func(array_shift(self::$at_end));
            }
        }

        private const KINDS = [
            'client' => ['fpm-fcgi', 'CLIENTAREA', '/clientarea.php', ['user' => 7, 'client' => 7]],
            'admin' => ['fpm-fcgi', 'ADMINAREA', '/admin/clientsprofile.php', ['admin' => 3]],
            'masquerade' => ['fpm-fcgi', 'CLIENTAREA', '/clientarea.php',
                ['admin' => 3, 'user' => 7, 'client' => 7, 'masquerading' => true]],
            'api' => ['fpm-fcgi', '', '/includes/api.php', []],
            'cron' => ['cli', '', 'crons/cron.php', []],
            'unknown' => ['fpm-fcgi', '', '/index.php', []],
        ];

        /** @param array $who overrides for user, client, admin, masquerading */
        public static function become($kind, array $who = [])
        {
            if (!isset(self::KINDS[$kind])) {
                throw new \InvalidArgumentException("no such actor: $kind");
            }
            list(self::$sapi, self::$area, $script, $default) = self::KINDS[$kind];
            unset($_SERVER['REQUEST_METHOD']);
            if (self::$sapi !== 'cli') {
                $_SERVER['REQUEST_METHOD'] = 'GET';
            }
            $_SERVER['SCRIPT_NAME'] = $script;
            $_SERVER['PHP_SELF'] = $script . '/admin/x.php'; // what any visitor can append; the stub must not believe it
            \HookbridgeRuntime::$who = array_merge($default, $who);
            $_SESSION = isset(\HookbridgeRuntime::$who['admin']) ? ['adminid' => \HookbridgeRuntime::$who['admin']] : [];
        }
    }
}
