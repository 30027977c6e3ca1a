<?php

/** What the probe noted. @return array[] fields by event, in order */
function noted(Sandbox $box): array
{
    $probe = array_filter($box->sent(), static function (array $event): bool {
        return $event['event']['hook'] === 'HookbridgeProbe';
    });
    return array_values(array_map(static function (array $event): array {
        return $event['event'];
    }, $probe));
}

test('probe: off by default, on for some minutes, and ends by itself', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    $quote = ['hook' => 'ServiceEdit', 'vars' => ['serviceid' => 7]];
    list($line) = $box->fire([$quote]);
    same(false, $line['registered']);
    list($code, $lines) = tool($box, 'probe', '--minutes', '60');
    same([0, 1], [$code, preg_match('/^the probe is on until /', $lines[0])]);
    list($first, $later) = $box->fire([$quote, ['clock_offset_s' => 3601, 'new_request' => true] + $quote]);
    same([true, false], [$first['registered'], $later['registered']], 'an hour later it is over');
    list(, $lines) = tool($box, 'status');
    check(strpos(line($lines, 'probe until'), ' UTC') !== false, 'status says so');
    same([0, ['the probe is off']], tool($box, 'probe', '--off'));
    list($line) = $box->fire([$quote]);
    same(false, $line['registered']);
    foreach ([['probe'], ['probe', '--minutes'], ['probe', '--minutes', '0'], ['probe', '--minutes', '1441'], ['probe', '--minutes', 'x']] as $words) {
        same(2, tool($box, ...$words)[0], implode(' ', $words));
    }
});

test('probe: names, types, order and states before and after, never a value', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    tool($box, 'probe', '--minutes', '5');
    $rows = ['tblinvoices' => [['id' => 7, 'status' => 'Unpaid']], 'tblhosting' => [['id' => 5, 'domainstatus' => 'CANARY-own-state']]];
    $box->fire([
        ['hook' => 'InvoicePaymentReminder', 'actor' => 'client', 'client_id' => 77001, 'user_id' => 77002, 'new_request' => true, 'tables' => $rows,
            'vars' => ['invoiceid' => 7, 'type' => 'firstoverdue', 'CANARY key!' => 'CANARY', 'name' => 'CANARY-name', 'list' => ['CANARY']]],
        ['hook' => 'AfterModuleSuspend', 'vars' => ['params' => ['serviceid' => 5, 'password' => 'CANARY-password', 'model' => ['x' => 'CANARY']]]],
        ['hook' => 'TicketClose', 'vars' => ['ticketid' => 3, 'status' => 'CANARY-status']],
    ]);
    $events = noted($box);
    same(4, count($events));
    $traces = json_encode($events);
    check(strpos($traces, 'CANARY') === false && strpos($traces, '7700') === false, 'no value leaves: ' . $traces);
    list($first, $second, $third, $end) = array_column($events, 'fields');
    same(['when' => 'fired', 'at' => 'InvoicePaymentReminder', 'number' => 1, 'states' => 'tblinvoices.status=Unpaid', 'words' => 'type=firstoverdue',
        'keys_0' => 'invoiceid:integer type:string ?:string name:string list{#:string}'], $first);
    same(['params{serviceid:integer password:string model:array}', 'tblhosting.domainstatus=other'], [$second['keys_0'], $second['states']]);
    same(['tbltickets.status=unreadable', 'status=other'], [$third['states'], $third['words']]);
    same(['end', 'InvoicePaymentReminder AfterModuleSuspend TicketClose', 'fpm-fcgi'], [$end['when'], $end['order_0'], $end['sapi']]);
    same('tblinvoices.status=Unpaid tblhosting.domainstatus=other tbltickets.status=unreadable', $end['states']);
    same([['kind', 'entrypoint', 'masquerading']], array_values(array_unique(array_map(static function (array $event): array {
        return array_keys($event['actor']);
    }, array_slice($events, 0, 1)), SORT_REGULAR)));
});

test('probe: what a page of a thousand hooks notes is bounded', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    tool($box, 'probe', '--minutes', '5');
    $box->fire([['hook' => 'ServiceEdit', 'vars' => ['serviceid' => 7, 'long' => array_fill_keys(range('a', 'z'), 1)], 'repeat' => 1000]]);
    same(301, count(noted($box)));
});

test('probe: by the button of the addon page, for who may operate, and only by the form of this session', static function () {
    $box = new Sandbox();
    $box->bridge([['status' => 202]]);
    $token = str_repeat('a', 32); // tests/php/addon.php
    $page = static function (array $post, string $role = 'operator', string $language = 'english') use ($box): string {
        return addonPage(['username' => 'ana', 'roleid' => 1], [$role . '_roles' => '1'], [], [], $box, $post, $language);
    };
    $says = static function (string $words, string $html) {
        check(strpos($html, $words) !== false, "$words is not in $html");
    };
    $box->leaveAlone();
    $says('It is off.', $page([]));
    same(false, strpos($page([], 'viewer'), 'hb_probe'), 'who may only look has no button');
    $page(['hb_probe' => 'start', 'hb_minutes' => '60', 'hb_token' => $token], 'viewer');
    $page(['hb_probe' => 'start', 'hb_minutes' => '60', 'hb_token' => 'b']);
    $page(['hb_probe' => 'start', 'hb_minutes' => '60']);
    $says('It is off.', $page([]));
    foreach (['0', '1441', '-5', '1e3', ''] as $minutes) {
        $says('Choose 1 to 1440 minutes.', $page(['hb_probe' => 'start', 'hb_minutes' => $minutes, 'hb_token' => $token]));
    }
    $says('It is off.', $page([]));
    $says('It is on until ', $page(['hb_probe' => 'start', 'hb_minutes' => '30', 'hb_token' => $token]));
    list($line) = $box->fire([['hook' => 'ServiceEdit', 'vars' => ['serviceid' => 7]]]);
    same(true, $line['registered']);
    $shown = $page([], 'administrator', 'spanish');
    foreach (['Está encendida hasta el ', '2 notas esperan el envío.', 'value="stop"', 'value="send"'] as $words) {
        $says($words, $shown);
    }
    $says('The service said: the bridge is left alone for ', $page(['hb_probe' => 'send', 'hb_token' => $token]));
    same(0, count(noted($box)));
    unlink("$box->dir/spool/rest-events");
    $says('Está desligada.', $page(['hb_probe' => 'stop', 'hb_token' => $token], 'operator', 'portuguese-br'));
    same(2, count(noted($box)));
    list($line) = $box->fire([['hook' => 'ServiceEdit', 'vars' => ['serviceid' => 7]]]);
    same(false, $line['registered'], 'it is off');
    touch("$box->dir/spool/probe", time() - 60);
    $box->config['circuit_open_s'] = 31; // what pages load is made anew
    $says('It ended at ', $page([]));
    $says('All that it noted is sent.', $page([]));
});
