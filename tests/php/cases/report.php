<?php

/** Runs tool.php as a person does. @return array exit code and lines */
function tool(Sandbox $box, string ...$words): array
{
    $box->write();
    $words = array_merge([php(), '-d', 'display_errors=stderr', dirname(__DIR__, 3) . '/php-hooks/hookbridge/tool.php'], $words);
    $env = ['HOOKBRIDGE_STUB_CONFIG' => "$box->dir/config.php", 'PATH' => (string) getenv('PATH')];
    $process = proc_open(implode(' ', array_map('escapeshellarg', $words)), [1 => ['pipe', 'w'], 2 => ['pipe', 'w']], $pipes, null, $env);
    list($out, $err) = [stream_get_contents($pipes[1]), stream_get_contents($pipes[2])];
    same('', $err, 'stderr of tool.php');
    return [proc_close($process), $out === '' ? [] : explode("\n", rtrim($out, "\n"))];
}

/** The line of `status` that begins with these words. */
function line(array $lines, string $name): string
{
    $found = preg_grep('/^[ !] ' . $name . ' {2,}/', $lines);
    same(1, count($found), $name . ' in ' . implode(' | ', $lines));
    return substr(reset($found), 0, 2) . preg_replace('/ {2,}/', ' ', substr(reset($found), 2));
}

const WELL = ['status' => 200, 'body' => '{"clock_ahead_s":0,"stub_least":"1.2.0","old":false,"missing":[]}'];

test('heartbeat: each cron run says, signed, how the stub is', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202, 'each' => [[422, 'bad-envelope'], 202]]], ['heartbeat' => WELL]);
    $box->fire([ONE_EVENT, ONE_EVENT, 'AfterCronJob']);
    list($request) = $box->requests('/v1/heartbeat');
    $headers = $request['headers'];
    $sign = new Hookbridge\Signer(Hookbridge\Signer::keyOf(Sandbox::SECRET));
    same($sign->sign($headers['webhook-id'], (int) $headers['webhook-timestamp'], $request['body']), $headers['webhook-signature']);
    same(['billing', 1], [$headers['hookbridge-source'], preg_match('/^hbt_[0-9a-f]+$/', $headers['webhook-id'])]);
    $said = $request['event'];
    same(['v', 'host', 'owner', 'stub', 'platform', 'php', 'hooks', 'spool'], array_keys($said));
    same([Hookbridge\Stub::VERSION, '8.13.1-release.1', 'cli'], [$said['stub'], $said['platform'], $said['php']['sapi']]);
    check(in_array('curl', $said['php']['extensions'], true) && in_array('InvoiceCreated', $said['hooks'], true)
        && in_array('PreModuleTerminate', $said['hooks'], true), 'extensions and hooks');
    same(['waiting' => 0, 'oldest' => 0, 'aside' => 1, 'lost' => 0, 'fault' => ''], $said['spool']);
});

test('heartbeat: what was lost is said until a bridge has heard it', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]], ['heartbeat' => ['status' => 500]]);
    $box->fire(['AfterCronJob']);
    file_put_contents("$box->dir/spool/lost", '000000000003');
    $box->fire(['AfterCronJob', 'AfterCronJob']);
    same([0, 3, 3], array_map(static function (array $request) {
        return $request['event']['spool']['lost'];
    }, $box->requests('/v1/heartbeat')));
    $box->bridge([['status' => 202]], ['heartbeat' => WELL]);
    $box->fire(['AfterCronJob', 'AfterCronJob']);
    same([3, 0], array_map(static function (array $request) {
        return $request['event']['spool']['lost'];
    }, array_slice($box->requests('/v1/heartbeat'), 3)));
});

test('heartbeat: a bridge that is down is not asked, and one that knows no heartbeat harms nothing', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 503, 'headers' => ['Retry-After' => '3600']]]);
    $box->config['flush_time_max_ms'] = 1000;
    $box->fire([ONE_EVENT, 'AfterCronJob']);
    same([0, 1], [count($box->requests('/v1/heartbeat')), count($box->waiting())]);
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    $box->fire([ONE_EVENT, 'AfterCronJob', ONE_EVENT]);
    same([1, 2, []], [count($box->requests('/v1/heartbeat')), count($box->sent()), $box->log()]);
});

test('tool: status says how the stub is, and what is wrong', static function () {
    $box = new Sandbox();
    list($code, $lines) = tool($box, 'status');
    same([1, '! cron -'], [$code, line($lines, 'cron')], 'there was none');
    $box->bridge([['status' => 202]], ['heartbeat' => WELL]);
    $box->fire([ONE_EVENT, 'AfterCronJob']);
    list($code, $lines) = tool($box, 'status');
    same([0, []], [$code, preg_grep('/^!/', $lines)], implode("\n", $lines));
    same(['  waiting 0', '  set aside 0', '  version ' . Hookbridge\Stub::VERSION],
        [line($lines, 'waiting'), line($lines, 'set aside'), line($lines, 'version')]);

    $wrong = ['status' => 200, 'body' => '{"clock_ahead_s":-400,"stub_least":"9.0.0","old":true,"missing":["InvoicePaid","<b>"]}'];
    $box->bridge([['status' => 202, 'each' => [[422, 'bad-envelope']]]], ['heartbeat' => $wrong]);
    $box->fire([ONE_EVENT, 'AfterCronJob']);
    list($code, $lines) = tool($box, 'status');
    same([1, '! version needed 9.0.0', '! hooks missing InvoicePaid', '! set aside 1', '! clock -400 s'], [$code, line($lines, 'version needed'),
        line($lines, 'hooks missing'), line($lines, 'set aside'), line($lines, 'clock')]);

    $box->config['url'] = 'http://127.0.0.1:1';
    $box->fire([ONE_EVENT, 'AfterCronJob']);
    list(, $lines) = tool($box, 'status');
    same([true, '  waiting 1'], [strpos(line($lines, 'resting'), '!') === 0, line($lines, 'waiting')]);
    same('! heartbeat', substr(line($lines, 'heartbeat'), 0, 11), 'older than the last run');
    chmod("$box->dir/spool", 0777);
    list(, $lines) = tool($box, 'status');
    same('! fault spool_dir can be written by other users: `chmod 0700`', line($lines, 'fault'));
});

test('tool: what is wrong with config.php is said, and what nobody knows is explained', static function () {
    $box = new Sandbox();
    $box->config['secret'] = 'CANARY';
    same([1, ['`secret` must be whsec_ and the base64 of 24 to 64 bytes']], tool($box, 'status'));
    foreach ([[], ['help'], ['drop'], ['drop', '../x.event'], ['drop', '--all'], ['status', 'x']] as $words) {
        list($code, $lines) = tool($box, ...$words);
        same([2, 1, 0], [$code, count($lines), strpos($lines[0], 'php tool.php status')]);
    }
});

test('tool: flush sends what waits, rejected lists and moves, drop deletes', static function () {
    $box = new Sandbox();
    $box->fire([ONE_EVENT, ['hook' => 'InvoicePaid', 'vars' => ['invoiceid' => 9]]]);
    $box->config['flush_time_max_ms'] = 1000;
    list($code, $lines) = tool($box, 'flush');
    same([1, 1], [$code, preg_match('/^0 sent, 0 set aside, 2 wait \(/', $lines[0])], $lines[0]);
    unlink("$box->dir/spool/rest-events");
    $box->bridge([['status' => 202, 'each' => [202, [422, 'bad-envelope']]]]);
    same([0, ['1 sent, 1 set aside, 0 wait']], tool($box, 'flush'));
    list($code, $lines) = tool($box, 'rejected');
    same([0, 1, 1], [$code, count($lines), preg_match('/ UTC  InvoicePaid  (\d{16}-evt_\w+-answer-422-bad-envelope\.event)$/', $lines[0], $found)], $lines[0]);
    same([0, []], tool($box, 'rejected', '--again'));
    same([0, []], tool($box, 'rejected'));
    same([1, 0], [count($box->spooled('pending')), count($box->spooled('rejected'))]);
    $box->bridge([['status' => 202]]);
    same([0, ['1 sent, 0 set aside, 0 wait']], tool($box, 'flush'));
});

test('tool: drop deletes what is named, and never what somebody writes at this moment', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202, 'each' => [[422, 'bad-envelope']]]]);
    $box->fire([ONE_EVENT, ONE_EVENT, ONE_EVENT, 'AfterCronJob']);
    list(, $lines) = tool($box, 'rejected');
    $first = basename(substr($lines[0], strrpos($lines[0], ' ') + 1));
    same([0, ['1 files deleted']], tool($box, 'drop', $first));
    same([1, ["$first is not there", '0 files deleted']], tool($box, 'drop', $first));
    same([0, ['2 files deleted']], tool($box, 'drop', '--rejected'));
    $box->config['url'] = 'http://127.0.0.1:1';
    $box->fire([ONE_EVENT, ONE_EVENT]);
    $written = fopen("$box->dir/spool/journal/" . sprintf('%016d', microtime(true) * 1000000) . '-1-abc.log', 'xb');
    flock($written, LOCK_EX);
    $line = file(glob("$box->dir/spool/journal/*.log")[0]);
    fwrite($written, $line[0]);
    fflush($written);
    same([1, ['2 events deleted, 1 wait']], tool($box, 'drop', '--waiting'));
    same(1, count($box->waiting()));
});

test('addon: its page shows how the stub is, and in red what is wrong', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202, 'each' => [[422, 'bad-envelope'], 202]]], ['heartbeat' => WELL]);
    $box->fire([ONE_EVENT, 'AfterCronJob']);
    $show = static function () use ($box): string {
        return addonPage(['username' => 'ana', 'roleid' => 1], ['viewer_roles' => '1'], [], [], $box);
    };
    $page = $show();
    check(strpos($page, '<tr class="danger" style="color:#a00"><th>&#9888; Eventos apartados</th><td>1</td></tr>') !== false, $page);
    same(1, substr_count($page, 'class="danger"'), $page);
    tool($box, 'drop', '--rejected');
    same(0, substr_count($show(), 'class="danger"'));
    same(1, substr_count(addonPage(['username' => 'ana', 'roleid' => 1]), '&#9888; Última corrida del cron</th><td>-</td>'), 'no role, no cron');
});
