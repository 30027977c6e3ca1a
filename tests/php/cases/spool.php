<?php

use Hookbridge\Signer;

/** @return array[] shots with invoice ids from 1 */
function events(int $count): array
{
    return array_map(static function (int $number) {
        return ['hook' => 'InvoiceCreated', 'vars' => ['invoiceid' => $number]];
    }, range(1, $count));
}

/** @return int[] */
function invoices(Sandbox $box): array
{
    return array_map(static function (array $request) {
        return $request['event']['fields']['invoiceid'];
    }, $box->requests());
}

test('spool: files are for this user only and hold id and body, no secret', static function () {
    $box = new Sandbox();
    $box->fire([ONE_EVENT]);
    $files = glob("$box->dir/spool/pending/*");
    same([1, 0600], [count($files), fileperms($files[0]) & 0777]);
    same([0700, 0700], [fileperms("$box->dir/spool") & 0777, fileperms("$box->dir/spool/pending") & 0777]);
    list($id, $body) = explode("\n", file_get_contents($files[0]), 2);
    same(7, json_decode($body, true)['fields']['invoiceid']);
    same(1, preg_match("/^\d{16}-$id\.event$/", basename($files[0])));
    check(strpos(file_get_contents($files[0]), 'v1,') === false, 'no signature');
    foreach ([Sandbox::SECRET, substr(Sandbox::SECRET, 6), Signer::keyOf(Sandbox::SECRET)] as $secret) {
        check(strpos($box->traces(), $secret) === false, 'no secret');
    }
});

test('spool: it is sent again oldest first, with the same id and body and a fresh timestamp and signature', static function () {
    $box = new Sandbox();
    $box->bridge([problem(503, 'not-stored'), ['status' => 202]]);
    $box->fire(array_merge(events(3), [['hook' => 'AfterCronJob', 'new_request' => true, 'clock_offset_s' => 60]]));
    same([1, 1, 2, 3], invoices($box));
    list($first, $second) = $box->requests();
    same($first['headers']['webhook-id'], $second['headers']['webhook-id']);
    same($first['body'], $second['body']);
    check($second['headers']['webhook-timestamp'] >= $first['headers']['webhook-timestamp'] + 60, 'fresh timestamp');
    check($first['headers']['webhook-signature'] !== $second['headers']['webhook-signature'], 'fresh signature');
    same([[], '0 0'], [$box->spooled(), file_get_contents("$box->dir/spool/pending/.usage")]);
});

test('spool: a flush stops at the first failure and says what waits', static function () {
    $box = new Sandbox();
    $box->bridge([problem(503, 'not-stored'), ['status' => 202], problem(503, 'not-stored')]);
    $box->fire(array_merge(events(4), [['hook' => 'AfterCronJob', 'new_request' => true]]));
    same([1, 1, 2], invoices($box));
    same([3, ['hookbridge: 3 events wait for the bridge (answer 503 not-stored)']], [count($box->spooled()), $box->log()]);
});

test('spool: an event that is refused in a flush is set aside and the rest flows', static function () {
    $box = new Sandbox();
    $box->bridge([problem(503, 'not-stored'), ['status' => 202], problem(409, 'id-reused'), ['status' => 202]]);
    $box->fire(array_merge(events(3), [['hook' => 'AfterCronJob', 'new_request' => true]]));
    same([1, 1, 2, 3], invoices($box));
    same([0, 1, 1], [count($box->spooled()), count($box->spooled('rejected')), count($box->log())]);
});

test('spool: a flush is bounded in events', static function () {
    $box = new Sandbox();
    $box->config['flush_events_max'] = 2;
    $box->bridge([problem(503, 'not-stored'), ['status' => 202]]);
    $box->fire(array_merge(events(5), [['hook' => 'AfterCronJob', 'new_request' => true], 'AfterCronJob']));
    same([1, 1, 2, 3, 4], invoices($box));
});

test('spool: when it is full the newest is refused, counted, and reported once an hour', static function () {
    $box = new Sandbox();
    $box->config['spool_bytes_max'] = 65536;
    $box->fire([ONE_EVENT + ['repeat' => 500], ONE_EVENT + ['clock_offset_s' => 3601]]);
    $bytes = array_sum(array_map('strlen', $box->spooled()));
    check($bytes <= 65536 && $bytes > 64000, "bounded: $bytes");
    $lost = 501 - count($box->spooled());
    same(2, count($box->log()));
    $reported = array_sum(array_map(static function (string $line) {
        return (int) preg_replace('/.*; (\d+) events were lost.*/', '$1', $line);
    }, $box->log()));
    same($lost, $reported, 'every lost event is counted');
});

test('spool: events that waited too long are dropped and reported', static function () {
    $box = new Sandbox();
    $box->config['spool_age_max_s'] = 3600;
    $box->fire(array_merge(events(2), [['hook' => 'InvoiceCreated', 'vars' => ['invoiceid' => 9], 'clock_offset_s' => 3000],
        ['hook' => 'AfterCronJob', 'clock_offset_s' => 3700]]));
    same(1, count($box->spooled()));
    check(in_array('hookbridge: 2 events waited too long for the bridge and were dropped', $box->log(), true), 'reported');
});

test('spool: two processes flush at once and each event is sent once', static function () {
    $box = new Sandbox();
    $box->fire(events(100));
    $box->bridge([['status' => 202]]);
    $both = [$box->start(['AfterCronJob']), $box->start(['AfterCronJob'])];
    array_map([$box, 'finish'], $both);
    same(range(1, 100), invoices($box));
    same([], $box->spooled());
});

test('spool: while another process holds the lock nothing is flushed', static function () {
    $box = new Sandbox();
    $box->fire(events(2));
    $box->bridge([['status' => 202]]);
    $lock = fopen("$box->dir/spool/flush.lock", 'cb');
    flock($lock, LOCK_EX);
    $box->fire(['AfterCronJob']);
    same([], $box->requests());
    flock($lock, LOCK_UN);
    $box->fire(['AfterCronJob']);
    same([1, 2], invoices($box));
});

test('spool: two processes that spool at once lose nothing and keep the count', static function () {
    $box = new Sandbox();
    $both = [$box->start([ONE_EVENT + ['repeat' => 300]]), $box->start([ONE_EVENT + ['repeat' => 300]])];
    array_map([$box, 'finish'], $both);
    same(600, count($box->spooled()));
});

test('spool: leftovers of killed processes do not stand in the way', static function () {
    $box = new Sandbox();
    $box->fire(events(1));
    $pending = "$box->dir/spool/pending";
    file_put_contents("$pending/.tmp-abc-x.event", 'half');
    touch("$pending/.tmp-abc-x.event", time() - 7200);
    file_put_contents("$pending/0000000000000001-evt_empty.event", '');
    touch("$pending/0000000000000001-evt_empty.event");
    file_put_contents(sprintf('%s/%016d-evt_b.event', $pending, time() * 1000000), '');
    file_put_contents("$pending/notes.txt", 'of an administrator');
    file_put_contents("$pending/.usage", '999999999 0');
    $box->bridge([['status' => 202]]);
    $box->fire(['AfterCronJob', 'AfterCronJob']);
    same([1], invoices($box));
    same(['.usage', 'notes.txt'], array_values(array_diff(scandir($pending), ['.', '..'])));
    same('0 0', file_get_contents("$pending/.usage"));
});

test('spool: a folder that cannot be written is reported and breaks nothing', static function () {
    $box = new Sandbox();
    file_put_contents("$box->dir/spool", 'a file where the folder should be');
    $box->fire([ONE_EVENT, ONE_EVENT, 'AfterCronJob']);
    same(['hookbridge: the spool cannot be written; events are being lost',
        'hookbridge: spool_dir cannot be written; nothing can wait for the bridge'], $box->log());
});
