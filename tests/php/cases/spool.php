<?php

use Hookbridge\Journal;
use Hookbridge\Signer;

test('journal: a file of its own for this user only, whole lines with a checksum, no secret', static function () {
    $box = new Sandbox();
    $box->fire(events(2));
    $files = glob("$box->dir/spool/journal/*");
    same([1, 0600], [count($files), fileperms($files[0]) & 0777]);
    same([0700, 0700], [fileperms("$box->dir/spool") & 0777, fileperms("$box->dir/spool/journal") & 0777]);
    same(1, preg_match('/^\d{16}-\d+-[0-9a-f]{6}\.log$/D', basename($files[0])));
    list($line) = file($files[0]);
    list($mark, $id, $body) = explode(' ', rtrim($line), 3);
    same('+' . hash('crc32b', "$id $body"), $mark);
    same(1, json_decode($body, true)['fields']['invoiceid']);
    foreach ([Sandbox::SECRET, substr(Sandbox::SECRET, 6), Signer::keyOf(Sandbox::SECRET), 'v1,'] as $secret) {
        check(strpos($box->traces(), $secret) === false, 'no secret and no signature');
    }
    foreach (glob("$box->dir/spool/*") as $path) {
        same(0, fileperms($path) & 077, basename($path));
        check(is_dir($path) || strpos(file_get_contents($path), substr(Sandbox::SECRET, 6)) === false, 'no secret in ' . basename($path));
    }
});

test('journal: an event is sent again with the same id and body, a fresh timestamp and signature', static function () {
    $box = new Sandbox();
    $box->config['cron_send_ms'] = 900;
    $box->bridge([problem(503, 'not-stored'), ['status' => 202]]);
    $box->fire(array_merge(events(3), [cron(60)]));
    same([1, 2, 3, 1, 2, 3], invoices($box));
    $sent = $box->sent();
    same(array_slice($sent, 0, 3), array_slice($sent, 3));
    list($first, $second) = $box->batches();
    check($second['headers']['webhook-timestamp'] >= $first['headers']['webhook-timestamp'] + 60, 'fresh timestamp');
    check($first['headers']['webhook-signature'] !== $second['headers']['webhook-signature'], 'fresh signature');
    check($first['headers']['webhook-id'] !== $second['headers']['webhook-id'], 'the batch has an id of its own');
    same([], glob("$box->dir/spool/journal/*"));
});

test('journal: only lines that are whole are read', static function () {
    $line = Journal::line('evt_1', '{"v":1}');
    same(['evt_1', '{"v":1}'], Journal::read($line));
    foreach ([rtrim($line), substr($line, 3), '-' . substr($line, 1), str_replace('"v"', '"w"', $line), "\n", '', "!\n", '+00000000 a b' . "\n"] as $bad) {
        same(null, Journal::read($bad), $bad);
    }
});

test('journal: what a killed process left is sent by the next one, and its torn end is no event', static function () {
    $box = new Sandbox();
    $box->config['url'] = 'http://127.0.0.1:1';
    $box->fire(events(3));
    list($file) = glob("$box->dir/spool/journal/*");
    file_put_contents($file, substr(Journal::line('evt_torn', '{"v":1}'), 0, 20), FILE_APPEND);
    $box->bridge([['status' => 202]]);
    $box->fire([['actor' => 'client', 'clock_offset_s' => 31] + ONE_EVENT]);
    same([7, 1, 2, 3], invoices($box), 'first what this page wrote');
    same([[], []], [glob("$box->dir/spool/journal/*"), preg_grep('/damaged/', $box->log())]);
});

test('journal: a damaged line is said and holds nothing up', static function () {
    $box = new Sandbox();
    $box->fire(events(3));
    list($file) = glob("$box->dir/spool/journal/*");
    file_put_contents($file, str_replace('"invoiceid":2', '"invoiceid":9', file_get_contents($file)));
    $box->bridge([['status' => 202]]);
    $box->fire([cron(31)]);
    same([[1, 3], []], [invoices($box), glob("$box->dir/spool/journal/*")]);
    same(['hookbridge: 1 lines of the journal are damaged and were left out'], $box->log());
});

test('journal: the file of a process that lives is left alone', static function () {
    $box = new Sandbox();
    $box->fire(events(2));
    list($file) = glob("$box->dir/spool/journal/*");
    $lock = fopen($file, 'rb');
    flock($lock, LOCK_EX);
    $box->bridge([['status' => 202]]);
    $box->fire([cron(31)]);
    same([[], [1, 2]], [invoices($box), invoicesThatWait($box)]);
    flock($lock, LOCK_UN);
    $box->fire([cron(31)]);
    same([1, 2], invoices($box));
});

test('journal: two processes at once lose nothing, and each event is sent once', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    $page = ['actor' => 'client', 'new_request' => true] + ONE_EVENT;
    $both = [$box->start(array_fill(0, 30, $page)), $box->start(array_fill(0, 30, $page)), $box->start(['AfterCronJob', 'AfterCronJob'])];
    array_map([$box, 'finish'], $both);
    $ids = array_column($box->sent(), 'id');
    same([60, 60, []], [count($ids), count(array_unique($ids)), $box->waiting()]);
});

test('journal: a file is locked before others can find it', static function () {
    $box = new Sandbox();
    $code = 'int flock(int f, int o) { char p[64], t[512]; ssize_t l; snprintf(p, 64, "/proc/self/fd/%d", f); l = readlink(p, t, 511);'
        . 't[l < 0 ? 0 : l] = 0; if (strstr(t, "/journal/") && (fcntl(f, F_GETFL) & O_ACCMODE) == O_WRONLY) {'
        . 'FILE *w = fopen("' . $box->dir . '/locked", "a"); fprintf(w, "%s\n", strrchr(t, 47) + 1); fclose(w); } return syscall(SYS_flock, f, o); }';
    $headers = ['stdio', 'string', 'unistd', 'fcntl', 'sys/syscall'];
    $env = ['LD_PRELOAD' => shim($box, '#include <' . implode(".h>\n#include <", $headers) . ".h>\n$code")];
    $box->fire([ONE_EVENT], $env);
    same([1, 1], [preg_match('/^\.tmp-\d{16}-/', file_get_contents("$box->dir/locked")), count($box->waiting())]);
});

test('journal: while another process sends, a page leaves its file to it', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    $box->fire([ONE_EVENT]);
    $lock = fopen("$box->dir/spool/send.lock", 'cb');
    flock($lock, LOCK_EX);
    $box->fire(events(2));
    same([1, [1, 2]], [count($box->batches()), invoicesThatWait($box)]);
    flock($lock, LOCK_UN);
    $box->fire([cron()]);
    same([], $box->waiting());
});

test('flush: ten thousand waiting events are one cron run', static function () {
    $box = new Sandbox();
    for ($page = 0; $page < 100; $page++) {
        $lines = '';
        for ($number = 0; $number < 100; $number++) {
            $lines .= Journal::line("evt_{$page}_$number", '{"v":1,"fields":{"invoiceid":' . ($page * 100 + $number) . '}}');
        }
        is_dir("$box->dir/spool/journal") || mkdir("$box->dir/spool/journal", 0700, true);
        file_put_contents(sprintf('%s/spool/journal/%016d-9-aaaaaa.log', $box->dir, (1700000000 + $page) * 1000000), $lines);
    }
    $box->bridge([['status' => 202]]);
    $box->fire(['AfterCronJob']);
    same([20, range(0, 9999), []], [count($box->batches()), invoices($box), glob("$box->dir/spool/journal/*")]);
});

test('flush: an event that is refused is set aside and the rest flows', static function () {
    $box = new Sandbox();
    $box->bridge([['each' => [202, [409, 'id-reused'], 202]]]);
    $box->fire(events(3));
    same([0, 1, 1], [count($box->waiting()), count($box->spooled('rejected')), count($box->log())]);
    list($id, $body) = explode("\n", $box->spooled('rejected')[0], 2);
    same([$box->sent()[1]['id'], $box->sent()[1]['body']], [$id, $body]);
});

test('flush: one event that always draws an error delays nobody', static function () {
    foreach ([500, 403, 422] as $status) {
        $box = new Sandbox();
        $box->config['url'] = 'http://127.0.0.1:1';
        $box->fire(events(30));
        $answer = $status === 422 ? problem(422, 'bad-batch') : ['status' => $status, 'body' => 'no'];
        $box->bridge([$answer + ['if' => '"invoiceid":13}']]);
        $box->fire([cron(31)]);
        same($status === 422 ? [] : [13], invoicesThatWait($box), "status $status");
        same($status === 422 ? 1 : 0, count($box->spooled('rejected')));
        $box->fire([ONE_EVENT, cron(100)]);
        same($status === 422 ? [] : [13], invoicesThatWait($box), 'nor later');
    }
});

test('flush: a web server that refuses everything is asked a few times, not for every event', static function () {
    $box = new Sandbox();
    $box->config['url'] = 'http://127.0.0.1:1';
    $box->fire(events(400));
    $box->bridge([['status' => 403, 'body' => 'no']]);
    $box->fire([cron(31)]);
    same([400, true], [count($box->waiting()), count($box->batches()) <= 13]);
    same(['hookbridge: 400 events wait for the bridge (answer 403)'], $box->log());
});

test('flush: files that cannot be read or deleted hold nobody up and are said', static function () {
    $box = new Sandbox();
    $box->fire(events(2));
    for ($number = 0; $number < 250; $number++) { // a folder in the place of a file can be read by nobody, not even by root
        mkdir(sprintf('%s/spool/journal/%016d-1-bbbbbb.log', $box->dir, $number + 1));
        symlink('/etc/passwd', sprintf('%s/spool/journal/%016d-2-cccccc.log', $box->dir, $number + 1));
    }
    $box->bridge([['status' => 202]]);
    $box->fire([cron(31)]);
    same([1, 2], invoices($box));
    same(1, count(preg_grep('/files in spool_dir cannot be read/', $box->log())));
});

test('flush: it is bounded in events', static function () {
    $box = new Sandbox();
    $box->fire(events(5));
    $box->config['flush_events_max'] = 2;
    $box->bridge([['status' => 202]]);
    $box->fire([cron(31)]);
    same([[1, 2], [3, 4, 5]], [invoices($box), invoicesThatWait($box)]);
    $box->fire([cron(31)]);
    same([1, 2, 3, 4], invoices($box), 'what is done is not sent again');
});

test('flush: one request is bounded in bytes', static function () {
    $box = new Sandbox();
    $box->config['url'] = 'http://127.0.0.1:1';
    $box->fire([['hook' => 'InvoiceCreated', 'vars' => ['invoiceid' => 1, 'status' => str_repeat('x', 2000), 'source' => str_repeat('y', 2000)],
        'repeat' => 450]]);
    $box->bridge([['status' => 202]]);
    $box->fire([cron(31)]);
    same([450, 2], [count($box->sent()), count($box->batches())]);
    check(max(array_map('strlen', array_column($box->batches(), 'body'))) <= 1048576, 'one MiB');
});

test('spool: when it is full the newest is refused, and what the bridge does not take then is counted', static function () {
    $box = new Sandbox();
    $box->config['spool_bytes_max'] = 65536;
    $box->fire([ONE_EVENT + ['repeat' => 900]]);
    $bytes = array_sum(array_map('filesize', glob("$box->dir/spool/journal/*")));
    check($bytes <= 65536 && $bytes > 64000, "bounded: $bytes");
    $lost = 900 - count($box->waiting());
    $box->fire([cron(60)]);
    check(in_array("hookbridge: $lost events were lost: spool_dir could not take them, and the bridge did not", $box->log(), true), json_encode($box->log()));
    $box->fire([['actor' => 'client', 'clock_offset_s' => 60] + ONE_EVENT]);
    $box->fire([cron(120)]);
    same(2, count(preg_grep('/events were lost/', $box->log())), 'by another page as well');
    $box->bridge([['status' => 202]]);
    $box->fire([['actor' => 'client', 'clock_offset_s' => 200] + ONE_EVENT]);
    same(7, end($box->sent()[0]['event']['fields']), 'with a bridge that listens, none is lost');
    $box->fire([cron(300)]);
    same([[], false], [$box->waiting(), is_file("$box->dir/spool/full")]);
});

test('spool: events that waited too long are dropped and reported', static function () {
    $box = new Sandbox();
    $box->config['spool_age_max_s'] = 3600;
    $box->fire(events(2));
    foreach (glob("$box->dir/spool/journal/*") as $file) {
        touch($file, time() - 3700);
    }
    $box->fire([['actor' => 'cron', 'clock_offset_s' => 31] + ONE_EVENT]);
    $box->fire([cron(100)]);
    same([7], invoicesThatWait($box));
    check(in_array('hookbridge: 2 events waited too long for the bridge and were dropped', $box->log(), true), 'reported');
});

test('spool: what version 1.1 kept is sent, and what a person moves back out of rejected/', static function () {
    $box = new Sandbox();
    mkdir("$box->dir/spool/pending", 0700, true);
    mkdir("$box->dir/spool/rejected", 0700);
    $old = static function (string $folder, int $number, int $seconds_ago) use ($box) {
        $body = '{"v":1,"hook":"InvoiceCreated","occurred_at":"2026-11-23T10:00:00Z","fields":{"invoiceid":' . $number . '}}';
        $path = sprintf('%s/spool/%s/%016d-evt_%d.event', $box->dir, $folder, (time() - $seconds_ago) * 1000000, $number);
        file_put_contents($path, "evt_$number\n$body");
        touch($path, time() - $seconds_ago);
        return $path;
    };
    $old('pending', 1, 100);
    $old('pending', 2, 90);
    file_put_contents(sprintf('%s/spool/pending/%016d-evt_empty.event', $box->dir, 1), '');
    file_put_contents("$box->dir/spool/pending/.usage", '999 0');
    file_put_contents("$box->dir/spool/pending/notes.txt", 'of an administrator');
    $refused = $old('rejected', 3, 8 * 86400);
    $box->bridge([['status' => 202]]);
    $box->fire(['AfterCronJob']);
    same([1, 2], invoices($box));
    same([['notes.txt'], true], [array_values(array_diff(scandir("$box->dir/spool/pending"), ['.', '..'])), is_file($refused)], 'nothing set aside is pruned');
    rename($refused, "$box->dir/spool/pending/" . basename($refused));
    $box->fire([cron()]);
    same([[1, 2, 3], []], [invoices($box), preg_grep('/too long/', $box->log())], 'its age counts from when it was moved');
});

test('spool: a folder that cannot be used loses nothing while the bridge listens, and never floods the log', static function () {
    $faults = [
        'cannot be made' => static function (Sandbox $box) { file_put_contents("$box->dir/spool", 'a file where the folder should be'); },
        'is a link' => static function (Sandbox $box) { mkdir("$box->dir/real", 0700); symlink("$box->dir/real", "$box->dir/spool"); },
        'by other users' => static function (Sandbox $box) { mkdir("$box->dir/spool"); chmod("$box->dir/spool", 0777); },
    ];
    foreach ($faults as $sentence => $make) {
        $box = new Sandbox();
        $make($box);
        $page = ['actor' => 'client', 'new_request' => true] + ONE_EVENT;
        $box->fire(array_fill(0, 50, $page));
        same([], $box->log(), "$sentence: pages are silent");
        $box->bridge([['status' => 202]]);
        $box->fire(array_fill(0, 3, ['clock_offset_s' => 31] + $page));
        same(3, count($box->sent()), $sentence);
        $box->fire([['hook' => 'AdminLogin', 'actor' => 'admin']]);
        same([1, 1], [count($box->log()), count(preg_grep("/spool_dir .*$sentence/", $box->log()))], json_encode($box->log()));
        $box->fire([cron(3601)]);
        same(2, count($box->log()), 'and the cron says it');
    }
});

test('spool: below the folder that the web server shows it is refused', static function () {
    $box = new Sandbox();
    $folder = "$box->dir/www/includes/hooks";
    mkdir($folder, 0700, true);
    shell_exec('cp -r ' . escapeshellarg(dirname(__DIR__, 3) . '/php-hooks') . '/hookbridge* ' . escapeshellarg($folder));
    $box->config['spool_dir'] = "$box->dir/www/spool";
    list($line) = $box->fire([ONE_EVENT, 'AdminLogin'], ['HB_STUB_DIR' => $folder]);
    same([false, 1], [$line['registered'], count(preg_grep('/`spool_dir` lies in a folder that the web server shows/', $box->log()))]);
});

test('spool: files cannot be locked: it goes on by their age, and says so', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    $shim = "$box->dir/noflock.so";
    file_put_contents("$box->dir/noflock.c", "#include <errno.h>\nint flock(int f, int o) { (void)f; (void)o; errno = ENOSYS; return -1; }\n");
    shell_exec('cc -shared -fPIC -o ' . escapeshellarg($shim) . ' ' . escapeshellarg("$box->dir/noflock.c"));
    $box->fire([['actor' => 'client'] + ONE_EVENT], ['LD_PRELOAD' => $shim]);
    same([7], invoices($box));
    same(1, count(preg_grep('/cannot be locked/', $box->log())));
    $box->config['url'] = 'http://127.0.0.1:1';
    $box->fire(events(1), ['LD_PRELOAD' => $shim]);
    $box->bridge([['status' => 202]]);
    $box->fire([cron(40)], ['LD_PRELOAD' => $shim]);
    same([1], invoicesThatWait($box), 'its writer may live');
    $box->fire([cron(1300)], ['LD_PRELOAD' => $shim]);
    same([], $box->waiting());
});
