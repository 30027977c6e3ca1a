<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * The small indexed reads that cannot wait for the bridge, because the row is gone or a newer one is there by then.
 * A manifest can only name them. Each finds nothing when it fails.
 */
final class Lookups
{
    private const DATABASE_CLASS = 'WHMCS\Database\Capsule';

    /**
     * @param string[] $names
     * @param array $fields the picked fields of the event
     */
    public function run(array $names, array $fields): array
    {
        $gone = [];
        foreach ($names as $name) {
            try {
                if (!class_exists(self::DATABASE_CLASS)) {
                    break;
                }
                if ($name === 'domain_name') {
                    $gone += $this->domainName(self::id($fields, 'domainid'));
                } elseif ($name === 'last_payment') {
                    $gone += $this->lastPayment(self::id($fields, 'invoiceid'));
                }
            } catch (\Throwable $e) {
                continue;
            }
        }
        return $gone;
    }

    /** DomainDelete carries ids only, and the row is deleted right after it (WHMCS docs: DomainDelete). */
    private function domainName(int $domain_id): array
    {
        $row = $domain_id > 0 ? $this->table('tbldomains')->where('id', $domain_id)->first(['domain', 'userid']) : null;
        $row = (array) $row; // an object since 7.x, an array before
        $gone = [];
        if (isset($row['domain']) && is_string($row['domain']) && $row['domain'] !== '') {
            $gone['domain'] = Text::clean($row['domain'], Envelope::STRING_BYTES_MAX);
            if (self::id($row, 'userid') > 0) {
                $gone['userid'] = self::id($row, 'userid');
            }
        }
        return $gone;
    }

    /** AddInvoicePayment and InvoicePaid name the invoice only, not the payment (WHMCS docs: AddInvoicePayment). */
    private function lastPayment(int $invoice_id): array
    {
        if ($invoice_id <= 0) {
            return [];
        }
        $id = $this->table('tblaccounts')->where('invoiceid', $invoice_id)->where('amountin', '>', 0)->max('id');
        return is_numeric($id) && $id > 0 ? ['payment_id' => (int) $id] : [];
    }

    /**
     * The product and cycle that an order changes a service to; zero and nothing when it is no change of plan.
     * WHMCS docs: tblupgrades.newvalue is `<product>,<cycle>`; PreUpgradeCheckout names the row only.
     */
    public function upgradeTarget(int $upgrade_id): array
    {
        try {
            $row = (array) $this->table('tblupgrades')->where('id', $upgrade_id)->first(['type', 'newvalue']);
        } catch (\Throwable $e) {
            $row = [];
        }
        $of_plan = isset($row['type'], $row['newvalue']) && in_array($row['type'], ['package', 'service'], true);
        if ($of_plan && preg_match('/^([1-9]\d{0,9})(?:,([A-Za-z-]{1,20}))?$/D', $row['newvalue'], $found) === 1) {
            return [(int) $found[1], isset($found[2]) ? $found[2] : ''];
        }
        return [0, ''];
    }

    /** @return object a query builder */
    private function table(string $name)
    {
        $database = self::DATABASE_CLASS;
        return $database::table($name);
    }

    private static function id(array $values, string $name): int
    {
        return isset($values[$name]) && is_numeric($values[$name]) ? (int) $values[$name] : 0;
    }
}
