<?php

declare(strict_types=1);

namespace Hookbridge;

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
