<?php

const ONE_EVENT = ['hook' => 'InvoiceCreated', 'vars' => ['invoiceid' => 7]];

/** A problem+json answer of the bridge. */
function problem(int $status, string $code, array $headers = []): array
{
    return ['status' => $status, 'headers' => $headers + ['Content-Type' => 'application/problem+json'],
        'body' => json_encode(['type' => "https://hookbridge.dev/problems/$code", 'status' => $status, 'code' => $code])];
}

test('sender: 202 is done and leaves nothing behind', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202, 'body' => '{"id":"evt_x","duplicate":false}']]);
    $box->fire([ONE_EVENT, 'AfterCronJob']);
    same([1, [], [], []], [count($box->requests()), $box->spooled(), $box->spooled('rejected'), $box->log()]);
});

test('sender: 50 hooks use one connection', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202, 'body' => '{"id":"evt_x","duplicate":false}']]);
    $box->fire([ONE_EVENT + ['repeat' => 50]]);
    same([50, [1]], [count($box->requests()), array_values(array_unique(array_column($box->requests(), 'connection')))]);
});

test('sender: 1000 hooks with a hanging bridge cost one timeout and are all kept', static function () {
    $box = new Sandbox();
    $box->bridge([['does' => 'hang']]);
    $box->config['total_timeout_ms'] = 2000;
    list($line) = $box->fire([ONE_EVENT + ['repeat' => 1000]]);
    // One request: the other 999 did not wait. Far from 1000 timeouts, however slow the machine is.
    check($line['elapsed_us'] < 60 * 1000000, "no timeout per hook, took {$line['elapsed_us']} us");
    same([1, 1000], [count($box->requests()), count($box->spooled())]);
});

test('sender: nobody listens: the page does not wait and the event is kept', static function () {
    $box = new Sandbox();
    list($line) = $box->fire([ONE_EVENT + ['repeat' => 1000]]);
    same(1000, count($box->spooled()));
    check($line['elapsed_us'] < 60 * 1000000, 'no wait');
});

test('sender: slow headers end with the budget', static function () {
    $box = new Sandbox();
    $box->bridge([['does' => 'drip']]);
    $box->config['total_timeout_ms'] = 300;
    list($line) = $box->fire([ONE_EVENT]);
    check($line['elapsed_us'] >= 250000 && $line['elapsed_us'] < 30 * 1000000, "took {$line['elapsed_us']} us");
    same(1, count($box->spooled()));
});

test('sender: a connection that is closed without an answer keeps the event', static function () {
    $box = new Sandbox();
    $box->bridge([['does' => 'close']]);
    $box->fire([ONE_EVENT]);
    same(1, count($box->spooled()));
});

test('sender: the answers of the contract: done, later or set aside', static function () {
    $later = [problem(429, 'rate-limited', ['Retry-After' => '7']), problem(503, 'not-stored', ['Retry-After' => '1']),
        problem(500, 'internal'), problem(401, 'stale-timestamp'), ['status' => 200, 'body' => '<h1>Welcome to nginx</h1>'],
        ['status' => 302, 'headers' => ['Location' => 'http://127.0.0.1:1/']], ['status' => 204]];
    $rejected = [problem(401, 'bad-signature'), problem(401, 'unknown-source'), problem(409, 'id-reused'), problem(411, 'length-required'),
        problem(413, 'body-too-large'), problem(415, 'not-json'), problem(422, 'bad-envelope'), ['status' => 404, 'body' => 'no'],
        ['status' => 401, 'body' => '"stale-timestamp"']];
    foreach ([[$later, [1, 0]], [$rejected, [0, 1]]] as list($answers, $expected)) {
        foreach ($answers as $answer) {
            $box = new Sandbox();
            $box->bridge([$answer]);
            $box->fire([ONE_EVENT]);
            same($expected, [count($box->spooled()), count($box->spooled('rejected'))], json_encode($answer));
        }
    }
});

test('sender: an event that the bridge refuses is reported once and never sent again', static function () {
    $box = new Sandbox();
    $box->bridge([problem(422, 'bad-envelope')]);
    $box->fire([ONE_EVENT, 'AfterCronJob', ['hook' => 'AfterCronJob', 'new_request' => true], ONE_EVENT]);
    same(2, count($box->requests()));
    same(['hookbridge: the bridge refuses events (answer 422 bad-envelope); they are set aside in rejected/ and not sent again'], $box->log());
});

test('sender: an answer larger than 64 KiB is cut off and its status counts', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202, 'bytes' => 5000000], ['status' => 422, 'bytes' => 5000000]]);
    list($line) = $box->fire([ONE_EVENT, ONE_EVENT]);
    same([0, 1], [count($box->spooled()), count($box->spooled('rejected'))]);
});

test('sender: a redirect is not followed and no proxy of the environment is used', static function () {
    $box = new Sandbox();
    $port = $box->bridge([['status' => 307, 'headers' => ['Location' => '/elsewhere']]]);
    $box->fire([ONE_EVENT], ['http_proxy' => 'http://127.0.0.1:1', 'all_proxy' => 'http://127.0.0.1:1']);
    same([1, 0, 1], [count($box->requests()), count($box->requests('/elsewhere')), count($box->spooled())]);
});

test('sender: the circuit closes again after its time', static function () {
    $box = new Sandbox();
    $box->bridge([problem(503, 'not-stored'), ['status' => 202]]);
    $box->fire([ONE_EVENT, ONE_EVENT, ONE_EVENT + ['clock_offset_s' => 31]]);
    same([2, 2], [count($box->requests()), count($box->spooled())]);
});

test('sender: Retry-After keeps the circuit open for longer', static function () {
    $box = new Sandbox();
    $box->bridge([problem(429, 'rate-limited', ['Retry-After' => '120']), ['status' => 202]]);
    $box->fire([ONE_EVENT, ONE_EVENT + ['clock_offset_s' => 31], ONE_EVENT + ['clock_offset_s' => 121]]);
    same([2, 2], [count($box->requests()), count($box->spooled())]);
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
    same([0, 1], [count($box->requests()), count($box->spooled())]);
});

test('TLS: the certificate of ca_file is trusted', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]], ['tls' => certificate($box, 'IP:127.0.0.1')]);
    $box->config['ca_file'] = "$box->dir/ca.pem";
    $box->fire([ONE_EVENT + ['repeat' => 3]]);
    same([3, 0], [count($box->requests()), count($box->spooled())]);
});

test('TLS: a trusted certificate for another host is refused', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]], ['tls' => certificate($box, 'DNS:elsewhere.example')]);
    $box->config['ca_file'] = "$box->dir/ca.pem";
    $box->fire([ONE_EVENT]);
    same([0, 1], [count($box->requests()), count($box->spooled())]);
});
