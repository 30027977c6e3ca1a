<?php
/**
 * What leaves your server, and what never does: this file is all of it.
 *
 * Envelope::body()        an event: the hook's fields that the manifest lists, and names of what changed
 * Envelope::question()    what a rule is asked, a decision that was missed, a note of the probe: OWN_FIELDS. The probe's hold names and
 *                         types of parameters, and states out of a fixed list (Probe::WORDS): never a value
 * Envelope::heartbeat()   with each run of the cron: how the stub is
 * Envelope::preferences() the client's page of the addon: who is logged in, and what was switched
 * Envelope::signIn()      the addon's button, which sends the browser to `page_url`: the administrator's id, user name and role
 * DenyList                what is in none of them, whatever a manifest asks for
 * Rows                    the only reads of the platform's tables, for what no hook passes
 *
 * All but the button's go to `url` of config.php, each signed, beside an id, the time, `source`, and as the user agent the stub's version.
 */

declare(strict_types=1);

namespace Hookbridge;

/** The body of one event, as the contract with the bridge (v1) has it. */
final class Envelope
{
    public const BODY_BYTES_MAX = 65536;
    public const STRING_BYTES_MAX = 2000;
    /** Escapes can make a string six times as long: what is too large is built again with shorter strings. */
    private const STRING_BYTES_STEPS = [self::STRING_BYTES_MAX, 400, 80];
    private const JSON = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION
        | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR;
    /** Names of our own: ids, prices, what a form says of e-mail, phone and country; then of missed decisions; then of the probe. */
    private const OWN_FIELDS = '/^(service_id|client_id|contact_id|to_product_id|from_product_id|upgrade_id|to_cycle|platform_price|platform_discount|days'
        . '|total_days|type|email|phonenumber|phone_prefix|country|kind|rule|hook|cause|on_failure|deadline_ms'
        . '|when|at|number|states|words|keys_\d+|order_\d+|zone|sapi)$/D';
    private const NAME_CHARS_MAX = 64;
    private const EVER_S = PHP_INT_MAX;

    private $stub;
    private $allow;
    private $request;

    public function __construct(Stub $stub)
    {
        $this->stub = $stub;
        $this->allow = new AllowList(function (string $path) {
            $this->stub->activity()->say('denied-' . $path, self::EVER_S, "the manifest asks for `$path`, which never leaves PHP");
        });
        $this->request = bin2hex(random_bytes(16));
    }

    /** Ids that sort by time: `<prefix>` and the 32 hex digits of a UUIDv7 (RFC 9562, 5.7). */
    public static function id(string $prefix, float $now): string
    {
        $bytes = substr(pack('J', (int) floor($now * 1000)), 2) . random_bytes(10);
        $bytes[6] = chr((ord($bytes[6]) & 0x0F) | 0x70);
        $bytes[8] = chr((ord($bytes[8]) & 0x3F) | 0x80);
        return $prefix . bin2hex($bytes);
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
                $event += array_filter(['gone' => $this->lookUp($rule['lookups'], $fields)]);
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
        $picked = $this->allow->pick($fields, preg_grep(self::OWN_FIELDS, array_keys($fields)), self::STRING_BYTES_STEPS[1]);
        return (string) json_encode(['fields' => (object) $picked] + $this->head($hook, $now), self::JSON);
    }

    /** How the stub is. @param array $standing `waiting`, `oldest`, `aside` @param string[] $hooks that are registered */
    public function heartbeat(array $standing, array $hooks, string $fault, int $lost): string
    {
        return (string) json_encode([
            'v' => 1,
            'host' => self::name(function_exists('gethostname') ? (string) gethostname() : ''),
            'owner' => self::name((string) preg_replace('/ \(uid.*/', '', Spool::user())),
            'stub' => Stub::VERSION,
            'platform' => self::name($this->stub->part(Who::class)->platform()['version']),
            'php' => ['version' => self::name(PHP_VERSION), 'sapi' => self::name(php_sapi_name()),
                'extensions' => array_map([self::class, 'name'], get_loaded_extensions())],
            'hooks' => $hooks,
            'spool' => $standing + ['lost' => $lost, 'fault' => $fault],
        ], self::JSON);
    }

    /** @param int $login 0 where logins do not exist @param string $changes `client:35/status=0;…` */
    public static function preferences(int $client, int $login, string $changes): string
    {
        return (string) json_encode(['v' => 1, 'hook' => 'ClientPreferences', 'occurred_at' => gmdate('Y-m-d\TH:i:s\Z'),
            'actor' => ['kind' => 'client', 'masquerading' => !empty($_SESSION['adminid'])],
            'fields' => array_filter(['client_id' => $client, 'user_id' => $login, 'changes' => $changes])]);
    }

    /** Who presses the addon's button. The name as the bridge takes it: no control characters, no colon, at most 64 characters. */
    public static function signIn(int $admin_id, string $name, string $role): string
    {
        $plain = trim((string) preg_replace('/[\x00-\x1F\x7F:]+|\xC2[\x80-\x9F]/', ' ', Text::clean($name, 1000)));
        $short = preg_match('/^.{1,' . self::NAME_CHARS_MAX . '}/us', $plain, $found) === 1 ? trim($found[0]) : '';
        return (string) json_encode(['aud' => 'hookbridge-admin', 'admin_id' => $admin_id,
            'name' => $short === '' ? 'admin ' . $admin_id : $short, 'role' => $role], self::JSON);
    }

    /** As the bridge takes a name: printable, no comma. */
    private static function name(string $text): string
    {
        $name = substr((string) preg_replace('/[^ -+\--~]/', '_', $text), 0, 64);
        return $name === '' ? 'unknown' : $name;
    }

    private function head(string $hook, float $now): array
    {
        $who = $this->stub->part(Who::class);
        $ms = (int) floor($now * 1000);
        return [
            'v' => 1,
            'hook' => $hook,
            'occurred_at' => gmdate('Y-m-d\TH:i:s', intdiv($ms, 1000)) . sprintf('.%03dZ', $ms % 1000), // RFC 3339
            'request' => $this->request,
            'actor' => $who->actor(),
            'platform' => $who->platform(),
            'stub' => Stub::VERSION,
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
            if ($value === null || !in_array(Text::of($value), $accepted, true)) {
                return false;
            }
        }
        return true;
    }

    /**
     * The small indexed reads that cannot wait for the bridge, because the row is deleted or a newer one is there by then. A manifest
     * can only name them. Each finds nothing when it fails.
     *
     * @param string[] $names
     * @param array $fields the picked fields of the event
     */
    private function lookUp(array $names, array $fields): array
    {
        $found = [];
        foreach ($names as $name) {
            if ($name === 'domain_name') {
                $found += self::domainName(Who::id($fields, 'domainid'));
            } elseif ($name === 'last_payment') {
                $found += $this->lastPayment(Who::id($fields, 'invoiceid'));
            }
        }
        return $found;
    }

    /** DomainDelete carries ids only, and the row is deleted right after it (WHMCS docs: DomainDelete). */
    private static function domainName(int $domain_id): array
    {
        $row = Rows::first('tbldomains', $domain_id, ['domain', 'userid']);
        if (!isset($row['domain']) || !is_string($row['domain']) || $row['domain'] === '') {
            return [];
        }
        return ['domain' => Text::clean($row['domain'], self::STRING_BYTES_MAX)] + array_filter(['userid' => Who::id($row, 'userid')]);
    }

    /**
     * AddInvoicePayment and InvoicePaid name the invoice only, not the payment (WHMCS docs: AddInvoicePayment). From 9.0 on credit
     * notes are rows among the payments, marked by a column that older platforms do not have.
     */
    private function lastPayment(int $invoice_id): array
    {
        $has_notes = version_compare($this->stub->part(Who::class)->platform()['version'], '9.0', '>=');
        return array_filter(['payment_id' => $invoice_id > 0 ? Rows::newestPayment($invoice_id, $has_notes) : 0]);
    }
}

/** Picks the listed paths out of what the platform passed, nested as it passed them. Everything else stays behind. */
final class AllowList
{
    /** All that is ever read of an object, which may fetch or compute whatever else it is asked for. */
    private const OF_OBJECTS = 'id';

    private $refused;

    /** @param callable $refused called with each listed path that the deny-list stopped */
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
            $segments = explode('.', $path);
            foreach ($segments as $segment) {
                if (is_array($value) && array_key_exists($segment, $value)) {
                    $value = $value[$segment];
                } elseif (is_object($value) && $segment === self::OF_OBJECTS) {
                    $value = self::idOf($value);
                } else {
                    continue 2;
                }
            }
            if (self::fits($value)) {
                self::put($picked, $segments, is_string($value) ? Text::clean($value, $string_bytes_max) : $value);
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
        return is_bool($new) || is_bool($old) ? (bool) $new === (bool) $old : Text::of($new) === Text::of($old);
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

    /**
     * @param string[] $segments
     * @param mixed $value
     */
    private static function put(array &$picked, array $segments, $value): void
    {
        $place = &$picked;
        foreach ($segments as $segment) {
            $place = &$place[$segment];
        }
        $place = $value;
    }
}

/**
 * What never leaves PHP, whatever a manifest asks for. The platform hands plaintext passwords, server credentials
 * and card data to hooks (WHMCS docs: UserChangePassword `password`, module parameters `serverpassword`, CCUpdate
 * `cardnum`).
 */
final class DenyList
{
    private const PARTS = [
        'password', 'passwd', 'pwd', 'secret', 'token', 'accesshash', 'apikey', 'authdata', 'authmodule', 'twofactor',
        'secondfactor', 'cardnum', 'ccnumber', 'cvv', 'cccvv', 'expdate', 'bankacct', 'bankcode', 'securityq',
        'serverusername', 'serverip', 'eppcode', 'transfersecret', 'configoption',
    ];

    private static $known = [];

    /** Whether any segment of the dotted path, lower-cased and without its non-letters, holds a forbidden part. */
    public static function refuses(string $path): bool
    {
        if (!isset(self::$known[$path])) {
            self::$known[$path] = false;
            foreach (explode('.', $path) as $segment) {
                $letters = (string) preg_replace('/[^a-z]/', '', Text::lower($segment));
                foreach (self::PARTS as $part) {
                    self::$known[$path] = self::$known[$path] || strpos($letters, $part) !== false;
                }
            }
        }
        return self::$known[$path];
    }
}

/** The platform's tables, read through its own database class. */
final class Rows
{
    private const DATABASE_CLASS = 'WHMCS\Database\Capsule';

    /** Columns of the row whose $key is $id; an object since 7.x, an array before. @return array|null [] for none, null if it cannot be read */
    public static function first(string $table, int $id, array $columns, string $key = 'id'): ?array
    {
        return $id <= 0 ? [] : self::read($table, static function ($rows) use ($key, $id, $columns): array {
            return (array) $rows->where($key, $id)->first($columns);
        });
    }

    /** @return int the id of the newest money that came in for an invoice and is no credit note, 0 for none */
    public static function newestPayment(int $invoice_id, bool $has_notes): int
    {
        $ids = self::read('tblaccounts', static function ($rows) use ($invoice_id, $has_notes): array {
            $rows = $rows->where('invoiceid', $invoice_id)->where('amountin', '>', 0);
            if (!$has_notes) {
                return [(int) $rows->max('id')];
            }
            $ids = [];
            foreach ($rows->get(['id', 'billingnoteid']) as $row) {
                $row = (array) $row;
                $ids[] = empty($row['billingnoteid']) ? Who::id($row, 'id') : 0;
            }
            return $ids;
        });
        return $ids === [] || $ids === null ? 0 : max($ids);
    }

    private static function read(string $table, callable $read): ?array
    {
        try {
            $database = self::DATABASE_CLASS;
            return class_exists($database) ? $read($database::table($table)) : null;
        } catch (\Throwable $e) {
            return null;
        }
    }
}

/** Bytes from the platform -> valid UTF-8 of a bounded length. mbstring is not needed: not every host has it. */
final class Text
{
    public static function clean(string $text, int $bytes_max): string
    {
        // Cut first: what is replaced below may be megabytes of somebody's garbage.
        $text = self::cut($text, $bytes_max);
        if (preg_match('//u', $text) !== 1) {
            $text = json_decode((string) json_encode($text, JSON_INVALID_UTF8_SUBSTITUTE));
            $text = self::cut(is_string($text) ? $text : '', $bytes_max); // U+FFFD is three bytes, the bad one was one
        }
        return $text;
    }

    /** The 26 letters in small; strtolower() follows the locale until PHP 8.1, and in Turkish an I is no i. */
    public static function lower(string $text): string
    {
        return strtr($text, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz');
    }

    /** A scalar as text; a float has a comma in some locales until PHP 7.4. @param mixed $value */
    public static function of($value): string
    {
        return is_float($value) ? str_replace(',', '.', (string) $value) : (string) $value;
    }

    /** Cuts on a character boundary. */
    private static function cut(string $text, int $bytes_max): string
    {
        if (strlen($text) <= $bytes_max) {
            return $text;
        }
        $end = $bytes_max;
        // Step back over continuation bytes (10xxxxxx), at most three in UTF-8, when the cut falls inside a character.
        while ($end > 0 && $bytes_max - $end < 3 && (ord($text[$end]) & 0xC0) === 0x80) {
            $end--;
        }
        return substr($text, 0, $end);
    }
}
