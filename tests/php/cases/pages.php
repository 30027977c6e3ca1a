<?php

/** Waits until something else has happened, never for a time: gives up only when it will never happen. */
function until(callable $holds, string $what): void
{
    for ($try = 0; $try < 2000; $try++) {
        if ($holds()) {
            return;
        }
        usleep(5000);
    }
    throw new RuntimeException("never: $what");
}

test('pages: FPM finishes the response before anything is sent', static function () {
    $box = new Sandbox();
    $sapi = new Sapi($box);
    // Answers only when this test says so: as long as the page's output is not complete, it would wait for ever.
    $box->bridge([['does' => 'wait', 'status' => 202]]);
    foreach (['hooks=1', 'hooks=6', 'hooks=3&exit=1'] as $number => $query) {
        same('end', substr($sapi->page('fpm', $query), -3), 'the whole page, and what other code prints at its end');
        until(static function () use ($box, $number) {
            return count($box->batches()) === $number + 1;
        }, 'the batch is sent');
        check(count($box->waiting()) > 0, 'and kept until it is answered');
        $box->go();
        until(static function () use ($box) {
            return $box->waiting() === [];
        }, 'the journal is emptied');
    }
    same([1, 1, 2, 3, 4, 5, 6, 1, 2, 3], invoices($box));
    same(['client'], array_values(array_unique(array_map(static function (array $sent) {
        return $sent['event']['actor']['kind'];
    }, $box->sent()))));
});

test('pages: with a bridge that hangs, twenty pages of FPM at once are complete and it is asked once', static function () {
    $box = new Sandbox();
    $sapi = new Sapi($box);
    $box->bridge([['does' => 'hang']]);
    for ($page = 0; $page < 20; $page++) {
        check(strpos($sapi->page('fpm', 'hooks=6'), 'page end') !== false, 'complete');
    }
    same([1, 120], [count($box->batches()), count($box->waiting())]);
});

test('pages: where PHP cannot finish early, a page is one request, and an outage is asked of once', static function () {
    foreach (['cgi', 'apache'] as $kind) {
        $box = new Sandbox();
        $box->config['page_send_ms'] = 4000;
        $sapi = new Sapi($box);
        $box->bridge([['status' => 202]]);
        check(strpos($sapi->page($kind, 'hooks=6'), 'page end') !== false, "$kind: complete");
        same([1, range(1, 6), []], [count($box->batches()), invoices($box), $box->waiting()], $kind);
        $box->config['page_send_ms'] = 150;
        $box->bridge([['does' => 'hang']]);
        for ($page = 0; $page < 5; $page++) {
            check(strpos($sapi->page($kind, 'hooks=6'), 'page end') !== false, "$kind: complete");
        }
        same([2, 30], [count($box->batches()), count($box->waiting())], "$kind: one request by all five");
    }
});

test('pages: a page without hooks loads four files at most, and asks nothing of anybody', static function () {
    foreach (Sapi::pages() as $kind) {
        $box = new Sandbox();
        $box->bridge([['status' => 202]]);
        $sapi = new Sapi($box);
        $sapi->page($kind, 'hooks=0');
        // page.php and runtime.php are not ours
        same(4, (int) $sapi->page($kind, 'hooks=0') - 2, "$kind: the entry, Stub.php, config.php, the compiled manifest");
        same([0, false], [count($box->batches()), is_dir("$box->dir/spool/journal")]);
        unset($sapi);
    }
});

test('pages: a php-cgi that no web server started is the cron', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    $box->write();
    $sapi = new Sapi($box);
    $sapi->shell('hooks=1');
    same('cron', $box->sent()[0]['event']['actor']['kind']);
});
