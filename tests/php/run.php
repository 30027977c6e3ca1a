<?php
/**
 * Runs the PHP tests: php tests/php/run.php [part of a name]. One line per test, then `N passed, N failed`.
 * HB_TEST_PHP: another PHP for what fires hooks; HB_TEST_SKIP: a pattern of names that are left out.
 * Plain PHP: a framework would be the only dependency of the whole folder.
 */

error_reporting(E_ALL);
set_error_handler(static function ($level, $message, $file, $line) {
    if ((error_reporting() & $level) !== 0) {
        throw new ErrorException($message, 0, $level, $file, $line);
    }
    return true;
});

$tests = [];

function test(string $name, callable $body): void
{
    $GLOBALS['tests'][$name] = $body;
}

/** @param mixed $expected @param mixed $actual */
function same($expected, $actual, string $what = 'value'): void
{
    if ($expected !== $actual) {
        $flags = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PARTIAL_OUTPUT_ON_ERROR;
        throw new RuntimeException("$what: expected " . substr((string) json_encode($expected, $flags), 0, 400)
            . ', got ' . substr((string) json_encode($actual, $flags), 0, 400));
    }
}

/** @param mixed $value @return mixed the same, in one order */
function sorted($value)
{
    if (!is_array($value)) {
        return $value;
    }
    $value = array_map('sorted', $value);
    array_keys($value) === range(0, count($value) - 1) ? sort($value) : ksort($value);
    return $value;
}

function check(bool $holds, string $what): void
{
    same(true, $holds, $what);
}

/** @return array the decoded vectors of tests/vectors */
function vectors(string $name): array
{
    return json_decode(file_get_contents(dirname(__DIR__) . "/vectors/$name.json"), true);
}

/** The PHP that fires hooks: the environment's HB_TEST_PHP, else the one that runs the tests. */
function php(): string
{
    return getenv('HB_TEST_PHP') ?: PHP_BINARY;
}

require dirname(__DIR__, 2) . '/php-hooks/hookbridge/Stub.php';
spl_autoload_register([Hookbridge\Stub::class, 'autoload']);
require __DIR__ . '/sandbox.php';
require __DIR__ . '/sapi.php';
foreach (glob(__DIR__ . '/cases/*.php') as $file) {
    require $file;
}

if (realpath($argv[0]) !== __FILE__) {
    return; // somebody else needs what the tests have (themes.php)
}
$passed = $failed = 0;
foreach ($tests as $name => $body) {
    $skip = getenv('HB_TEST_SKIP') ?: '(?!)';
    if ((isset($argv[1]) && strpos($name, $argv[1]) === false) || preg_match("#$skip#", $name) === 1) {
        continue;
    }
    $started = microtime(true);
    try {
        $body();
        $passed++;
        printf("ok      %s (%d ms)\n", $name, (microtime(true) - $started) * 1000);
    } catch (Throwable $e) {
        $failed++;
        printf("FAILED  %s\n        %s (%s:%d)\n", $name, $e->getMessage(), basename($e->getFile()), $e->getLine());
    }
}
echo "$passed passed, $failed failed\n";
exit($failed === 0 && $passed > 0 ? 0 : 1);
