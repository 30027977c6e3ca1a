<?php

const ONE_EVENT = ['hook' => 'InvoiceCreated', 'vars' => ['invoiceid' => 7]];

/** A problem+json answer of the bridge. */
function problem(int $status, string $code, array $headers = []): array
{
    return ['status' => $status, 'headers' => $headers + ['Content-Type' => 'application/problem+json'],
        'body' => json_encode(['type' => "https://hookbridge.dev/problems/$code", 'status' => $status, 'code' => $code])];
}

/** @return array[] shots with invoice ids from 1 */
function events(int $count, int $first = 1): array
{
    return array_map(static function (int $number) {
        return ['hook' => 'InvoiceCreated', 'vars' => ['invoiceid' => $number]];
    }, range($first, $first + $count - 1));
}

/** @return int[] of what the bridge got, in order */
function invoices(Sandbox $box): array
{
    return array_map(static function (array $sent) {
        return $sent['event']['fields']['invoiceid'];
    }, $box->sent());
}

/** @return int[] of what waits, in order */
function invoicesThatWait(Sandbox $box): array
{
    return array_map(static function (array $waiting) {
        return json_decode($waiting[1], true)['fields']['invoiceid'];
    }, $box->waiting());
}

/** The platform's cron in a process of its own. */
function cron(int $offset_s = 0): array
{
    return ['hook' => 'AfterCronJob', 'actor' => 'cron', 'new_request' => true, 'clock_offset_s' => $offset_s];
}

test('sender: what a page wrote is one request at its end, and leaves nothing behind', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    $box->fire(array_merge(events(50), ['AfterCronJob']));
    same([1, range(1, 50)], [count($box->batches()), invoices($box)]);
    same([[], [], [], []], [$box->waiting(), glob("$box->dir/spool/journal/*"), $box->spooled('rejected'), $box->log()]);
});

test('sender: no hook waits for the bridge, and one that hangs is asked once by all pages together', static function () {
    $box = new Sandbox();
    $box->bridge([['does' => 'hang']]);
    $box->config['page_send_ms'] = 300;
    $shots = [];
    for ($page = 0; $page < 20; $page++) {
        $shots[] = ['actor' => 'client', 'new_request' => true, 'repeat' => 3] + ONE_EVENT;
    }
    $box->fire($shots);
    same([1, 60], [count($box->batches()), count($box->waiting())], 'one request, at the end of the first page');
    $box->fire([['actor' => 'client'] + ONE_EVENT]);
    same([1, 61], [count($box->batches()), count($box->waiting())], 'another process knows it as well');
});

test('sender: slow headers and a flood end with the time that a page has', static function () {
    foreach ([['does' => 'drip'], ['does' => 'close'], ['status' => 200, 'bytes' => 5000000]] as $answer) {
        $box = new Sandbox();
        $box->bridge([$answer]);
        $box->config['page_send_ms'] = 300;
        $box->fire([['actor' => 'client'] + ONE_EVENT]);
        same([1, 1], [count($box->batches()), count($box->waiting())], json_encode($answer));
    }
});

test('sender: nobody listens: all is kept', static function () {
    $box = new Sandbox();
    $box->fire([ONE_EVENT + ['repeat' => 1000]]);
    same(1000, count($box->waiting()));
});

test('sender: the answers of the contract: done, later or set aside', static function () {
    $later = [problem(429, 'rate-limited', ['Retry-After' => '7']), problem(503, 'not-stored', ['Retry-After' => '1']),
        problem(500, 'internal'), problem(401, 'stale-timestamp'), problem(401, 'bad-signature'), problem(401, 'unknown-source'),
        problem(404, 'not-found'), problem(405, 'method-not-allowed'), problem(408, 'body-timeout'), problem(400, 'body-broken'),
        ['status' => 200, 'body' => '<h1>Welcome to nginx</h1>'], ['status' => 200, 'body' => '{"events":[]}'],
        ['status' => 200, 'body' => '{"events":[{"id":"evt_other","status":202}]}'], ['status' => 200, 'body' => '{"events":[7,{"id":7}]}'],
        ['status' => 302, 'headers' => ['Location' => 'http://127.0.0.1:1/']], ['status' => 204], ['status' => 202, 'body' => '{}'],
        ['status' => 403, 'body' => 'no'], ['status' => 404, 'body' => '<html>'], ['status' => 405], ['status' => 413, 'body' => 'nginx'],
        ['status' => 422, 'body' => '{"code":"bad-envelope"}'], ['each' => [[429, 'rate-limited']]], ['each' => [[503, 'not-stored']]],
        ['each' => [[500, 'internal']]], ['each' => [[422, 'a-code-of-tomorrow']]]];
    $rejected = [['each' => [[409, 'id-reused']]], ['each' => [[413, 'body-too-large']]], ['each' => [[422, 'bad-envelope']]],
        problem(413, 'body-too-large'), problem(422, 'bad-batch')];
    foreach ([[$later, [1, 0], 900], [$rejected, [0, 1], 10000]] as list($answers, $expected, $cron_send_ms)) {
        foreach ($answers as $answer) {
            foreach (['client', 'cron'] as $actor) {
                $box = new Sandbox();
                $box->config['cron_send_ms'] = $cron_send_ms; // no pause fits; but what is refused must have come back by then, on a busy machine too
                $box->bridge([$answer]);
                $box->fire([['actor' => $actor] + ONE_EVENT]);
                same($expected, [count($box->waiting()), count($box->spooled('rejected'))], "$actor: " . json_encode($answer));
            }
        }
    }
});

test('sender: an event that the bridge refuses is reported once and never sent again', static function () {
    $box = new Sandbox();
    $box->bridge([['each' => [[422, 'bad-envelope']]]]);
    $box->fire([ONE_EVENT, 'AfterCronJob', cron(), ONE_EVENT]);
    same(2, count($box->sent()));
    same(['hookbridge: the bridge refuses events (answer 422 bad-envelope); they are set aside in rejected/ and not sent again'], $box->log());
});

test('sender: a redirect is not followed and no proxy of the environment is used', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 307, 'headers' => ['Location' => '/elsewhere']]]);
    $box->fire([ONE_EVENT], ['http_proxy' => 'http://127.0.0.1:1', 'all_proxy' => 'http://127.0.0.1:1']);
    same([1, 0, 1], [count($box->batches()), count($box->requests('/elsewhere')), count($box->waiting())]);
});

test('circuit: it is opened by a failure that was got, not by what it holds back, and closes after its time', static function () {
    foreach (['new pages' => true, 'one process' => false] as $how => $new) {
        $box = new Sandbox();
        $box->config['cron_send_ms'] = 900;
        $box->bridge([problem(503, 'down'), ['status' => 202]]);
        $shots = [];
        for ($second = 0; $second <= 28; $second += 4) { // each of these would have begun the 30 seconds anew
            $shots[] = ['clock_offset_s' => $second, 'new_request' => $new, 'actor' => 'cron'] + ONE_EVENT;
        }
        $box->fire(array_merge($shots, [['clock_offset_s' => 35, 'new_request' => $new] + ONE_EVENT]));
        // The last page sends its own, and then what the others left.
        same([$new ? 3 : 2, 0], [count($box->batches()), count($box->waiting())], $how);
    }
});

test('circuit: a pause that the bridge asks for is kept to the second, neither shorter nor longer', static function () {
    $box = new Sandbox();
    $page = ['actor' => 'client', 'new_request' => true] + ONE_EVENT;
    $box->bridge([problem(429, 'rate-limited', ['Retry-After' => '120']), ['status' => 202]]);
    $shots = [$page];
    foreach ([5, 36, 117] as $second) {
        $shots[] = ['clock_offset_s' => $second] + $page;
    }
    $box->fire($shots);
    same([1, 4], [count($box->batches()), count($box->waiting())]);
    $box->fire([['clock_offset_s' => 121] + $page]);
    same(0, count($box->waiting()));
    $box = new Sandbox();
    $box->bridge([problem(429, 'rate-limited', ['Retry-After' => '2']), ['status' => 202]]);
    $box->fire([$page, ['clock_offset_s' => 3] + $page]);
    same(0, count($box->waiting()), 'shorter than circuit_open_s');
});

test('circuit: a cron keeps a pause that fits into its time, and sends the rest after it', static function () {
    $box = new Sandbox();
    $limited = ['each' => [202, 202, [429, 'rate-limited']], 'headers' => ['Retry-After' => '3']];
    $box->bridge([$limited, problem(429, 'rate-limited', ['Retry-After' => '2']), ['status' => 202]]);
    $box->fire(events(5));
    same([[1, 2, 3, 4, 5, 3, 4, 5, 3, 4, 5], 0], [invoices($box), count($box->waiting())]);
});

test('circuit: an event that failed does not stop the terminations of the day', static function () {
    $box = decidingBox('closed');
    $box->config['cron_send_ms'] = 900;
    $box->bridge([problem(500, 'internal'), ruling('allow')]);
    $shots = [['actor' => 'cron', 'new_request' => true] + ONE_EVENT];
    for ($second = 31; $second < 231; $second += 20) {
        $vars = ['params' => ['serviceid' => $second, 'userid' => 7]];
        $shots[] = ['hook' => 'PreModuleTerminate', 'vars' => $vars, 'new_request' => true, 'clock_offset_s' => $second];
    }
    same(array_fill(0, 11, null), array_column($box->decide($shots), 'returned'));
});

test('address: a page resolves no name; the cron does, and remembers', static function () {
    $box = new Sandbox();
    $port = $box->bridge([['status' => 202]], ['tls' => certificate($box, 'DNS:bridge.example')]);
    $box->config['ca_file'] = "$box->dir/ca.pem";
    $box->config['url'] = "https://bridge.example:$port"; // a name that resolves nowhere
    $box->fire([['actor' => 'client'] + ONE_EVENT]);
    same([0, 1], [count($box->batches()), count($box->waiting())], 'not known yet: it waits for the cron');
    $box->config['address'] = '127.0.0.1';
    $box->fire([['actor' => 'client'] + ONE_EVENT]);
    same(0, count($box->waiting()), 'the certificate is checked against the name');
    unset($box->config['address']);
    $box->fire([['actor' => 'client'] + ONE_EVENT]);
    same(1, count($box->waiting()), 'an address of config.php is not remembered beyond it');
    $url = $box->config['url'];
    file_put_contents("$box->dir/spool/address-" . substr(hash('sha256', $url), 0, 16), '127.0.0.1');
    $box->fire([['actor' => 'client'] + ONE_EVENT]);
    same(0, count($box->waiting()), 'as the cron writes it');
});

test('address: localhost is not looked up, and a cron writes down where it reached the bridge', static function () {
    $box = new Sandbox();
    $port = $box->bridge([['status' => 202]]);
    $box->config['url'] = "http://localhost:$port";
    $box->fire([['actor' => 'client'] + ONE_EVENT]);
    same(0, count($box->waiting()));
    $box->fire([ONE_EVENT]);
    same(['127.0.0.1'], array_map('file_get_contents', glob("$box->dir/spool/address-*")));
});

test('meanwhile: a long cron sends every 500 events or two seconds, in order', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    $box->fire(array_merge(events(1100), [['clock_offset_s' => 1] + ONE_EVENT, ['clock_offset_s' => 3] + ONE_EVENT, ONE_EVENT]));
    same([500, 500, 102, 1], array_map(static function (array $batch) {
        return count($batch['event']['events']);
    }, $box->batches()));
    same(array_merge(range(1, 1100), [7, 7, 7]), invoices($box));
});

test('meanwhile: a cron whose bridge hangs spends its budget once', static function () {
    $box = new Sandbox();
    $box->bridge([['does' => 'hang']]);
    $box->config['cron_send_ms'] = 300;
    $box->fire(events(1600));
    same([1, 1600], [count($box->batches()), count($box->waiting())]);
    same(range(1, 1600), invoicesThatWait($box));
});

/** A self-signed certificate for the name or address, in one file with its key. */
function certificate(Sandbox $box, string $alternative): string
{
    $settings = "$box->dir/openssl.cnf";
    file_put_contents($settings, "[req]\ndistinguished_name=dn\n[dn]\n[ext]\nsubjectAltName=$alternative\nbasicConstraints=CA:TRUE\n");
    $options = ['config' => $settings, 'x509_extensions' => 'ext', 'digest_alg' => 'sha256', 'private_key_type' => OPENSSL_KEYTYPE_RSA,
        'private_key_bits' => 2048];
    $key = openssl_pkey_new($options);
    $certificate = openssl_csr_sign(openssl_csr_new(['commonName' => 'hookbridge test'], $key, $options), null, $key, 2, $options);
    openssl_x509_export($certificate, $certificate_text);
    openssl_pkey_export($key, $key_text, null, $options);
    file_put_contents("$box->dir/ca.pem", $certificate_text);
    file_put_contents("$box->dir/both.pem", $certificate_text . $key_text);
    return "$box->dir/both.pem";
}

test('TLS: a certificate that nobody vouches for is refused and the event is kept', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]], ['tls' => certificate($box, 'IP:127.0.0.1')]);
    $box->fire([ONE_EVENT]);
    same([0, 1], [count($box->batches()), count($box->waiting())]);
});

test('TLS: the certificate of ca_file is trusted', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]], ['tls' => certificate($box, 'IP:127.0.0.1')]);
    $box->config['ca_file'] = "$box->dir/ca.pem";
    $box->fire([ONE_EVENT + ['repeat' => 3]]);
    same([3, 0], [count($box->sent()), count($box->waiting())]);
});

test('TLS: a trusted certificate for another host is refused', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]], ['tls' => certificate($box, 'DNS:elsewhere.example')]);
    $box->config['ca_file'] = "$box->dir/ca.pem";
    $box->fire([ONE_EVENT]);
    same([0, 1], [count($box->batches()), count($box->waiting())]);
});
