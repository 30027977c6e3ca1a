<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * For the first day (docs/FIRST-DAY.md): for some minutes it notes which hooks fire, in which order, with which names and types of
 * parameters, and in which state the rows are then and when the page ends. Never a value: of a state only words that the platform is
 * known to use. Off by default; pages load this file only while it is on.
 */
final class Probe
{
    public const EVENT = 'HookbridgeProbe';
    public const MINUTES_MAX = 1440;
    public const HOOKS = ['AcceptOrder', 'AddInvoicePayment', 'AddTransaction', 'AfterModuleCreate', 'AfterModuleSuspend', 'AfterModuleTerminate',
        'AfterModuleUnsuspend', 'AfterShoppingCartCheckout', 'CancellationRequest', 'ClientAdd', 'ClientAreaPageCancellation', 'ClientAreaPageUpgrade',
        'ClientChangePassword', 'ClientDetailsValidation', 'ClientEdit', 'ContactAdd', 'ContactDetailsValidation', 'ContactEdit', 'DailyCronJob',
        'InvoiceCancelled', 'InvoiceCreated', 'InvoicePaid', 'InvoicePaymentReminder', 'InvoiceRefunded', 'OrderProductUpgradeOverride', 'PreModuleTerminate',
        'PreUpgradeCheckout', 'QuoteCreated', 'QuoteStatusChange', 'ServiceEdit', 'ShoppingCartValidateUpgrade', 'TicketClose', 'TicketStatusChange',
        'UserChangePassword'];
    /** Parameter in small letters => table, its id, its state. */
    private const ROWS = ['invoiceid' => ['tblinvoices', 'id', 'status'], 'serviceid' => ['tblhosting', 'id', 'domainstatus'],
        'quoteid' => ['tblquotes', 'id', 'stage'], 'ticketid' => ['tbltickets', 'id', 'status'], 'orderid' => ['tblorders', 'id', 'status'],
        'relid' => ['tblcancelrequests', 'relid', 'type']];
    /** States, and kinds that parameters tell apart; anything else may be somebody's own. */
    private const WORDS = ['Draft', 'Unpaid', 'Paid', 'Cancelled', 'Refunded', 'Collections', 'Payment Pending', 'Pending', 'Active', 'Suspended',
        'Terminated', 'Completed', 'Fraud', 'Delivered', 'On Hold', 'Accepted', 'Lost', 'Dead', 'Open', 'Answered', 'Customer-Reply', 'Closed', 'In Progress',
        'Immediate', 'End of Billing Period', 'reminder', 'first', 'second', 'third', 'firstoverdue', 'secondoverdue', 'thirdoverdue', 'adminarea', 'api',
        'autogen', 'package', 'product', 'service', 'configoptions'];
    private const SAID = ['type', 'status', 'source'];
    private const FIRED_MAX = 300;
    private const PIECE = 380;

    private $stub;
    private $fired = 0;
    private $order = [];
    /** table => id => true */
    private $rows = [];

    public function __construct(Stub $stub)
    {
        $this->stub = $stub;
    }

    /** The file that says until when it is on. */
    public static function file(string $dir): string
    {
        return $dir . '/probe';
    }

    /** Turns it on for so many minutes, or off with 0. @return string why it cannot, '' when it is done */
    public static function turn(Stub $stub, int $minutes): string
    {
        $file = self::file((string) $stub->setting('spool_dir'));
        if ($minutes > 0 ? !touch($file, time() + 60 * $minutes) : is_file($file) && !unlink($file)) {
            return "$file cannot be written by " . Spool::user();
        }
        $minutes === 0 || Spool::private($file, 0600);
        $stub->compile();
        return '';
    }

    /** How many of its notes wait to be sent. */
    public static function waiting(Stub $stub): int
    {
        return array_sum(array_map(static function (string $path): int {
            return (int) preg_match_all('/^\+[^\n]*"hook":"' . self::EVENT . '"/m', (string) file_get_contents($path));
        }, $stub->part(Spool::class)->waiting()));
    }

    /** @param mixed $vars */
    public function note(string $hook, $vars): void
    {
        if (++$this->fired > self::FIRED_MAX) {
            return;
        }
        $this->fired > 1 || register_shutdown_function(function () {
            Stub::quietly([$this, 'end']);
        });
        $this->order[] = $hook;
        $vars = is_array($vars) ? $vars : [];
        $states = [];
        foreach ([$vars, isset($vars['params']) && is_array($vars['params']) ? $vars['params'] : []] as $given) {
            foreach ($given as $name => $value) {
                $row = isset(self::ROWS[Text::lower((string) $name)]) ? self::ROWS[Text::lower((string) $name)] : null;
                if ($row !== null && is_numeric($value) && $value > 0) {
                    $states[] = $row[0] . '.' . $row[2] . '=' . self::state($row, (int) $value);
                    $this->rows[$row[0]][(int) $value] = $row;
                }
            }
        }
        $words = [];
        foreach (self::SAID as $name) {
            if (isset($vars[$name]) && is_scalar($vars[$name])) {
                $words[] = "$name=" . self::word((string) $vars[$name]);
            }
        }
        $this->send(['when' => 'fired', 'at' => $hook, 'number' => $this->fired, 'states' => implode(' ', $states), 'words' => implode(' ', $words)]
            + self::pieces('keys', self::shape($vars, 2)));
    }

    /** What the rows are when the page is done, and the order in which hooks fired. */
    public function end(): void
    {
        $states = [];
        foreach ($this->rows as $rows) {
            foreach (array_slice($rows, 0, 20, true) as $id => $row) {
                $states[] = $row[0] . '.' . $row[2] . '=' . self::state($row, $id);
            }
        }
        $this->send(['when' => 'end', 'zone' => date_default_timezone_get(), 'sapi' => php_sapi_name(), 'states' => implode(' ', $states)]
            + self::pieces('order', implode(' ', $this->order)));
    }

    private function send(array $fields): void
    {
        $now = microtime(true);
        $body = json_decode($this->stub->envelope()->question(self::EVENT, $fields, $now), true);
        $body['actor'] = array_intersect_key($body['actor'], ['kind' => 1, 'entrypoint' => 1, 'masquerading' => 1]); // without ids
        $this->stub->journal()->keep(Envelope::id('evt_', $now), (string) json_encode($body, JSON_UNESCAPED_SLASHES), $now);
    }

    /** `invoiceid:integer params{serviceid:integer}`: names and types. */
    private static function shape(array $vars, int $depth): string
    {
        $names = [];
        foreach (array_slice($vars, 0, 150, true) as $name => $value) {
            $name = preg_match('/^[A-Za-z_][A-Za-z0-9_-]{0,39}$/D', (string) $name) === 1 ? (string) $name : (is_int($name) ? '#' : '?');
            $type = is_object($value) ? 'object' : gettype($value);
            $names[] = is_array($value) && $depth > 1 && $value !== [] ? $name . '{' . self::shape($value, $depth - 1) . '}' : "$name:$type";
        }
        return implode(' ', array_unique($names));
    }

    private static function state(array $row, int $id): string
    {
        list($table, $key, $column) = $row;
        $found = Rows::first($table, $id, [$column], $key);
        return $found === null ? 'unreadable' : ($found === [] ? 'none' : self::word((string) $found[$column]));
    }

    private static function word(string $text): string
    {
        return in_array($text, self::WORDS, true) ? strtr($text, ' ', '_') : 'other';
    }

    /** The bridge takes texts of a few hundred bytes. */
    private static function pieces(string $name, string $text): array
    {
        $pieces = [];
        foreach (array_slice(str_split($text, self::PIECE), 0, 12) as $number => $piece) {
            $pieces[$name . '_' . $number] = $piece;
        }
        return $pieces;
    }
}
