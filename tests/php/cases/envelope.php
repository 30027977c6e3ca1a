<?php

use Hookbridge\AllowList;
use Hookbridge\DenyList;
use Hookbridge\Text;

test('hooks: every shared vector gives the expected fields', static function () {
    foreach (vectors('hooks') as $vector) {
        $box = new Sandbox();
        $env = ['HB_PLATFORM_VERSION' => $vector['platform']];
        if (isset($vector['tables'])) {
            file_put_contents($box->dir . '/rows.json', json_encode((object) $vector['tables']));
            $env['HB_CAPSULE_JSON'] = $box->dir . '/rows.json';
        }
        $box->bridge([['status' => 202]]);
        $box->fire([['hook' => $vector['hook'], 'vars' => $vector['vars']]], $env);
        $requests = $box->sent();
        same($vector['sent'] ? 1 : 0, count($requests), $vector['name'] . ': requests');
        check(strpos($box->traces(), 'CANARY') === false, $vector['name'] . ': no secret leaves');
        if (!$vector['sent']) {
            continue;
        }
        $event = $requests[0]['event'];
        same($vector['hook'], $event['hook'], $vector['name']);
        same($vector['platform'], $event['platform']['version'], $vector['name']);
        foreach (['fields', 'changed', 'gone'] as $member) {
            $expected = isset($vector[$member]) ? $vector[$member] : null;
            // The order is the manifest's, and says nothing.
            same(sorted($expected), sorted(isset($event[$member]) ? $event[$member] : null), $vector['name'] . ': ' . $member);
        }
    }
});

test('envelope: it has the members of the contract, and fields is an object even when empty', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    $box->fire([
        ['hook' => 'InvoiceCreated', 'vars' => [], 'actor' => 'client', 'user_id' => 70, 'client_id' => 71],
        ['hook' => 'QuoteCreated', 'vars' => ['quoteid' => 1.5, 'status' => true]],
        ['hook' => 'QuoteCreated', 'vars' => ['quoteid' => '007', 'status' => null], 'new_request' => true],
    ]);
    list($first, $second, $third) = $box->sent();
    check(strpos($first['body'], '"fields":{}') !== false, 'fields is {}');
    same(['v', 'hook', 'occurred_at', 'request', 'actor', 'platform', 'stub', 'fields'], array_keys($first['event']));
    same(1, $first['event']['v']);
    same(1, preg_match('/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/', $first['event']['occurred_at']));
    same(1, preg_match('/^[0-9a-f]{32}$/', $first['event']['request']));
    same(['name' => 'whmcs', 'version' => '8.13.1-release.1', 'php' => PHP_VERSION], $first['event']['platform']);
    same(['quoteid' => 1.5, 'status' => true], $second['event']['fields']);
    same(['quoteid' => '007', 'status' => null], $third['event']['fields']);
    same($first['event']['request'], $second['event']['request'], 'one request id per PHP process');
    check($second['event']['request'] !== $third['event']['request'], 'another request has another id');
});

test('actor: it says who acted, without mixing up administrators and clients', static function () {
    $expected = [
        'client' => ['kind' => 'client', 'entrypoint' => 'clientarea.php', 'masquerading' => false, 'user_id' => 7, 'client_id' => 7],
        'admin' => ['kind' => 'admin', 'entrypoint' => 'clientsprofile.php', 'masquerading' => false, 'admin_id' => 3],
        'masquerade' => ['kind' => 'admin', 'entrypoint' => 'clientarea.php', 'masquerading' => true, 'admin_id' => 3,
            'user_id' => 7, 'client_id' => 7],
        'api' => ['kind' => 'api', 'entrypoint' => 'api.php', 'masquerading' => false],
        'cron' => ['kind' => 'cron', 'entrypoint' => 'cron.php'],
        'unknown' => ['kind' => 'unknown', 'entrypoint' => 'index.php', 'masquerading' => false],
    ];
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    $box->fire(array_map(static function (string $actor) {
        return ['hook' => 'ClientEdit', 'vars' => ['userid' => 7], 'actor' => $actor];
    }, array_keys($expected)));
    same(array_values($expected), array_map(static function (array $request) {
        return $request['event']['actor'];
    }, $box->sent()));
});

test('actor: an administrator who is logged in counts outside of the client area only', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    $box->fire([['hook' => 'ClientEdit', 'actor' => 'unknown', 'admin_id' => 3], ['hook' => 'ClientEdit', 'actor' => 'client', 'admin_id' => 3]]);
    $actors = array_column(array_column($box->sent(), 'event'), 'actor');
    same(['admin', 'client'], array_column($actors, 'kind'));
    same([3], array_column($actors, 'admin_id'));
});

test('allow-list: no secret-bearing key leaves, even when a manifest asks for all of them', static function () {
    $keys = ['password', 'password2', 'newpassword', 'oldpassword', 'newspassword', 'loginpassword', 'passwd', 'pwd', 'secret',
        'client_secret', 'token', 'remoteToken', 'serveraccesshash', 'accesshash', 'api_key', 'apikey', 'authdata', 'authmodule',
        'two_factor', 'second_factor', 'secondfactorconfig', 'cardnum', 'cardNum', 'ccnumber', 'cc_number', 'cvv', 'cardcvv',
        'cccvv', 'expdate', 'exp_date', 'bankacct', 'bank_code', 'bankcode', 'securityqid', 'securityqans', 'serverusername',
        'serverpassword', 'serverip', 'eppcode', 'EPPCode', 'transfersecret', 'configoption1', 'configoptions', 'PassWord_1'];
    $secrets = [];
    foreach ($keys as $number => $key) {
        $secrets[$key] = "CANARY-$number";
    }
    $vars = $secrets + ['invoiceid' => 7, 'params' => $secrets + ['clientsdetails' => $secrets, 'serviceid' => 7],
        'password_box' => ['inner' => 'CANARY-inner'], 'olddata' => array_fill_keys($keys, 'CANARY-old')];
    $fields = ['invoiceid', 'params', 'olddata', 'params.serviceid', 'password_box.inner'];
    foreach ($keys as $key) {
        array_push($fields, $key, "params.$key", "params.clientsdetails.$key", "olddata.$key");
    }
    $hooks = [];
    foreach (array_chunk($fields, 60) as $number => $chunk) {
        $hooks["Greedy$number"] = ['fields' => $chunk, 'diff' => $keys];
    }
    foreach (['202' => 202, '503' => 503, '422' => 422] as $status) {
        $box = new Sandbox();
        $box->bridge([$status === 422 ? ['each' => [[422, 'bad-envelope']]] : ['status' => $status]]);
        $box->manifest(['hooks' => $hooks]);
        $shots = array_map(static function (string $hook) use ($vars) {
            return ['hook' => $hook, 'vars' => $vars];
        }, array_keys($hooks));
        $box->fire(array_merge($shots, $shots, ['AfterCronJob']));
        check(count($box->sent()) > 0, 'something was sent');
        check(strpos($box->traces(), 'CANARY') === false, "no secret leaves when the bridge answers $status");
        $refusals = preg_grep('/never leaves PHP/', $box->log());
        check(count($refusals) > 100, 'refusals are reported');
        same(count($refusals), count(array_unique($refusals)), 'each refusal is reported once');
    }
});

test('deny-list: ordinary names pass', static function () {
    foreach (['params.serviceid', 'mergefields.quote_number', 'phonenumber', 'address1', 'postcode', 'country', 'tax_id',
        'language', 'messagename', 'params.addonId', 'params.domain', 'companyname'] as $path) {
        check(!DenyList::refuses($path), $path);
    }
});

test('text: it is cut on a character boundary and invalid bytes are replaced', static function () {
    same(str_repeat('a', 2000), Text::clean(str_repeat('a', 2001), 2000));
    same('aña', Text::clean('aña', 4));
    same('a', Text::clean('aña', 2));
    same('x', Text::clean("x\u{1F389}", 4));
    same("x\u{1F389}", Text::clean("x\u{1F389}y", 5));
    same("a\u{FFFD}b", Text::clean("a\xFFb", 2000));
    same("\u{FFFD}", Text::clean(str_repeat("\xFF", 5), 5));
    foreach (["\x80\x80\x80\x80\x80", "\xF0\x9F\x8E", "ok\xC3", "\xED\xA0\x80"] as $bytes) {
        same(1, preg_match('//u', Text::clean($bytes, 4)), bin2hex($bytes));
        check(strlen(Text::clean($bytes, 4)) <= 4, bin2hex($bytes));
    }
});

test('allow-list: objects, arrays and what JSON cannot say are left out', static function () {
    $allow = new AllowList('strval');
    $vars = ['a' => ['b' => 1, 'c' => [1]], 'd' => new stdClass(), 'e' => NAN, 'f' => INF, 'g' => STDIN, 'h' => 1.0, 'i' => ''];
    same(['a' => ['b' => 1], 'h' => 1.0, 'i' => ''], $allow->pick($vars, ['a.b', 'a.c', 'a', 'd', 'd.x', 'e', 'f', 'g', 'h', 'i', 'j', 'a.b.c'], 2000));
    foreach ([null, 'text', 7, new stdClass(), true] as $garbage) {
        same([], $allow->pick($garbage, ['a', 'a.b'], 2000));
        same(null, $allow->changed($garbage, ['a']));
    }
});
