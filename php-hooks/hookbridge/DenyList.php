<?php

declare(strict_types=1);

namespace Hookbridge;

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

    /** Whether any segment of the dotted path, lower-cased and without its non-letters, holds a forbidden part. */
    public static function refuses(string $path): bool
    {
        foreach (explode('.', $path) as $segment) {
            $letters = (string) preg_replace('/[^a-z]/', '', strtolower($segment));
            foreach (self::PARTS as $part) {
                if (strpos($letters, $part) !== false) {
                    return true;
                }
            }
        }
        return false;
    }
}
