<?php

use Hookbridge\Config;
use Hookbridge\ConfigError;
use Hookbridge\Manifest;

test('stub: garbage in any hook throws nothing, prints nothing, and is still reported to the bridge', static function () {
    $deep = [];
    for ($i = 0; $i < 400; $i++) {
        $deep = ['params' => $deep, 'x' => 'y'];
    }
    $garbage = [null, 'text', 7, true, [], ['__object__' => 'stdClass'], ['params' => null], ['params' => 'text'], $deep,
        ['olddata' => 'text', 'userid' => ['__object__' => 'stdClass']], ['params' => ['__object__' => 'stdClass']],
        ['messagename' => ['Quote Delivery with PDF']], ['olddata' => ['email' => ['x']], 'email' => 'y'],
        ['invoiceid' => str_repeat('x', 1000000), 'status' => str_repeat("\x01", 100000)]];
    $hooks = array_keys(Manifest::of(json_decode(file_get_contents(dirname(__DIR__, 3) . '/php-hooks/hookbridge/manifest.json'), true))['hooks']);
    $shots = [];
    foreach ($hooks as $hook) {
        $shots[] = ['hook' => $hook];
        $shots[] = ['hook' => $hook, 'args' => [[], 'more', ['arguments']]];
        foreach ($garbage as $vars) {
            $shots[] = ['hook' => $hook, 'vars' => $vars];
        }
    }
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    $box->fire($shots);
    same((count($hooks) - 1) * (count($garbage) + 2), count($box->sent()), 'all but EmailPreSend are sent');
    foreach ($box->sent() as $request) {
        check(strlen($request['body']) <= 65536 && is_array($request['event']), 'a body within bounds');
    }
});

test('stub: invalid UTF-8 and huge values become a valid body', static function () {
    $program = 'require "' . dirname(__DIR__) . '/runtime.php"; require "' . dirname(__DIR__, 3) . '/php-hooks/hookbridge.php";'
        . 'run_hook("InvoiceCreated", ["invoiceid" => "a\xFFb", "source" => str_repeat("\xC3", 3000), "status" => str_repeat("\x01", 90000)]);';
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    file_put_contents("$box->dir/config.php", '<?php return ' . var_export($box->config, true) . ';');
    $process = proc_open(escapeshellarg(php()) . ' -r ' . escapeshellarg($program), [2 => ['pipe', 'w'], 1 => ['pipe', 'w']], $pipes, null,
        ['HOOKBRIDGE_STUB_CONFIG' => "$box->dir/config.php"]);
    same(['', ''], [stream_get_contents($pipes[1]), stream_get_contents($pipes[2])]);
    same(0, proc_close($process));
    $fields = $box->sent()[0]['event']['fields'];
    same("a\u{FFFD}b", $fields['invoiceid']);
    same(str_repeat("\u{FFFD}", 666), $fields['source']);
    same(str_repeat("\x01", 2000), $fields['status']);
});

test('stub: a body that would be too large gets shorter strings', static function () {
    $fields = array_map(static function (int $number) {
        return "f$number";
    }, range(1, 40));
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    $box->manifest(['hooks' => ['Wide' => ['fields' => $fields]]]);
    $box->fire([['hook' => 'Wide', 'vars' => array_fill_keys($fields, str_repeat('x', 5000))],
        ['hook' => 'Wide', 'vars' => array_fill_keys($fields, str_repeat("\x01", 5000))]]);
    list($first, $second) = $box->sent();
    same([400, 40], [strlen($first['event']['fields']['f1']), count($first['event']['fields'])]);
    same(80, strlen($second['event']['fields']['f40']));
});

test('stub: the LogActivity hook can be observed without a loop', static function () {
    $box = new Sandbox();
    $box->bridge([['each' => [[422, 'bad-envelope']]]]);
    $box->manifest(['hooks' => ['LogActivity' => ['fields' => ['userid', 'password']], 'InvoiceCreated' => ['fields' => ['invoiceid']]]]);
    $box->fire([['hook' => 'LogActivity', 'vars' => ['userid' => 7, 'description' => 'x']]]);
    same([1, 1], [count($box->sent()), count($box->log())], 'our own line is no event');
    $box->fire([ONE_EVENT]);
    same([2, 1], [count($box->sent()), count($box->log())], 'and is said once');
});

test('stub: a wrong configuration turns it off, says so to the administrator and breaks nothing', static function () {
    $box = new Sandbox();
    $box->config = ['url' => 'http://billing.example.com', 'secret' => 'whsec_CANARY', 'spool' => 1, 'spool_dir' => 'relative'];
    $lines = $box->fire([ONE_EVENT, 'AfterCronJob', 'AdminLogin']);
    same([false, false, true], array_column($lines, 'registered'));
    list($line) = $box->log();
    foreach (['`url`', '`source`', '`secret`', '`spool` is not a key', '`spool_dir`'] as $part) {
        check(strpos($line, $part) !== false, "$part in: $line");
    }
    check(strpos($line, 'CANARY') === false, 'no value in the log');
});

test('config: mistakes have clear words', static function () {
    $good = (new Sandbox())->config;
    foreach ([['total_timeout_ms' => 0], ['total_timeout_ms' => '400'], ['url' => 'https://user:pass@bridge.example'], ['url' => 'ftp://x'],
        ['url' => 'https://bridge.example/?a=b'], ['url' => 'http://127.0.0.1.evil.example'], ['source' => 'Billing'], ['source' => "billing\n"],
        ['secret' => null], ['ca_file' => '/does/not/exist'], ['spool_dir' => '']] as $wrong) {
        try {
            new Config($wrong + $good);
            throw new RuntimeException('accepted: ' . json_encode($wrong));
        } catch (ConfigError $e) {
            check(strpos($e->getMessage(), '`' . key($wrong) . '`') !== false, $e->getMessage());
        }
    }
    foreach (['https://bridge.example', 'https://bridge.example:8787/', 'http://127.0.0.1:8787', 'http://[::1]:8787', 'http://localhost'] as $url) {
        same(rtrim($url, '/'), (new Config(['url' => $url] + $good))->text('url'));
    }
    check(strpos(print_r(new Config($good), true), 'whsec') === false, 'a dump shows no secret');
});

test('config: what an administrator must do is in the sentence', static function () {
    $good = (new Sandbox())->config;
    foreach ([['address' => 'bridge.example'], ['address' => '127.0.0.1:80'], ['journal_fsync' => 2], ['page_send_ms' => 0]] as $wrong) {
        try {
            new Config($wrong + $good);
            throw new RuntimeException('accepted: ' . json_encode($wrong));
        } catch (ConfigError $e) {
            check(strpos($e->getMessage(), '`' . key($wrong) . '`') !== false, $e->getMessage());
        }
    }
    new Config(['address' => '::1', 'journal_fsync' => true] + $good); // this suite runs on 8.1 and later
    new Config(['spool_bytes_max' => 65536, 'spool_age_max_s' => 3600, 'flush_events_max' => 200, 'flush_time_max_ms' => 5000] + $good); // 1.1
});

test('config: the example needs only a secret', static function () {
    $example = require dirname(__DIR__, 3) . '/php-hooks/hookbridge/config.example.php';
    same(400, (new Config(['secret' => Sandbox::SECRET] + $example))->number('total_timeout_ms'));
});

test('config: a file that prints or does not parse does not reach the page', static function () {
    foreach (["\xEF\xBB\xBF\n<?php return [];", "<?php return [", "<?php throw new Exception('CANARY');", '<?php echo "x"; return 7;'] as $text) {
        $file = tempnam(sys_get_temp_dir(), 'hookbridge-config');
        file_put_contents($file, $text);
        ob_start();
        try {
            Config::load($file, '/nowhere');
            throw new RuntimeException("accepted: $text");
        } catch (ConfigError $e) {
            check(strpos($e->getMessage(), 'CANARY') === false, 'no text of the file');
        } finally {
            $printed = ob_get_clean();
            unlink($file);
        }
        same('', $printed);
    }
});

test('manifest: the bridge is asked with a signature and its last good answer is in force', static function () {
    $manifest = '{"version":1,"extra":true,"hooks":{"TicketOpen":{"fields":["ticketid"],"later":1},"bad name":{"fields":["x"]}}}';
    $box = new Sandbox();
    $signed = ['status' => 200, 'secret' => Sandbox::SECRET];
    $box->bridge([$signed + ['body' => $manifest, 'headers' => ['ETag' => '"one"']], ['status' => 304], $signed + ['body' => '{"version":2}']]);
    $box->fire(['AfterCronJob', 'AfterCronJob', cron(301), ['hook' => 'AfterCronJob', 'clock_offset_s' => 602]]);
    $asked = $box->requests('/v1/manifest');
    same(['GET', 'GET', 'GET'], array_column($asked, 'method'), 'at most every five minutes');
    same([false, '"one"'], [isset($asked[0]['headers']['if-none-match']), $asked[1]['headers']['if-none-match']]);
    same(1, preg_match('/^man_[0-9a-f]{32}$/', $asked[0]['headers']['webhook-id']));
    $sign = new Hookbridge\Signer(Hookbridge\Signer::keyOf(Sandbox::SECRET));
    $headers = $asked[0]['headers'];
    same($sign->sign($headers['webhook-id'], (int) $headers['webhook-timestamp'], ''), $headers['webhook-signature']);
    same(['hookbridge: the bridge sent no usable manifest; the last good one stays'], $box->log());
    $lines = $box->fire([['hook' => 'TicketOpen', 'vars' => ['ticketid' => 7]], ONE_EVENT]);
    same([true, false], array_column($lines, 'registered'));
});

test('manifest: what nobody signed, or somebody else, or long ago, is not believed', static function () {
    $manifest = ['status' => 200, 'body' => '{"version":1,"hooks":{"TicketOpen":{"fields":["ticketid"]}}}', 'headers' => ['ETag' => '"one"']];
    $other = 'whsec_' . base64_encode(str_repeat('x', 32));
    foreach ([[], ['secret' => $other], ['secret' => Sandbox::SECRET, 'signed_s_ago' => 400]] as $signed) {
        $box = new Sandbox();
        $box->bridge([$signed + $manifest]);
        $box->fire(['AfterCronJob']);
        same(['hookbridge: the bridge sent no usable manifest; the last good one stays'], $box->log());
        list($line) = $box->fire([['hook' => 'TicketOpen', 'vars' => ['ticketid' => 7]]]);
        same(false, $line['registered']);
    }
});

test('manifest: what pages load is compiled, for these settings, and PHP of nobody else', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    $box->fire([ONE_EVENT]);
    $file = "$box->dir/spool/manifest.php";
    same(0600, fileperms($file) & 0777);
    same('', (string) shell_exec(escapeshellarg(php()) . ' ' . escapeshellarg($file)), 'asked for alone it says nothing');
    $ours = file_get_contents($file);
    $marked = str_replace('InvoiceCreated', 'InvoiceMarked', $ours);
    file_put_contents($file, $marked);
    list($line) = $box->fire(['InvoiceMarked']);
    same(true, $line['registered'], 'it is what is loaded');
    foreach ([0620, 0602, 0666] as $mode) {
        file_put_contents($file, $marked);
        chmod($file, $mode);
        list($line) = $box->fire(['InvoiceMarked']);
        same([false, 0600], [$line['registered'], fileperms($file) & 0777], 'others could write it: made anew');
    }
    unlink($file);
    file_put_contents("$box->dir/planted.php", $marked);
    symlink("$box->dir/planted.php", $file);
    list($line) = $box->fire(['InvoiceMarked']);
    same(false, $line['registered'], 'a link');
    file_put_contents($file, $marked);
    $box->config['circuit_open_s'] = 7;
    list($line) = $box->fire(['InvoiceMarked']);
    same(false, $line['registered'], 'other settings');
    file_put_contents($file, '<?php return [');
    list($line) = $box->fire([ONE_EVENT]);
    same(true, $line['registered'], 'half a file');
});

test('manifest: a damaged copy falls back to the built-in one', static function () {
    foreach (['', '{', '{"etag":"x","manifest":{"version":9,"hooks":{}}}', '[]'] as $damaged) {
        $box = new Sandbox();
        $box->bridge([['status' => 202]]);
        mkdir("$box->dir/spool", 0700);
        file_put_contents("$box->dir/spool/manifest.json", $damaged);
        $box->fire([ONE_EVENT]);
        same(1, count($box->sent()));
    }
});

test('manifest: a condition that cannot be read lets nothing through', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    
    $hooks = [];
    foreach ([null, 'x', [], ['status' => null], ['status' => [['x']]], ['password' => ['x']], ['status' => ['Paid']]] as $number => $only) {
        $hooks["Hook$number"] = ['fields' => ['status'], 'only' => $only];
    }
    $box->manifest(['hooks' => $hooks]);
    $box->fire(array_map(static function (string $hook) {
        return ['hook' => $hook, 'vars' => ['status' => 'Unpaid', 'password' => 'x']];
    }, array_keys($hooks)));
    same(['Hook0', 'Hook2'], array_column(array_column($box->sent(), 'event'), 'hook'), 'only those without a condition');
});
