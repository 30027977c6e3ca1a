<?php

use Hookbridge\AddonPage;
use Hookbridge\Config;
use Hookbridge\ConfigError;
use Hookbridge\Envelope;
use Hookbridge\Signer;

/** What the addon page prints. @param array $admin a row of tbladmins @param array $more of config.php */
function addonPage(array $admin, array $settings = [], array $more = [], array $get = [], ?Sandbox $box = null, array $post = [],
    string $language = 'spanish'): string
{
    $box = $box !== null ? $box : new Sandbox();
    $config = $more + $box->config + ['page_url' => 'https://bridge.example', 'sso_secret' => 'whsec_' . base64_encode(str_repeat('s', 32))];
    file_put_contents("$box->dir/config.php", '<?php return ' . var_export($config, true) . ';');
    file_put_contents("$box->dir/rows.json", json_encode(['tbladmins' => [$admin + ['id' => 3]]]));
    $program = dirname(__DIR__) . '/addon.php';
    $env = ['HB_ADDON_ADMIN' => '3', 'HB_ADDON_SETTINGS' => json_encode($settings), 'HB_ADDON_GET' => json_encode((object) $get),
        'HOOKBRIDGE_STUB_CONFIG' => "$box->dir/config.php", 'HB_CAPSULE_JSON' => "$box->dir/rows.json",
        'HB_POST' => json_encode((object) $post), 'HB_ADDON_LANGUAGE' => $language];
    $process = proc_open('exec ' . escapeshellarg(php()) . ' ' . escapeshellarg($program),
        [1 => ['pipe', 'w'], 2 => ['pipe', 'w']], $pipes, null, $env);
    list($out, $err) = [stream_get_contents($pipes[1]), stream_get_contents($pipes[2])];
    same([0, ''], [proc_close($process), $err], 'how the addon page ended');
    return $out;
}

/** @return string[] the form's fields by name */
function formFields(string $page): array
{
    preg_match_all('/name="(id|timestamp|body|signature)" value="([^"]*)"/', $page, $found);
    return array_map(static function (string $value) {
        return html_entity_decode($value, ENT_QUOTES, 'UTF-8');
    }, array_combine($found[1], $found[2]));
}

test('sign-in: the form says who it is and what he may do, signed, and nothing stands in an address', static function () {
    $page = addonPage(['username' => 'ana', 'roleid' => 1], ['viewer_roles' => '5', 'operator_roles' => ' 2, 1 '], [], ['open' => '1']);
    $fields = formFields($page);
    same(['aud' => 'hookbridge-admin', 'admin_id' => 3, 'name' => 'ana', 'role' => 'operator'], json_decode($fields['body'], true));
    $signer = new Signer(str_repeat('s', 32));
    same($signer->sign($fields['id'], (int) $fields['timestamp'], $fields['body']), $fields['signature']);
    same(1, preg_match('/^sso_[0-9a-f]{32}$/D', $fields['id']));
    check(abs(time() - (int) $fields['timestamp']) < 60, 'now');
    check(strpos($page, 'method="post" action="https://bridge.example/admin/sso"') !== false, $page);
    check(strpos($page, 'whsec_') === false && strpos($page, base64_encode(str_repeat('s', 32))) === false, 'no secret in the page');
    $again = formFields(addonPage(['username' => 'ana', 'roleid' => 1], ['operator_roles' => '1'], [], ['open' => '1']));
    check($again['id'] !== $fields['id'], 'each link is another');
});

test('sign-in: the page before it holds a button and no link', static function () {
    $page = addonPage(['username' => 'ana', 'roleid' => 1], ['administrator_roles' => '1']);
    check(strpos($page, 'href="addonmodules.php?module=hookbridge&amp;open=1"') !== false, $page);
    check(strpos($page, 'signature') === false, 'nothing is signed before the button is pressed');
    check(strpos($page, 'Entrás como ana, con el rol «administración».') !== false, $page);
});

test('sign-in: roles that nobody listed open nothing, and ids that only look alike neither', static function () {
    foreach ([[], ['viewer_roles' => ''], ['viewer_roles' => '10, 11'], ['operator_roles' => '01'], ['viewer_roles' => 'all']] as $settings) {
        $page = addonPage(['username' => 'ana', 'roleid' => 1], $settings, [], ['open' => '1']);
        check(strpos($page, '(id 1) no abre nada') !== false && strpos($page, '<form') === false, $page);
    }
    same('administrator', AddonPage::role(['viewer_roles' => '1', 'administrator_roles' => '1', 'operator_roles' => '1'], 1));
});

test('sign-in: a name with script is text, in the page and for the bridge', static function () {
    $name = '<script>alert("x")</script>\'{{7*7}}' . "\u{202e}\u{0085}\n:" . str_repeat('ñ', 90);
    $page = addonPage(['username' => $name, 'roleid' => 1], ['viewer_roles' => '1'], [], ['open' => '1']);
    same(1, substr_count($page, '<script>'), 'only our own script');
    $said = json_decode(formFields($page)['body'], true)['name'];
    check(strpos($said, '<script>alert("x")</script>\'{{7*7}}') === 0, $said);
    same([1, 0], [preg_match('/^.{1,64}$/us', $said), preg_match('/[\x00-\x1F:]/', $said)]);
    check(strpos(addonPage(['username' => $name, 'roleid' => 1], ['viewer_roles' => '1']), '<script') === false, 'the button');
    same('admin 3', json_decode(Envelope::signIn(3, ":\x01", 'viewer'), true)['name']);
});

test('sign-in: what is missing is said with what to do', static function () {
    $row = ['username' => 'ana', 'roleid' => 1];
    $roles = ['viewer_roles' => '1'];
    check(strpos(addonPage($row, $roles, ['sso_secret' => '']), '`sso_secret`: d') !== false, 'no secret');
    check(strpos(addonPage($row, $roles, ['page_url' => '']), 'faltan `page_url`') !== false, 'no address');
    check(strpos(addonPage($row, $roles, ['sso_secret' => 'whsec_x']), '`sso_secret` must be whsec_') !== false, 'a bad secret');
    check(strpos(addonPage($row, $roles, ['page_url' => 'http://bridge.example']), '`page_url` must be https') !== false, 'http');
    check(strpos(addonPage(['id' => 4] + $row, $roles), 'no dice quién sos') !== false, 'an administrator who is gone');
    $box = new Sandbox();
    try {
        new Config(['sso_secret' => Sandbox::SECRET] + $box->config);
        check(false, 'one secret for two things');
    } catch (ConfigError $e) {
        check(strpos($e->getMessage(), 'another one than `secret`') !== false, $e->getMessage());
    }
});

test('sign-in: every text is there in the three languages', static function () {
    $all = [];
    foreach (['english', 'spanish', 'portuguese-br'] as $language) {
        $_ADDONLANG = [];
        require dirname(__DIR__, 3) . "/php-hooks/modules/addons/hookbridge/lang/$language.php";
        $all[] = array_map(static function (string $text) {
            return substr_count($text, '%');
        }, $_ADDONLANG);
    }
    same([$all[0], $all[0]], [$all[1], $all[2]]);
});
