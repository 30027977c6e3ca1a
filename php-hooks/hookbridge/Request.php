<?php

declare(strict_types=1);

namespace Hookbridge;

/** What the browser sent with this page, for hooks that do not pass it. Nobody's word: the bridge checks who owns what. */
final class Request
{
    /** A row id, 0 when there is none, or when address and form name two: which one the page means cannot be known. */
    public static function id(string $name): int
    {
        $text = self::text($name);
        return preg_match('/^[1-9]\d{0,17}$/D', $text) === 1 ? (int) $text : 0;
    }

    public static function text(string $name): string
    {
        $given = [];
        foreach ([$_GET, $_POST, $_REQUEST] as $source) {
            if (isset($source[$name]) && is_scalar($source[$name])) {
                $given[] = Text::clean((string) $source[$name], Envelope::STRING_BYTES_MAX);
            }
        }
        return count(array_unique($given)) === 1 ? $given[0] : '';
    }
}
