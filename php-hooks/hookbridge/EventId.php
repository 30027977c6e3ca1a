<?php

declare(strict_types=1);

namespace Hookbridge;

/** Ids that sort by time: `<prefix>` and the 32 hex digits of a UUIDv7 (RFC 9562, 5.7). */
final class EventId
{
    public static function make(string $prefix, float $now): string
    {
        $bytes = substr(pack('J', (int) floor($now * 1000)), 2) . random_bytes(10);
        $bytes[6] = chr((ord($bytes[6]) & 0x0F) | 0x70);
        $bytes[8] = chr((ord($bytes[8]) & 0x3F) | 0x80);
        return $prefix . bin2hex($bytes);
    }
}
