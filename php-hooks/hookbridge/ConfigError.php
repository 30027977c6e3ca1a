<?php

declare(strict_types=1);

namespace Hookbridge;

/** All mistakes of config.php at once, in words an administrator can act on; never with a value in it. */
final class ConfigError extends \RuntimeException
{
    /** @param string[] $mistakes */
    public function __construct(array $mistakes)
    {
        parent::__construct(implode('; ', $mistakes));
    }
}
