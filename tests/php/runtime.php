<?php
/**
 * The least of the billing platform that the stub needs to run: hooks, the activity log, the database door and who is
 * logged in. WHMCS docs: add_hook(string $hookPointName, int $priority, callable); lower priorities run first.
 */

namespace {
    define('WHMCS', true);

    final class HookbridgeRuntime
    {
        public static $hooks = [];
        /** What CurrentUser answers: user, client, admin (ids) and masquerading. */
        public static $who = [];

        /** Rows by table; null: those of the file HB_CAPSULE_JSON. */
        public static $tables;

        public static function forgetHooks(): void
        {
            self::$hooks = [];
        }
    }

    function add_hook($name, $priority, $function)
    {
        HookbridgeRuntime::$hooks[$name][(int) $priority][] = $function;
    }

    /** Calls what is registered, by priority, and returns what each returned. Most hooks pass one array, some pass more. */
    function run_hook($name, ...$args)
    {
        $returned = [];
        $by_priority = isset(HookbridgeRuntime::$hooks[$name]) ? HookbridgeRuntime::$hooks[$name] : [];
        ksort($by_priority);
        foreach ($by_priority as $functions) {
            foreach ($functions as $function) {
                $returned[] = call_user_func_array($function, $args);
            }
        }
        return $returned;
    }

    /** WHMCS docs: LogActivity fires after every row of the activity log. */
    function logActivity($message, $client_id = 0)
    {
        $file = getenv('HB_ACTIVITY_LOG');
        if (is_string($file) && $file !== '') {
            file_put_contents($file, $message . "\n", FILE_APPEND);
        }
        run_hook('LogActivity', ['description' => $message, 'user' => 'System', 'userid' => 0, 'ipaddress' => '']);
    }

    $GLOBALS['CONFIG'] = ['Version' => getenv('HB_PLATFORM_VERSION') ?: '8.13.1-release.1',
        'Language' => getenv('HB_LANGUAGE') ?: 'Spanish'];
}

namespace WHMCS\Authentication {
    final class CurrentUser
    {
        public function isMasqueradingAdmin()
        {
            return !empty(\HookbridgeRuntime::$who['masquerading']);
        }

        public function user()
        {
            return $this->one('user');
        }

        public function client()
        {
            return $this->one('client');
        }

        public function admin()
        {
            return $this->one('admin');
        }

        private function one($which)
        {
            return isset(\HookbridgeRuntime::$who[$which]) ? (object) ['id' => \HookbridgeRuntime::$who[$which]] : null;
        }
    }
}

namespace WHMCS\Database {
    /** Rows of a JSON file ({"table":[{row},…]}) behind the few calls that the stub makes. Throws where a database would. */
    final class Capsule
    {
        private $rows;

        public static function table($name)
        {
            $file = getenv('HB_CAPSULE_JSON');
            $tables = \HookbridgeRuntime::$tables;
            if ($tables === null && is_string($file) && is_file($file)) {
                $tables = json_decode(file_get_contents($file), true);
            }
            if (!is_array($tables) || !isset($tables[$name])) {
                throw new \RuntimeException("Table '$name' doesn't exist");
            }
            $query = new self();
            $query->rows = $tables[$name];
            return $query;
        }

        public function where($column, $operator, $value = null)
        {
            if (func_num_args() === 2) {
                list($operator, $value) = ['=', $operator];
            }
            $this->rows = array_values(array_filter($this->rows, static function (array $row) use ($column, $operator, $value) {
                if (!array_key_exists($column, $row)) {
                    throw new \RuntimeException("Unknown column '$column'");
                }
                return $operator === '>' ? $row[$column] > $value : (string) $row[$column] === (string) $value;
            }));
            return $this;
        }

        public function max($column)
        {
            return $this->rows === [] ? null : max(array_column($this->rows, $column));
        }

        public function first($columns = ['*'])
        {
            if ($this->rows === []) {
                return null;
            }
            $row = $this->rows[0];
            return (object) ($columns === ['*'] ? $row : array_intersect_key($row, array_flip($columns)));
        }

        public function get($columns = ['*'])
        {
            return array_map(static function (array $row) use ($columns) {
                foreach ($columns === ['*'] ? [] : $columns as $column) {
                    if (!array_key_exists($column, $row)) {
                        throw new \RuntimeException("Unknown column '$column'");
                    }
                }
                return (object) ($columns === ['*'] ? $row : array_intersect_key($row, array_flip($columns)));
            }, $this->rows);
        }

        public function value($column)
        {
            $row = $this->first([$column]);
            return $row === null ? null : $row->$column;
        }
    }
}
