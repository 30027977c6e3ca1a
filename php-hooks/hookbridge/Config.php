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
        'page_send_ms' => [150, 10, 5000],
        'cron_send_ms' => [10000, 100, 300000],
        'circuit_open_s' => [30, 1, 3600],
        'spool_bytes_max' => [52428800, 65536, 10737418240],
        'spool_age_max_s' => [604800, 3600, 7776000],
        'flush_events_max' => [100000, 1, 10000000],
        'flush_time_max_ms' => [60000, 100, 300000],
        'journal_fsync' => [0, 0, 1],
    ];
    private const TEXTS = ['url' => null, 'source' => null, 'secret' => null, 'spool_dir' => null,
        'address' => '', 'ca_file' => '', 'admin_folder' => 'admin', 'page_url' => '', 'sso_secret' => ''];
    private const SECRETS = ['secret' => 1, 'sso_secret' => 1];
    /** Without these nothing works; some hosts disable some of them. */
    private const FUNCTIONS = ['chmod', 'curl_exec', 'curl_init', 'curl_setopt_array', 'fileowner', 'fileperms', 'flock', 'fopen', 'fwrite',
        'hash_hmac', 'json_encode', 'mkdir', 'random_bytes', 'register_shutdown_function', 'rename', 'scandir', 'touch', 'unlink'];

    private $values;
    private $key;
    private $sign_in_key;

    /**
     * @param string $folder where the stub's files lie
     * @throws ConfigError
     */
    public static function load(string $file, string $folder): self
    {
        $config = new self(self::read($file));
        $config->values['config_file'] = $file;
        // <platform>/includes/hooks/hookbridge: whatever lies below that platform can be asked for over the web.
        $root = preg_match('#^(.+)/(includes/hooks|modules/addons/hookbridge)/hookbridge$#D', $folder, $found) === 1 ? $found[1] : '';
        foreach ([$root, isset($_SERVER['DOCUMENT_ROOT']) ? (string) $_SERVER['DOCUMENT_ROOT'] : ''] as $public) {
            if (self::isBelow($config->text('spool_dir'), $public)) {
                throw new ConfigError(['`spool_dir` lies in a folder that the web server shows to everybody: choose one outside of it']);
            }
        }
        return $config;
    }

    /** What the file returns. @throws ConfigError */
    public static function read(string $file): array
    {
        if (!is_file($file)) {
            throw new ConfigError(['config.php is missing: copy config.example.php and fill it in']);
        }
        if (!is_readable($file)) {
            throw new ConfigError(['config.php belongs to ' . Spool::user((int) fileowner($file)) . ' and is not readable for '
                . Spool::user() . ', as which PHP runs: `chown` it to that user, then `chmod 0600`']);
        }
        ob_start(); // a byte-order mark or a blank line before <?php would be printed into the page
        try {
            $values = include $file;
        } catch (\Throwable $e) {
            throw new ConfigError(['config.php cannot be read by PHP: line ' . $e->getLine()]);
        } finally {
            ob_end_clean();
        }
        if (!is_array($values)) {
            throw new ConfigError(['config.php must return an array']);
        }
        return $values;
    }

    /** @throws ConfigError */
    public function __construct(array $given)
    {
        $mistakes = self::missing();
        foreach (array_diff_key($given, self::NUMBERS, self::TEXTS) as $name => $ignored) {
            $mistakes[] = '`' . substr((string) $name, 0, 40) . '` is not a key of config.php';
        }
        foreach (self::NUMBERS as $name => list($default, $least, $most)) {
            $value = array_key_exists($name, $given) ? $given[$name] : $default;
            $value = is_bool($value) ? (int) $value : $value;
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
        foreach (['url', 'page_url', 'spool_dir'] as $name) {
            $this->values[$name] = rtrim($this->values[$name], '/');
        }
    }

    public function number(string $name): int
    {
        return $this->values[$name];
    }

    public function text(string $name): string
    {
        return $this->values[$name];
    }

    /** Everything but the secrets, for the compiled manifest. */
    public function plain(): array
    {
        return array_diff_key($this->values, self::SECRETS);
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
        foreach (['url', 'page_url'] as $name) {
            if ($this->values[$name] !== '' && !self::urlIsUsable($this->values[$name])) {
                $mistakes[] = "`$name` must be https://host or https://host:port (http only for 127.0.0.1, ::1 and localhost)";
            }
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
        if ($this->values['spool_dir'] !== '' && $this->values['spool_dir'][0] !== '/') {
            $mistakes[] = '`spool_dir` must be an absolute path';
        }
        if ($this->values['address'] !== '' && filter_var($this->values['address'], FILTER_VALIDATE_IP) === false) {
            $mistakes[] = '`address` must be the IP address at which the host of `url` is reached';
        }
        if ($this->values['journal_fsync'] === 1 && PHP_VERSION_ID < 80100) {
            $mistakes[] = '`journal_fsync` needs PHP 8.1';
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

    /** @return string[] what PHP lacks */
    private static function missing(): array
    {
        $missing = extension_loaded('curl') ? [] : ['PHP has no curl extension'];
        if (PHP_INT_SIZE < 8) {
            $missing[] = 'PHP is a 32-bit build, which cannot count microseconds';
        }
        $disabled = array_filter(self::FUNCTIONS, static function (string $name): bool {
            return !function_exists($name) && (strpos($name, 'curl') !== 0 || extension_loaded('curl'));
        });
        return $disabled === [] ? $missing
            : array_merge($missing, ['PHP has these functions disabled (disable_functions): ' . implode(', ', $disabled)]);
    }

    private static function isBelow(string $path, string $public): bool
    {
        list($path, $public) = [realpath($path) ?: $path, $public === '' ? '' : (realpath($public) ?: $public)];
        return $public !== '' && $public !== '/' && strpos($path . '/', $public . '/') === 0;
    }
}

/** All mistakes of config.php at once, in sentences an administrator can act on; never with a value in it. */
final class ConfigError extends \RuntimeException
{
    /** @param string[] $mistakes */
    public function __construct(array $mistakes)
    {
        parent::__construct(implode('; ', $mistakes));
    }
}
