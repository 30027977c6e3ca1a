<?php
/**
 * What each deciding hook asks, and what it returns to the platform: the platform's own shapes, nothing else (docs/HOOKS.md, "What the
 * stub asks where"). Pages load this file only when such a hook fires.
 */

declare(strict_types=1);

namespace Hookbridge;

/**
 * The rule `upgrade`: what a change of plan costs. WHMCS docs: OrderProductUpgradeOverride returns any of its own keys,
 * PreUpgradeCheckout `amount` and `discount`, ShoppingCartValidateUpgrade (9.0) a list of errors; ClientAreaPageUpgrade
 * returns template variables, of which upgrade.tpl shows `upgradeinvaliderror` instead of the form.
 */
final class UpgradeHooks
{
    /** What upgrade.php and the API call a change of plan; the other kind, `configoptions`, is none of the rule's. */
    private const PLAN_TYPES = ['package', 'product', 'service'];

    private $who;
    /** Service => what OrderProductUpgradeOverride asked in this request. It knows the most; later hooks ask the same. */
    private $priced = [];

    public function __construct(Stub $stub)
    {
        $this->who = $stub->part(Who::class);
    }

    public function question(string $hook, array $vars): ?array
    {
        if ($hook === 'PreUpgradeCheckout') {
            return $this->atCheckout($vars);
        }
        if ($hook === 'ShoppingCartValidateUpgrade') {
            return $this->about(Who::id($vars, 'id'), Who::id($vars, 'pid'), Who::requested('billingcycle'));
        }
        if (!in_array(Who::requested('type'), self::PLAN_TYPES, true)) {
            return null;
        }
        // No key of the hook names the service (WHMCS docs: OrderProductUpgradeOverride): the page's request does.
        $service = Who::requestedId('id') ?: Who::requestedId('serviceid');
        if ($hook !== 'OrderProductUpgradeOverride') {
            return isset($this->priced[$service]) ? $this->priced[$service]
                : $this->about($service, Who::requestedId('pid'), Who::requested('billingcycle'));
        }
        $cycle = isset($vars['newproductbillingcycle']) ? (string) $vars['newproductbillingcycle'] : '';
        $question = $this->about($service, Who::id($vars, 'newproductid'), $cycle);
        return $question === null ? null : $this->priced[$service] = $question + self::given($vars, [
            'oldproductid' => 'from_product_id', 'price' => 'platform_price', 'discount' => 'platform_discount',
            'days' => 'days', 'totaldays' => 'total_days',
        ]);
    }

    public function answer(string $hook, array $vars, Ruling $ruling): ?array
    {
        if ($hook === 'ShoppingCartValidateUpgrade') {
            return $ruling->refuses() ? $ruling->objections() : [];
        }
        if ($hook === 'ClientAreaPageUpgrade') {
            if ($ruling->refuses()) {
                $why = implode('<br>', $ruling->objections());
                // The plan is chosen on upgradesummary.tpl, which every stock theme since 8.1 shows `promoerror` on, and whose
                // forms name the plan by `upgrades`: without it they lead nowhere, which before 9.0 nothing else sees to. The
                // other two are upgrade.tpl's, from 9.0 on.
                return ['promoerror' => $why, 'upgrades' => [], 'upgradeinvalid' => true, 'upgradeinvaliderror' => $why];
            }
            return $ruling->text('message') === '' ? null : ['hookbridgenotices' => [$ruling->text('message')]];
        }
        // There is no veto at these two. A refused upgrade that goes on all the same (before 9.0 only the page is closed)
        // costs at least what the rule says, and a refused downgrade earns no credit.
        if (!$ruling->adjusts() && !$ruling->refuses()) {
            return null;
        }
        $price = $ruling->amount('price');
        if ($price === null && $ruling->refuses()) {
            return null;
        }
        if ($price === null) {
            throw new \UnexpectedValueException('an adjusted price without a price');
        }
        $changed = [$hook === 'PreUpgradeCheckout' ? 'amount' : 'price' => $price];
        return $changed + array_filter(['discount' => $ruling->amount('discount')], 'is_float');
    }

    /** The order exists by now; its row says which plan it is for, unless the price was asked a moment ago. */
    private function atCheckout(array $vars): ?array
    {
        $service = Who::id($vars, 'serviceId');
        if (isset($this->priced[$service])) {
            return $this->priced[$service];
        }
        list($product, $cycle) = self::upgradeTarget(Who::id($vars, 'upgradeId'));
        $question = $this->about($service, $product, $cycle);
        return $question === null ? null : $question + self::given($vars, [
            'amount' => 'platform_price', 'discount' => 'platform_discount', 'upgradeId' => 'upgrade_id',
        ]);
    }

    /**
     * The product and cycle that an order changes a service to; zero and nothing when it is no change of plan.
     * WHMCS docs: tblupgrades.newvalue is `<product>,<cycle>`; PreUpgradeCheckout names the row only.
     */
    private static function upgradeTarget(int $upgrade_id): array
    {
        $row = Rows::first('tblupgrades', $upgrade_id, ['type', 'newvalue']);
        $of_plan = isset($row['type'], $row['newvalue']) && in_array($row['type'], ['package', 'service'], true);
        if ($of_plan && preg_match('/^([1-9]\d{0,9})(?:,([A-Za-z-]{1,20}))?$/D', $row['newvalue'], $found) === 1) {
            return [(int) $found[1], isset($found[2]) ? $found[2] : ''];
        }
        return [0, ''];
    }

    private function about(int $service, int $product, string $cycle): ?array
    {
        if ($service === 0 || $product === 0) {
            return null;
        }
        return ['service_id' => $service, 'to_product_id' => $product]
            + array_filter(['to_cycle' => $cycle, 'client_id' => $this->who->clientId()]);
    }

    /** @param array $names the platform's name => the rule's */
    private static function given(array $vars, array $names): array
    {
        $fields = [];
        foreach ($names as $name => $field) {
            if (isset($vars[$name]) && is_numeric($vars[$name])) {
                $fields[$field] = $vars[$name];
            }
        }
        return $fields;
    }
}

/**
 * The rules `cancellation` and `termination`. WHMCS docs: ClientAreaPageCancellation returns template variables, and
 * `invalid` hides the form (the request itself cannot be vetoed); PreModuleTerminate returns `abortcmd`.
 */
final class CancellationHooks
{
    private const TYPES = ['Immediate', 'End of Billing Period'];

    private $who;

    public function __construct(Stub $stub)
    {
        $this->who = $stub->part(Who::class);
    }

    public function question(string $hook, array $vars): ?array
    {
        if ($hook === 'PreModuleTerminate') {
            $params = isset($vars['params']) && is_array($vars['params']) ? $vars['params'] : [];
            // The same hook fires for an addon, whose id would read as a service's.
            return Who::id($params, 'serviceid') === 0 || Who::id($params, 'addonId') > 0 ? null : array_filter(
                ['service_id' => Who::id($params, 'serviceid'), 'client_id' => Who::id($params, 'userid')]
            );
        }
        $service = Who::id($vars, 'id') ?: Who::requestedId('id');
        $type = Who::requested('type');
        return $service === 0 ? null : array_filter([
            'service_id' => $service,
            'client_id' => $this->who->clientId(),
            'type' => in_array($type, self::TYPES, true) ? $type : '',
        ]);
    }

    public function answer(string $hook, array $vars, Ruling $ruling): ?array
    {
        if ($hook === 'PreModuleTerminate') {
            return $ruling->refuses() ? ['abortcmd' => true] : null;
        }
        $notices = $ruling->refuses() ? $ruling->objections() : [];
        $notices = array_merge($notices, array_filter([$ruling->text('message')], 'strlen'), $ruling->texts('notices'));
        $page = $notices === [] ? [] : ['hookbridgenotices' => array_values(array_unique($notices))];
        // The page that says "we have your request" is shown by the same template: hiding that would help nobody.
        if ($ruling->refuses() && empty($vars['requested'])) {
            $page['invalid'] = true;
        }
        return $page === [] ? null : $page;
    }
}

/**
 * The rule `identity`: the details that a client or contact enters. WHMCS docs: ClientDetailsValidation and
 * ContactDetailsValidation return a list of errors. Of all that the form holds, only these four leave PHP.
 */
final class IdentityHooks
{
    private const ASKED = ['email', 'phonenumber', 'country'];
    /** In the cart the plain names are the client's, those of a new domain contact have this in front (orderform checkout.tpl). */
    private const IN_CART = 'domaincontact';
    /** The form's hidden field with the calling code; the hook passes the number as typed, without it. */
    private const CALLING_CODE = 'country-calling-code-';

    private $who;

    public function __construct(Stub $stub)
    {
        $this->who = $stub->part(Who::class);
    }

    public function question(string $hook, array $vars): ?array
    {
        $contact = $hook === 'ContactDetailsValidation';
        $prefix = $contact && (isset($vars[self::IN_CART . 'email']) || isset($vars[self::IN_CART . 'phonenumber'])) ? self::IN_CART : '';
        $said = [];
        foreach (self::ASKED as $name) {
            if (isset($vars[$prefix . $name]) && is_string($vars[$prefix . $name])) {
                $said[$name] = $vars[$prefix . $name];
            }
        }
        if ($said === []) {
            return null;
        }
        return array_filter([
            'client_id' => $this->client(),
            'contact_id' => $contact && $prefix === '' ? (Who::requestedId('contactid') ?: Who::requestedId('id')) : 0,
            'phone_prefix' => isset($said['phonenumber']) ? Who::requested(self::CALLING_CODE . $prefix . 'phonenumber') : '',
        ]) + $said + ['kind' => $contact ? 'contact' : 'client'];
    }

    public function answer(string $hook, array $vars, Ruling $ruling): ?array
    {
        return $ruling->refuses() ? $ruling->objections() : null;
    }

    /** In the client area the session says whose data these are. A form that could say it would unlock any address. */
    private function client(): int
    {
        return $this->who->isStaff() ? (Who::requestedId('userid') ?: Who::requestedId('clientid')) : $this->who->clientId();
    }
}
