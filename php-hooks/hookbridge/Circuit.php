<?php

declare(strict_types=1);

namespace Hookbridge;

/** After a failure the bridge is left alone for a while: a cron run of 1000 hooks waits for a dead bridge once. */
final class Circuit
{
    private $open_s;
    private $open_until = 0;

    public function __construct(int $open_s)
    {
        $this->open_s = $open_s;
    }

    public function isOpen(): bool
    {
        return time() < $this->open_until;
    }

    public function open(int $retry_after_s): void
    {
        $this->open_until = time() + max($this->open_s, $retry_after_s);
    }
}
