<?php

declare(strict_types=1);

namespace Hookbridge;

/** The hooks of one rule: what each asks, and the exact shape of a return value that the platform honours there. */
interface HookShape
{
    /**
     * @param array $vars what the platform passed
     * @return array|null the fields of the question (flat, scalars); null when there is nothing to ask
     */
    public function question(string $hook, array $vars): ?array;

    /**
     * @param array $vars what the platform passed
     * @return array|null null leaves the platform to itself
     */
    public function answer(string $hook, array $vars, Ruling $ruling): ?array;
}
