<?php

declare(strict_types=1);

namespace Hookbridge;

/** config.php, checked. Unknown keys and wrong values are errors, all reported at once. */
final class Config
{
    /** Key => [default, least, most]; each is a whole number. */
    private const NUMBERS = [
        'connect_timeout_ms' => [150, 10, 5000],
        'total_timeout_ms' => [400, 20, 10000],
        'circuit_open_s' => [30, 1, 3600],
        'spool_bytes_max' => [52428800, 65536, 10737418240],
        'spool_age_max_s' => [604800, 3600, 7776000],
        'flush_events_max' => [200, 1, 100000],
        'flush_time_max_ms' => [5000, 100, 300000],
    ];
    private const TEXTS = ['url' => null, 'source' => null, 'secret' => null, 'spool_dir' => null,
        'ca_file' => '', 'admin_folder' => 'admin', 'page_url' => '', 'sso_secret' => ''];

    private $values;
    private $key;
    private $sign_in_key;

    /** @throws ConfigError */
    public static function load(string $file): self
    {
        if (!is_file($file)) {
            throw new ConfigError(['config.php is missing: copy config.example.php and fill it in']);
        }
        ob_start(); // a byte-order mark or a blank line before <?php would be printed into the page
        try {
            $values = require $file;
        } catch (\Throwable $e) {
            throw new ConfigError(['config.php cannot be read by PHP: line ' . $e->getLine()]);
        } finally {
            ob_end_clean();
        }
        if (!is_array($values)) {
            throw new ConfigError(['config.php must return an array']);
        }
        return new self($values);
    }

    /** @throws ConfigError */
    public function __construct(array $given)
    {
        $mistakes = extension_loaded('curl') ? [] : ['PHP has no curl extension'];
        if (PHP_INT_SIZE < 8) {
            $mistakes[] = 'PHP is a 32-bit build, which cannot count microseconds';
        }
        foreach (array_diff_key($given, self::NUMBERS, self::TEXTS) as $name => $ignored) {
            $mistakes[] = '`' . substr((string) $name, 0, 40) . '` is not a key of config.php';
        }
        foreach (self::NUMBERS as $name => list($default, $least, $most)) {
            $value = array_key_exists($name, $given) ? $given[$name] : $default;
            if (!is_int($value) || $value < $least || $value > $most) {
                $mistakes[] = "`$name` must be a whole number from $least to $most";
            }
            $this->values[$name] = $value;
        }
        foreach (self::TEXTS as $name => $default) {
            $value = array_key_exists($name, $given) ? $given[$name] : $default;
            if (!is_string($value) || ($value === '' && $default !== '')) {
                $mistakes[] = "`$name` must be a text";
                $value = '';
            }
            $this->values[$name] = $value;
        }
        $mistakes = array_merge($mistakes, $this->textMistakes());
        if ($mistakes !== []) {
            throw new ConfigError($mistakes);
        }
        $this->values['url'] = rtrim($this->values['url'], '/');
        $this->values['page_url'] = rtrim($this->values['page_url'], '/');
    }

    public function number(string $name): int
    {
        return $this->values[$name];
    }

    public function text(string $name): string
    {
        return $this->values[$name];
    }

    /** The HMAC key: the decoded bytes of the secret. */
    public function key(): string
    {
        return $this->key;
    }

    /** The HMAC key of links to the bridge's page; '' when there is no `sso_secret`. */
    public function signInKey(): string
    {
        return $this->sign_in_key;
    }

    /** Keeps the secret out of var_dump() and of error pages that dump objects. */
    public function __debugInfo(): array
    {
        return ['url' => $this->values['url'], 'source' => $this->values['source']];
    }

    /** @return string[] */
    private function textMistakes(): array
    {
        $mistakes = [];
        if ($this->values['url'] !== '' && !self::urlIsUsable($this->values['url'])) {
            $mistakes[] = '`url` must be https://host or https://host:port (http only for 127.0.0.1, ::1 and localhost)';
        }
        if ($this->values['source'] !== '' && preg_match('/^[a-z0-9_-]{1,32}$/D', $this->values['source']) !== 1) {
            $mistakes[] = '`source` must be 1 to 32 of a-z, 0-9, _ and -';
        }
        $this->key = Signer::keyOf($this->values['secret']);
        if ($this->values['secret'] !== '' && $this->key === '') {
            $mistakes[] = '`secret` must be whsec_ and the base64 of 24 to 64 bytes';
        }
        $this->sign_in_key = Signer::keyOf($this->values['sso_secret']);
        if ($this->values['sso_secret'] !== '' && $this->sign_in_key === '') {
            $mistakes[] = '`sso_secret` must be whsec_ and the base64 of 24 to 64 bytes';
        } elseif ($this->sign_in_key !== '' && $this->sign_in_key === $this->key) {
            $mistakes[] = '`sso_secret` must be another one than `secret`';
        }
        if ($this->values['page_url'] !== '' && !self::urlIsUsable($this->values['page_url'])) {
            $mistakes[] = '`page_url` must be https://host or https://host:port (http only for 127.0.0.1, ::1 and localhost)';
        }
        if ($this->values['spool_dir'] !== '' && $this->values['spool_dir'][0] !== '/') {
            $mistakes[] = '`spool_dir` must be an absolute path';
        }
        if ($this->values['ca_file'] !== '' && !is_readable($this->values['ca_file'])) {
            $mistakes[] = '`ca_file` cannot be read';
        }
        return $mistakes;
    }

    /** Events carry personal data, so plain http is taken only where it cannot leave the machine. */
    private static function urlIsUsable(string $url): bool
    {
        $parts = parse_url($url);
        if (!is_array($parts) || empty($parts['host']) || empty($parts['scheme'])) {
            return false;
        }
        $extra = array_diff_key($parts, ['scheme' => 1, 'host' => 1, 'port' => 1, 'path' => 1]);
        $here = in_array($parts['host'], ['localhost', '[::1]'], true)
            || preg_match('/^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/D', $parts['host']) === 1;
        return $extra === [] && ($parts['scheme'] === 'https' || ($parts['scheme'] === 'http' && $here));
    }
}
