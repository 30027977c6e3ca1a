<?php

/** @return string[] the files that run on a customer's server */
function shipped(): array
{
    $folder = dirname(__DIR__, 3) . '/php-hooks';
    return array_merge(glob("$folder/*.php"), glob("$folder/hookbridge/*.php"),
        glob("$folder/modules/addons/*/*.php"), glob("$folder/modules/addons/*/lang/*.php"));
}

test('syntax: nothing newer than PHP 7.2 is used', static function () {
    // Tokens that the PHP running this test knows and 7.2 does not.
    $newer = array_filter(array_map(static function (string $name) {
        return defined($name) ? constant($name) : null;
    }, ['T_FN', 'T_MATCH', 'T_NULLSAFE_OBJECT_OPERATOR', 'T_COALESCE_EQUAL', 'T_ENUM', 'T_READONLY', 'T_ATTRIBUTE']));
    $functions = '/\b(str_contains|str_starts_with|str_ends_with|array_key_first|array_key_last|is_countable|hrtime|array_is_list'
        . '|get_debug_type|mb_\w+|JSON_THROW_ON_ERROR)\b\s*[(|,)]/';
    $phrases = [
        '/\b(public|protected|private|static)\s+(?!static\b)\??[A-Za-z\\\\]+\s+\$/' => 'typed property',
        '/catch\s*\(\s*[\w\\\\|\s]+\)/' => 'catch without a variable',
        '/,\s*\)\s*[;{:]/' => 'comma before the closing bracket of a call',
        '/\?\?\s*throw\b|\breturn\s+throw\b/' => 'throw as an expression',
        '/\b\d+_\d+\b/' => 'digits in groups',
        '/\[\s*\.\.\./' => 'spread in an array',
    ];
    foreach (shipped() as $file) {
        $code = '';
        foreach (token_get_all(file_get_contents($file)) as $token) {
            $kind = is_array($token) ? $token[0] : null;
            check(!in_array($kind, $newer, true), basename($file) . ': ' . (is_array($token) ? $token[1] : $token));
            if (in_array($kind, [T_CONSTANT_ENCAPSED_STRING, T_ENCAPSED_AND_WHITESPACE], true)) {
                $code .= "''";
            } elseif (!in_array($kind, [T_COMMENT, T_DOC_COMMENT], true)) {
                $code .= is_array($token) ? $token[1] : $token;
            }
        }
        same(0, preg_match('/(?<![$\w])fsync\s*\(/', $code), basename($file) . ': fsync() is of PHP 8.1');
        same(0, preg_match($functions, $code, $found), basename($file) . ': ' . implode($found));
        foreach ($phrases as $phrase => $called) {
            same(0, preg_match($phrase, $code, $found), basename($file) . ": $called: " . implode($found));
        }
    }
});

test('syntax: opened over the web, no shipped file does or prints anything', static function () {
    foreach (shipped() as $file) {
        if (basename($file) === 'tool.php') { // for the command line; to a web server it is as the others
            $out = shell_exec('env -i ' . escapeshellarg(Sapi::program('/usr/bin/php-cgi' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION)) . ' -q -f ' . escapeshellarg($file) . ' status 2>&1');
            same('', (string) $out, 'tool.php');
            continue;
        }
        $out = shell_exec(escapeshellarg(php()) . ' -d display_errors=0 -d log_errors=0 ' . escapeshellarg($file) . ' 2>&1');
        $expected = in_array(basename($file), ['hookbridge.php', 'hooks.php'], true) ? 'This file cannot be accessed directly' : '';
        same($expected, (string) $out, basename($file));
    }
});

test('syntax: it stays thin: few files, and few lines on the road of an event from the hook to the bridge', static function () {
    check(count(shipped()) < 25, count(shipped()) . ' files');
    $road = preg_grep('#/php-hooks/(hookbridge|hookbridge/(Stub|Envelope|Who|Journal|Spool|Flush|Sender))\.php$#D', shipped());
    same(8, count($road));
    $lines = 0;
    foreach ($road as $file) {
        $code = '';
        foreach (token_get_all(file_get_contents($file)) as $token) {
            $code .= is_array($token) && in_array($token[0], [T_COMMENT, T_DOC_COMMENT, T_OPEN_TAG], true) ? "\n" : (is_array($token) ? $token[1] : $token);
        }
        $lines += count(array_filter(array_map('trim', explode("\n", $code)), 'strlen'));
    }
    check($lines < 1900, "$lines lines of code");
});
