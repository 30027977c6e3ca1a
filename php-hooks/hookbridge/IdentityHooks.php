<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * The rule `identity`: what a client or contact says about himself. WHMCS docs: ClientDetailsValidation and
 * ContactDetailsValidation return a list of errors. Of all that the form holds, only these four leave PHP.
 */
final class IdentityHooks
{
    private const ASKED = ['email', 'phonenumber', 'country'];
    /** The form's hidden field with the calling code; the hook passes the number as typed, without it. */
    private const PREFIX = 'country-calling-code-phonenumber';

    private $who;

    public function __construct(Stub $stub)
    {
        $this->who = $stub->part(Who::class);
    }

    public function question(string $hook, array $vars): ?array
    {
        $contact = $hook === 'ContactDetailsValidation';
        $said = [];
        foreach (self::ASKED as $name) {
            if (isset($vars[$name]) && is_string($vars[$name])) {
                $said[$name] = $vars[$name];
            }
        }
        if ($said === []) {
            return null;
        }
        return array_filter([
            'client_id' => $this->client(),
            'contact_id' => $contact ? (Who::requestedId('contactid') ?: Who::requestedId('id')) : 0,
            'phone_prefix' => isset($said['phonenumber']) ? Who::requested(self::PREFIX) : '',
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
