<?php

use Hookbridge\AllowList;
use Hookbridge\DenyList;
use Hookbridge\Text;

/** Bodies as they are on any PHP, at any time: for comparing them byte for byte (scripts/php-matrix.sh). */
function compareLater(string $what, array $bodies): void
{
    $folder = getenv('HB_BODIES_OUT');
    if (is_string($folder) && $folder !== '') {
        $same = ['/"occurred_at":"[^"]*"/' => '"occurred_at":""', '/"request":"[^"]*"/' => '"request":""', '/"php":"[^"]*"/' => '"php":""'];
        file_put_contents("$folder/$what", preg_replace(array_keys($same), array_values($same), implode("\n", $bodies)) . "\n");
    }
}

test('contract: every shared vector of a hook gives the expected fields', static function () {
    $box = new Sandbox();
    $box->leaveAlone(); // what was written down is looked at, not what was sent
    $vectors = vectors('hooks');
    $shots = array_map(static function (array $vector): array {
        return ['hook' => $vector['hook'], 'vars' => $vector['vars'], 'platform' => $vector['platform'], 'new_request' => true,
            'tables' => isset($vector['tables']) ? $vector['tables'] : []];
    }, $vectors);
    $box->fire(array_merge(['Nothing'], $shots));
    check(strpos($box->traces(), 'CANARY') === false, 'no secret leaves');
    $bodies = array_column($box->waiting(), 1);
    compareLater('hooks', $bodies);
    $sent = array_map(static function (string $body): array {
        return json_decode($body, true);
    }, $bodies);
    foreach ($vectors as $vector) {
        if (!$vector['sent']) {
            continue;
        }
        $event = array_shift($sent);
        same($vector['hook'], $event['hook'], $vector['name']);
        same($vector['platform'], $event['platform']['version'], $vector['name']);
        foreach (['fields', 'changed', 'gone'] as $member) {
            $expected = isset($vector[$member]) ? $vector[$member] : null;
            // The order is the manifest's, and says nothing.
            same(sorted($expected), sorted(isset($event[$member]) ? $event[$member] : null), $vector['name'] . ': ' . $member);
        }
    }
    same([], $sent, 'nothing more was sent');
});

test('contract: every hook that is listened to has vectors of every version of the platform that has it', static function () {
    $manifest = json_decode(file_get_contents(dirname(__DIR__, 3) . '/php-hooks/hookbridge/manifest.json'), true);
    $versions = ['7.10.3-release.1', '8.0.4-release.1', '8.6.1-release.1', '8.13.1-release.1', '9.0.1-release.1'];
    // Of the split into clients and logins (8.0); and the hook that came with 9.0 (WHMCS docs).
    $have = ['UserChangePassword' => array_slice($versions, 1), 'ClientChangePassword' => ['7.10.3-release.1', '8.13.1-release.1'],
        'ShoppingCartValidateUpgrade' => ['9.0.1-release.1']];
    foreach (['hooks' => 'hooks', 'decisions' => 'questions'] as $member => $file) {
        $found = [];
        foreach (vectors($file) as $vector) {
            $found[$vector['hook']][$vector['platform']] = true;
        }
        foreach (array_keys($manifest[$member]) as $hook) {
            $lacks = array_diff(isset($have[$hook]) ? $have[$hook] : $versions, array_keys(isset($found[$hook]) ? $found[$hook] : []));
            same([], $lacks, $hook);
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
    same(['name' => 'whmcs', 'version' => '8.13.1-release.1', 'php' => trim((string) shell_exec(escapeshellarg(php()) . " -r 'echo PHP_VERSION;'"))], $first['event']['platform']);
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
