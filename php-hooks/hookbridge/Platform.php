<?php

declare(strict_types=1);

namespace Hookbridge;

/** Which platform this is, for the envelope. */
final class Platform
{
    private $described;

    public function describe(): array
    {
        if ($this->described === null) {
            $this->described = ['name' => 'whmcs', 'version' => self::version(), 'php' => PHP_VERSION];
        }
        return $this->described;
    }

    /** The setting `Version`, for example `8.13.1-release.1`; `unknown` when nobody tells. */
    private static function version(): string
    {
        if (isset($GLOBALS['CONFIG']['Version']) && is_string($GLOBALS['CONFIG']['Version'])) {
            return Text::clean($GLOBALS['CONFIG']['Version'], 64);
        }
        try {
            $class = 'WHMCS\Config\Setting';
            $version = class_exists($class) ? $class::getValue('Version') : null;
            return is_string($version) && $version !== '' ? Text::clean($version, 64) : 'unknown';
        } catch (\Throwable $e) {
            return 'unknown';
        }
    }
}
