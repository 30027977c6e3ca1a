<?php

use Hookbridge\Signer;

test('signatures: every shared vector has the expected verdict', static function () {
    foreach (vectors('signatures') as $vector) {
        $ours = (new Signer(Signer::keyOf($vector['secret'])))->sign($vector['id'], $vector['timestamp'], $vector['body']);
        same($vector['valid'], in_array($ours, explode(' ', $vector['signature']), true), $vector['name']);
    }
});

test('signatures: what is no secret gives no key', static function () {
    foreach (['', 'whsec_', 'whsec_REPLACE_ME', 'C2FVsBQIhrscChlQIMV+b5sSYspob7oD', 'whsec_' . base64_encode(str_repeat('x', 23)),
        'whsec_' . base64_encode(str_repeat('x', 65)), "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\n"] as $secret) {
        same('', Signer::keyOf($secret), $secret);
    }
    same(24, strlen(Signer::keyOf('whsec_' . base64_encode(str_repeat('x', 24)))));
});

test('signatures: a request carries the headers of the contract and the signature of its raw body', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    $box->fire([['hook' => 'InvoiceCreated', 'vars' => ['invoiceid' => 7, 'status' => "Señal & \u{1F389}"]]]);
    list($request) = $box->batches();
    $headers = $request['headers'];
    $expected = (new Signer(Signer::keyOf(Sandbox::SECRET)))
        ->sign($headers['webhook-id'], (int) $headers['webhook-timestamp'], $request['body']);
    same($expected, $headers['webhook-signature']);
    same(1, preg_match('/^bat_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/', $headers['webhook-id']), 'id');
    same(1, preg_match('/^evt_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/', $box->sent()[0]['id']), 'id of the event');
    same('billing', $headers['hookbridge-source']);
    same('application/json', $headers['content-type']);
    same((string) strlen($request['body']), $headers['content-length']);
    check(abs(time() - (int) $headers['webhook-timestamp']) < 300, 'timestamp is now');
    check(!isset($headers['expect']) && !isset($headers['transfer-encoding']), 'no Expect, no chunks');
});
