<?php

use Hookbridge\Manifest;

/** Every hook of a decision: [the rule, a shot, the question's fields]. Each shot is full of what must stay in PHP. */
function decidingHooks(): array
{
    $secrets = ['password' => 'CANARY-password', 'password2' => 'CANARY-password2', 'ccnumber' => 'CANARY-card', 'cccvv' => 'CANARY-cvv',
        'securityqans' => 'CANARY-answer', 'customfield' => ['1' => 'CANARY-field'], 'notes' => 'CANARY-notes', 'token' => 'CANARY-token'];
    $page = ['actor' => 'client', 'client_id' => 7];
    $upgrade = ['type' => 'package', 'id' => '5', 'pid' => '9', 'billingcycle' => 'annually', 'token' => 'CANARY-csrf'];
    $details = ['firstname' => 'CANARY-name', 'email' => 'ana@example.com', 'address1' => 'CANARY-street', 'phonenumber' => '11 2345-6789',
        'country' => 'AR', 'tax_id' => 'CANARY-tax', 'paymentmethod' => 'CANARY-gateway'] + $secrets;
    return [
        'OrderProductUpgradeOverride' => ['upgrade', $page + ['post' => $upgrade, 'vars' => ['oldproductid' => 8, 'oldproductname' => 'Básico',
            'newproductid' => 9, 'newproductname' => 'Pyme', 'days' => 183, 'totaldays' => 365, 'newproductbillingcycle' => 'annually',
            'price' => 25.07, 'discount' => 0.5, 'promoqualifies' => true]],
            ['service_id' => 5, 'to_product_id' => 9, 'to_cycle' => 'annually', 'client_id' => 7, 'from_product_id' => 8,
                'platform_price' => 25.07, 'platform_discount' => 0.5, 'days' => 183, 'total_days' => 365]],
        'PreUpgradeCheckout' => ['upgrade', $page + ['vars' => ['clientId' => 7, 'upgradeId' => 3, 'serviceId' => 5, 'amount' => 25.07,
            'discount' => 0]], ['service_id' => 5, 'to_product_id' => 9, 'to_cycle' => 'annually', 'client_id' => 7,
                'platform_price' => 25.07, 'platform_discount' => 0, 'upgrade_id' => 3]],
        'ShoppingCartValidateUpgrade' => ['upgrade', $page + ['post' => $upgrade, 'vars' => ['id' => 5, 'pid' => 9] + $secrets],
            ['service_id' => 5, 'to_product_id' => 9, 'to_cycle' => 'annually', 'client_id' => 7]],
        'ClientAreaPageUpgrade' => ['upgrade', $page + ['post' => $upgrade, 'vars' => ['language' => 'english', 'id' => 5] + $secrets],
            ['service_id' => 5, 'to_product_id' => 9, 'to_cycle' => 'annually', 'client_id' => 7]],
        'ClientAreaPageCancellation' => ['cancellation', $page + ['get' => ['action' => 'cancel', 'id' => '5'],
            'post' => ['sub' => 'submit', 'type' => 'Immediate', 'cancellationreason' => 'CANARY-reason'],
            'vars' => ['id' => 5, 'requested' => false, 'language' => 'english'] + $secrets],
            ['service_id' => 5, 'client_id' => 7, 'type' => 'Immediate']],
        'PreModuleTerminate' => ['termination', ['actor' => 'cron', 'vars' => ['params' => ['serviceid' => 5, 'userid' => 7, 'pid' => 8,
            'serverpassword' => 'CANARY-server', 'domain' => 'CANARY.example'] + $secrets]], ['service_id' => 5, 'client_id' => 7]],
        'ClientDetailsValidation' => ['identity', $page + ['post' => ['country-calling-code-phonenumber' => '54'] + $secrets, 'vars' => $details],
            ['client_id' => 7, 'phone_prefix' => '54', 'email' => 'ana@example.com', 'phonenumber' => '11 2345-6789', 'country' => 'AR',
                'kind' => 'client']],
        'ContactDetailsValidation' => ['identity', $page + ['post' => ['contactid' => '6', 'country-calling-code-phonenumber' => '54'],
            'vars' => $details], ['client_id' => 7, 'contact_id' => 6, 'phone_prefix' => '54', 'email' => 'ana@example.com',
                'phonenumber' => '11 2345-6789', 'country' => 'AR', 'kind' => 'contact']],
    ];
}

function shotAt(string $hook, array $more = []): array
{
    return $more + ['hook' => $hook, 'new_request' => true] + decidingHooks()[$hook][1];
}

/** A bridge's answer. @param array $failed code => text */
function ruling(string $decision, array $failed = [], array $values = []): array
{
    $reasons = [['code' => 'own_service', 'passed' => true, 'text' => 'never shown']];
    foreach ($failed as $code => $text) {
        $reasons[] = ['code' => $code, 'passed' => false, 'text' => $text];
    }
    return ['status' => 200, 'body' => json_encode(['decision' => $decision, 'reasons' => $reasons, 'values' => (object) $values,
        'id' => 'dec_01936b2e7c6a7c0d9d6c8d3f0a1b2c3d'])];
}

/** A sandbox whose stub asks at every deciding hook. */
function decidingBox(string $on_failure = 'open', int $deadline_ms = 5000): Sandbox
{
    $declared = [];
    foreach (decidingHooks() as $hook => list($rule)) {
        $declared[$hook] = ['rule' => $rule, 'deadline_ms' => $deadline_ms, 'on_failure' => $on_failure];
    }
    $box = new Sandbox();
    $box->config['page_send_ms'] = 200;
    $manifest = ['version' => 1, 'hooks' => ['InvoiceCreated' => ['fields' => ['invoiceid']]], 'decisions' => $declared];
    $box->manifest($manifest);
    file_put_contents("$box->dir/rows.json", json_encode(['tblupgrades' => [
        ['id' => 3, 'type' => 'package', 'newvalue' => '9,annually'], ['id' => 4, 'type' => 'configoptions', 'newvalue' => '9'],
    ]]));
    return $box;
}

/** What the stub returned at each hook to one and the same answer. */
function returnedEverywhere(Sandbox $box, array $env = []): array
{
    $shots = [];
    foreach (array_keys(decidingHooks()) as $page => $hook) { // so far apart that the circuit of one page is closed in the next
        $shots[] = shotAt($hook, ['clock_offset_s' => 31 * $page]);
    }
    $lines = $box->decide($shots, $env + ['HB_CAPSULE_JSON' => "$box->dir/rows.json"]);
    return array_column($lines, 'returned', 'hook');
}

/** Short where the deadline is waited for, long where a busy machine must not turn an answer into a timeout. */
function patience(string $cause): int
{
    return $cause === 'deadline' ? 100 : 5000;
}

/** Every way of the bridge not to decide: name => [answers of the stand-in, the cause told]. */
function silences(): array
{
    $half = substr(ruling('allow')['body'], 0, -1);
    $nonsense = ['', 'null', '[]', '"allow"', $half, '<html>502</html>', '{"decision":"allow"}', '{"decision":"maybe","reasons":[]}',
        '{"decision":["allow"],"reasons":[]}', '{"decision":"allow","reasons":"none"}', '{"decision":"deny","reasons":[{"code":"x"}]}',
        '{"decision":"deny","reasons":[{"code":"X y","passed":false,"text":"t"}]}', '{"decision":"deny","reasons":[{"code":"x","passed":0,"text":"t"}]}',
        '{"decision":"deny","reasons":[{"code":"x","passed":false,"text":["t"]}]}'];
    $ways = [
        'down' => [null, 'no_answer'],
        'hangs' => [['does' => 'hang'], 'deadline'],
        'drips' => [['does' => 'drip'], 'deadline'],
        'closes' => [['does' => 'close'], 'no_answer'],
        'fails' => [problem(500, 'x'), 'failed'],
        'busy' => [problem(503, 'too-late'), 'failed'],
        'redirects' => [['status' => 302, 'headers' => ['Location' => 'http://127.0.0.1:1/']], 'failed'],
        'accepts' => [['status' => 202, 'body' => ruling('allow')['body']], 'failed'],
        'knows us not' => [problem(401, 'bad-signature'), 'refused'],
        'floods' => [['status' => 200, 'bytes' => 5000000], 'nonsense'],
    ];
    foreach ($nonsense as $number => $body) {
        $ways["nonsense $number"] = [['status' => 200, 'body' => $body], 'nonsense'];
    }
    return $ways;
}

test('decisions: each hook asks its rule, signed, with exactly its fields', static function () {
    $box = decidingBox();
    $box->bridge([ruling('allow')]);
    returnedEverywhere($box);
    $asked = $box->requests('/v1/decisions/');
    same(count(decidingHooks()), count($asked));
    $signer = new Hookbridge\Signer(Hookbridge\Signer::keyOf(Sandbox::SECRET));
    foreach (array_values(decidingHooks()) as $number => list($rule, , $fields)) {
        $hook = array_keys(decidingHooks())[$number];
        $headers = $asked[$number]['headers'];
        same("/v1/decisions/$rule", $asked[$number]['path'], $hook);
        same(sorted($fields), sorted($asked[$number]['event']['fields']), $hook);
        same([1, $hook], [$asked[$number]['event']['v'], $asked[$number]['event']['hook']]);
        same(1, preg_match('/^dec_[0-9a-f]{32}$/', $headers['webhook-id']));
        same($signer->sign($headers['webhook-id'], (int) $headers['webhook-timestamp'], $asked[$number]['body']), $headers['webhook-signature']);
    }
    check(strpos($box->traces(), 'CANARY') === false, 'no secret left PHP');
    same([[], []], [$box->waiting(), $box->log()]);
});

test('decisions: allowed, the platform is left alone', static function () {
    $box = decidingBox();
    $box->bridge([ruling('allow', ['notice_only' => 'A condition may fail and nothing come of it'])]);
    same(['OrderProductUpgradeOverride' => null, 'PreUpgradeCheckout' => null, 'ShoppingCartValidateUpgrade' => [],
        'ClientAreaPageUpgrade' => null, 'ClientAreaPageCancellation' => null, 'PreModuleTerminate' => null,
        'ClientDetailsValidation' => null, 'ContactDetailsValidation' => null], returnedEverywhere($box));
});

test('decisions: refused, or waiting for a person, each hook returns the shape that the platform honours', static function () {
    $texts = ['No se puede: <b>José</b> & "socios"', 'Segundo motivo'];
    $page = ['No se puede: &lt;b&gt;José&lt;/b&gt; &amp; &quot;socios&quot;', 'Segundo motivo'];
    foreach (['deny', 'review'] as $decision) {
        $box = decidingBox();
        $box->bridge([ruling($decision, ['one' => $texts[0], 'two' => $texts[1]], ['notices' => ['Aviso', 'Segundo motivo', 7], 'message' => ''])]);
        same(['OrderProductUpgradeOverride' => null, 'PreUpgradeCheckout' => null, 'ShoppingCartValidateUpgrade' => $page,
            'ClientAreaPageUpgrade' => ['promoerror' => "$page[0]<br>$page[1]", 'upgrades' => [], 'upgradeinvalid' => true, 'upgradeinvaliderror' => "$page[0]<br>$page[1]"],
            'ClientAreaPageCancellation' => ['hookbridgenotices' => array_merge($page, ['Aviso']), 'invalid' => true],
            'PreModuleTerminate' => ['abortcmd' => true], 'ClientDetailsValidation' => $page,
            'ContactDetailsValidation' => $page], returnedEverywhere($box));
        same(['hookbridge: the termination of service 5 was stopped: one, two. `hookbridge decisions` shows why and how to override it'], $box->log());
    }
});

test('decisions: a refusal says what to do instead', static function () {
    $box = decidingBox();
    $box->bridge([ruling('deny', ['upgrade_path' => 'No hay camino'], ['message' => 'Abrí un ticket: https://x.example/t?a=1&b=2', 'notices' => []])]);
    $returned = returnedEverywhere($box);
    $texts = ['No hay camino', 'Abrí un ticket: https://x.example/t?a=1&amp;b=2'];
    same([$texts, $texts], [$returned['ShoppingCartValidateUpgrade'], $returned['ClientAreaPageCancellation']['hookbridgenotices']]);
});

test('decisions: a refusal without a text is still a refusal', static function () {
    $box = decidingBox();
    $box->bridge([ruling('deny')]);
    $returned = returnedEverywhere($box);
    same(['abortcmd' => true], $returned['PreModuleTerminate']);
    check(count($returned['ShoppingCartValidateUpgrade']) === 1 && count($returned['ClientDetailsValidation']) === 1, 'a text is shown');
});

test('decisions: adjusted, the price is the rule\'s, at the order and at the checkout', static function () {
    $box = decidingBox();
    $box->bridge([ruling('adjust', [], ['price' => '50.00', 'discount' => '0.00', 'currency' => 'USD', 'message' => 'Pagás <sólo> la diferencia'])]);
    $returned = returnedEverywhere($box);
    // json_decode of fire.php's line keeps 50.0 a float only with its fraction: compared as numbers.
    check($returned['OrderProductUpgradeOverride'] == ['price' => 50.0, 'discount' => 0.0], json_encode($returned));
    check($returned['PreUpgradeCheckout'] == ['amount' => 50.0, 'discount' => 0.0], json_encode($returned));
    same([], $returned['ShoppingCartValidateUpgrade']);
    same(['hookbridgenotices' => ['Pagás &lt;sólo&gt; la diferencia']], $returned['ClientAreaPageUpgrade']);
    same(['hookbridgenotices' => ['Pagás &lt;sólo&gt; la diferencia']], $returned['ClientAreaPageCancellation']);
});

test('decisions: where a refused upgrade cannot be stopped, it is at least not cheaper than the rule says', static function () {
    $box = decidingBox();
    $box->bridge([ruling('deny', ['no_overdue_invoice' => 'Debés'], ['price' => '50.00', 'discount' => '1.50', 'currency' => 'USD'])]);
    $returned = returnedEverywhere($box);
    check($returned['OrderProductUpgradeOverride'] == ['price' => 50.0, 'discount' => 1.5], json_encode($returned));
    check($returned['PreUpgradeCheckout'] == ['amount' => 50.0, 'discount' => 1.5], json_encode($returned));
    same(['Debés'], $returned['ShoppingCartValidateUpgrade'], 'and where it can be stopped, it is');
});

test('decisions: without an answer an open rule changes nothing, says so, and tells the bridge later', static function () {
    foreach (silences() as $way => list($answer, $cause)) {
        $deadline_ms = patience($cause);
        $box = decidingBox('open', $deadline_ms);
        $answer === null ?: $box->bridge([$answer]);
        same(array_fill_keys(array_keys(decidingHooks()), null), returnedEverywhere($box), $way);
        $missed = array_map(static function (array $waiting) {
            return json_decode($waiting[1], true);
        }, $box->waiting());
        same([count(decidingHooks())], [count($missed)], $way);
        same(['HookbridgeDecisionMissed'], array_values(array_unique(array_column($missed, 'hook'))));
        $fields = array_column($missed, 'fields');
        same(array_keys(decidingHooks()), array_column($fields, 'hook'), $way);
        same([$cause], array_values(array_unique(array_column($fields, 'cause'))), $way);
        same(['rule' => 'termination', 'hook' => 'PreModuleTerminate', 'cause' => $cause, 'on_failure' => 'open', 'deadline_ms' => $deadline_ms,
            'service_id' => 5, 'client_id' => 7], $fields[5], $way);
        check(in_array("hookbridge: PreModuleTerminate was left to the platform without a decision ($cause)", $box->log(), true), json_encode($box->log()));
        check(strpos($box->traces(), 'CANARY') === false, 'no secret');
        foreach (['ana@example.com', '2345-6789'] as $typed) {
            check(strpos(implode(array_column($box->waiting(), 1)), $typed) === false, 'what somebody typed is not spooled');
        }
    }
});

test('decisions: without an answer a closed rule refuses, in the words of the client', static function () {
    $begin = ['spanish' => 'En este momento', 'english' => 'We cannot', 'Portuguese-BR' => 'No momento', '' => 'We cannot', 'klingon' => 'We cannot'];
    foreach (silences() as $way => list($answer, $cause)) {
        $box = decidingBox('closed', patience($cause));
        $answer === null ?: $box->bridge([$answer]);
        $returned = returnedEverywhere($box);
        same([null, null], [$returned['OrderProductUpgradeOverride'], $returned['PreUpgradeCheckout']], "$way: no refusal is possible there");
        same(['abortcmd' => true], $returned['PreModuleTerminate'], $way);
        check($returned['ClientAreaPageUpgrade']['upgradeinvalid'] && $returned['ClientAreaPageCancellation']['invalid'], $way);
        foreach (['ShoppingCartValidateUpgrade', 'ClientDetailsValidation', 'ContactDetailsValidation'] as $hook) {
            check(count($returned[$hook]) === 1 && strlen($returned[$hook][0]) > 40, "$way: $hook");
        }
        check(in_array('hookbridge: PreModuleTerminate was refused without a decision (' . $cause . ')', $box->log(), true), $way);
    }
    $box = decidingBox('closed', 400);
    foreach ($begin as $language => $words) {
        $shot = shotAt('ClientAreaPageUpgrade');
        $shot['vars']['language'] = $language;
        list($line) = $box->decide([$shot], ['HB_LANGUAGE' => 'english']);
        same(0, strpos($line['returned']['upgradeinvaliderror'], $words), "$language: " . $line['returned']['upgradeinvaliderror']);
    }
});

test('decisions: the deadline is for connecting and answering together, and a silent bridge costs a page one of them', static function () {
    foreach (['hang', 'drip'] as $does) {
        $box = decidingBox('closed', 300);
        $box->bridge([['does' => $does]]);
        // No proof of a bound can be a tight one on a busy machine: 40 deadlines would be 12 s.
        list($line) = $box->decide([shotAt('PreModuleTerminate')]);
        check($line['elapsed_us'] >= 200000 && $line['elapsed_us'] < 5 * 1000000, "took {$line['elapsed_us']} us");
        $shots = [shotAt('PreModuleTerminate')];
        for ($service = 100; $service < 140; $service++) {
            $shots[] = ['hook' => 'PreModuleTerminate', 'vars' => ['params' => ['serviceid' => $service, 'userid' => 7]]];
        }
        $lines = $box->decide($shots);
        same(array_fill(0, 41, ['abortcmd' => true]), array_column($lines, 'returned'));
        check(array_sum(array_column($lines, 'elapsed_us')) < 10 * 1000000, 'the bridge is left alone after the first');
    }
});

test('decisions: a bridge that took no event is not asked either, and one slow rule holds no event back', static function () {
    $box = decidingBox('open', 400);
    $box->decide([['actor' => 'client'] + ONE_EVENT, shotAt('PreModuleTerminate')]);
    same(1, preg_match('/"cause":"resting"/', $box->waiting()[1][1]));
    $box = decidingBox('open', 300);
    $box->bridge([['does' => 'hang'], ['status' => 202]]);
    $box->decide([shotAt('PreModuleTerminate'), ['new_request' => false] + ONE_EVENT]);
    same([1, 2, []], [count($box->requests('/v1/decisions/')), count($box->sent()), $box->waiting()], 'the event and the miss went out');
});

test('decisions: a page has one budget for all its questions and for what it sends', static function () {
    $box = decidingBox('open', 5000);
    $box->config = ['total_timeout_ms' => 600, 'page_send_ms' => 5000] + $box->config;
    $box->bridge([['does' => 'hang']]);
    $page = ['new_request' => false] + ONE_EVENT;
    list($line) = $box->decide([shotAt('ClientDetailsValidation'), $page]);
    check($line['elapsed_us'] < 4000000, "the deadline alone would be 5 s: {$line['elapsed_us']}");
    same([1, 0], [count($box->requests('/v1/decisions/')), count($box->batches())], 'nothing was left for sending');
});

test('decisions: what the platform asks again in one request is asked once', static function () {
    $box = decidingBox();
    $box->bridge([ruling('adjust', [], ['price' => '50.00'])]);
    $order = shotAt('OrderProductUpgradeOverride', ['repeat' => 3]);
    $lines = $box->finish($box->start([$order, ['new_request' => false] + shotAt('PreUpgradeCheckout'),
        ['new_request' => false] + shotAt('ClientAreaPageUpgrade')]), true);
    check($lines[0]['returned'] == [['price' => 50.0], ['price' => 50.0], ['price' => 50.0]], 'each time the same');
    check($lines[1]['returned'] == [['amount' => 50.0]], 'the checkout as well');
    same(1, count($box->requests('/v1/decisions/')));
    $box->decide([shotAt('OrderProductUpgradeOverride')]);
    same(2, count($box->requests('/v1/decisions/')), 'another page asks again');
});

test('decisions: an amount that is none is nonsense, never a price', static function () {
    foreach (['-1.00', '1e3', 'free', '', true, ['50'], '50,00', ' 50', '99999999999999', null] as $price) {
        $box = decidingBox('open');
        $box->bridge([ruling('adjust', [], ['price' => $price])]);
        $lines = $box->decide([shotAt('OrderProductUpgradeOverride')]);
        same(null, $lines[0]['returned'], json_encode($price));
        same(1, preg_match('/"cause":"nonsense"/', implode(array_column($box->waiting(), 1))), json_encode($price));
    }
});

test('decisions: whose service an upgrade is about must be clear, or nothing is asked', static function () {
    $box = decidingBox();
    $box->bridge([ruling('deny', ['x' => 'y'])]);
    $order = shotAt('OrderProductUpgradeOverride');
    $shots = [
        ['post' => ['type' => 'configoptions'] + $order['post']] + $order,
        ['post' => []] + $order,
        ['post' => ['id' => '5x'] + $order['post']] + $order,
        ['post' => ['id' => ['5']] + $order['post']] + $order,
        ['get' => ['id' => '6']] + $order,
        ['vars' => null] + $order,
        ['vars' => ['newproductid' => -1]] + $order,
        ['vars' => ['serviceId' => 5, 'upgradeId' => 4]] + shotAt('PreUpgradeCheckout'),
        ['vars' => ['serviceId' => 5, 'upgradeId' => 99]] + shotAt('PreUpgradeCheckout'),
        ['vars' => ['id' => 5]] + shotAt('ShoppingCartValidateUpgrade'),
        ['post' => ['type' => 'package', 'id' => '5']] + shotAt('ClientAreaPageUpgrade'),
        ['vars' => ['params' => ['serviceid' => 5, 'userid' => 7, 'addonId' => 3]]] + shotAt('PreModuleTerminate'),
        ['vars' => ['params' => 'text']] + shotAt('PreModuleTerminate'),
        ['vars' => ['id' => 0], 'get' => []] + shotAt('ClientAreaPageCancellation'),
        ['vars' => ['password' => 'CANARY']] + shotAt('ClientDetailsValidation'),
    ];
    $lines = $box->decide($shots, ['HB_CAPSULE_JSON' => "$box->dir/rows.json"]);
    same(array_fill(0, count($shots), null), array_column($lines, 'returned'));
    same([[], []], [$box->requests('/v1/decisions/'), $box->waiting()]);
});

test('decisions: in the client area nobody speaks for another client', static function () {
    $box = decidingBox();
    $box->bridge([ruling('allow')]);
    $spoof = ['post' => ['userid' => '99', 'clientid' => '99', 'client_id' => '99'],
        'vars' => ['email' => 'ana@example.com', 'userid' => 99, 'client_id' => 99]];
    $box->decide([
        $spoof + shotAt('ClientDetailsValidation'),
        $spoof + ['actor' => 'masquerade'] + shotAt('ClientDetailsValidation'),
        ['actor' => 'unknown', 'client_id' => null] + $spoof + shotAt('ClientDetailsValidation'),
        ['actor' => 'admin'] + $spoof + shotAt('ClientDetailsValidation'),
    ]);
    $clients = array_map(static function (array $request) {
        return isset($request['event']['fields']['client_id']) ? $request['event']['fields']['client_id'] : 0;
    }, $box->requests('/v1/decisions/'));
    same([7, 7, 0, 99], $clients, 'only an administrator names another');
});

test('decisions: the page that confirms a request keeps its confirmation', static function () {
    $box = decidingBox();
    $box->bridge([ruling('deny', ['x' => 'Los dominios internacionales no se cancelan'])]);
    $shot = shotAt('ClientAreaPageCancellation');
    $shot['vars']['requested'] = true;
    list($line) = $box->decide([$shot]);
    same(['hookbridgenotices' => ['Los dominios internacionales no se cancelan']], $line['returned']);
});

test('decisions: garbage at any deciding hook throws nothing, prints nothing and asks nothing odd', static function () {
    $garbage = [null, 'text', 7, [], ['__object__' => 'stdClass'], ['params' => ['__object__' => 'stdClass']], ['params' => null],
        ['id' => ['5'], 'pid' => ['__object__' => 'stdClass'], 'serviceId' => 'x', 'email' => ['x'], 'newproductid' => 1.5e300],
        ['email' => str_repeat("\xC3", 100000), 'phonenumber' => str_repeat('9', 1000000)]];
    $box = decidingBox('closed');
    $box->bridge([ruling('allow')]);
    $shots = [];
    foreach (array_keys(decidingHooks()) as $hook) {
        $shots[] = ['hook' => $hook, 'new_request' => true];
        foreach ($garbage as $vars) {
            $shots[] = ['hook' => $hook, 'vars' => $vars, 'post' => ['id' => ['x'], 'type' => ['package'], 'pid' => '-1']];
        }
    }
    $box->decide($shots);
    foreach ($box->requests('/v1/decisions/') as $request) {
        check(strlen($request['body']) < 65536 && is_array($request['event']), 'a body within bounds');
    }
});

test('decisions: a stranger who fires the form all day fills no spool', static function () {
    $box = decidingBox();
    $shot = ['actor' => 'unknown', 'client_id' => null, 'post' => []] + shotAt('ClientDetailsValidation');
    $box->decide(array_fill(0, 20, $shot));
    same(1, count($box->waiting()), 'one a minute for those without an id');
});

test('decisions: a manifest that declares nonsense asks nothing', static function () {
    $good = ['rule' => 'termination', 'deadline_ms' => 250, 'on_failure' => 'closed'];
    $wrong = [null, 'x', [], ['rule' => '../events'] + $good, ['rule' => 7] + $good, ['deadline_ms' => 0] + $good, ['deadline_ms' => '250'] + $good,
        ['deadline_ms' => 60000] + $good, ['on_failure' => 'maybe'] + $good, ['rule' => null] + $good];
    foreach ($wrong as $declared) {
        same([], Manifest::of(['version' => 1, 'hooks' => [], 'decisions' => ['PreModuleTerminate' => $declared]])['decisions']);
    }
    same([], Manifest::of(['version' => 1, 'hooks' => [], 'decisions' => 'x'])['decisions']);
    same([], Manifest::of(['version' => 1, 'hooks' => [], 'decisions' => ['PreModuleSuspend' => $good]])['decisions'], 'a hook whose shape is not known');
    same(['PreModuleTerminate' => $good], Manifest::of(['version' => 1, 'hooks' => [], 'decisions' => ['PreModuleTerminate' => $good]])['decisions']);
});

test('contract: every shared vector of a decision asks the expected question', static function () {
    $box = decidingBox();
    $box->bridge([ruling('allow')]);
    $vectors = vectors('questions');
    $shots = array_map(static function (array $vector): array {
        return array_diff_key($vector, ['name' => 1, 'rule' => 1, 'fields' => 1]) + ['new_request' => true, 'tables' => []];
    }, $vectors);
    $box->decide(array_merge(['Nothing'], $shots));
    check(strpos($box->traces(), 'CANARY') === false, 'no secret leaves');
    $asked = $box->requests('/v1/decisions/');
    compareLater('questions', array_values(preg_grep('/"version":"9\\.0/', array_column($asked, 'body'))));
    foreach ($vectors as $number => $vector) {
        same('/v1/decisions/' . $vector['rule'], $asked[$number]['path'], $vector['name']);
        same([$vector['hook'], $vector['platform']], [$asked[$number]['event']['hook'], $asked[$number]['event']['platform']['version']], $vector['name']);
        same(sorted($vector['fields']), sorted($asked[$number]['event']['fields']), $vector['name']);
    }
    same(count($vectors), count($asked), 'one question each');
});
