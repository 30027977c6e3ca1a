<?php

declare(strict_types=1);

namespace Hookbridge;

/** Standard Webhooks signatures: HMAC-SHA256 over `<id>.<timestamp>.<raw body>`. */
final class Signer
{
    private $key;

    public function __construct(string $key)
    {
        $this->key = $key;
    }

    /** The decoded bytes of `whsec_<base64 of 24..64 bytes>`, or '' when the text is not such a secret. */
    public static function keyOf(string $secret): string
    {
        if (preg_match('#^whsec_([A-Za-z0-9+/]+={0,2})$#D', $secret, $found) !== 1 || strlen($found[1]) % 4 !== 0) {
            return '';
        }
        $key = (string) base64_decode($found[1], true);
        return strlen($key) >= 24 && strlen($key) <= 64 ? $key : '';
    }

    /** The value of the `webhook-signature` header. */
    public function sign(string $id, int $timestamp, string $body): string
    {
        $mac = hash_hmac('sha256', $id . '.' . $timestamp . '.' . $body, $this->key, true);
        return 'v1,' . base64_encode($mac);
    }

    public function __debugInfo(): array
    {
        return [];
    }
}
