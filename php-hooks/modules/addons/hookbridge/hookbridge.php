<?php
/**
 * The platform's addon page: a button that opens the bridge's page without another password (docs/ADMIN.md).
 *
 * WHMCS docs, "Addon Modules": the platform calls hookbridge_config() for the settings and hookbridge_output() for the page
 * `addonmodules.php?module=hookbridge`, and admits the roles that "Access Control" of the addon's settings names.
 * All that it needs is in the stub: in includes/hooks/hookbridge/, or, when the addon alone is installed, in a folder beside this file
 * (hooks.php). hookbridge_activate(), hookbridge_deactivate() and hookbridge_upgrade() are called when their names say.
 */

defined('WHMCS') || die('This file cannot be accessed directly');

function hookbridge_config()
{
    $roles = static function ($name, $what) {
        return ['FriendlyName' => $name, 'Type' => 'text', 'Size' => '20', 'Default' => '',
            'Description' => 'Ids of administrator roles, separated by commas: ' . $what
                . '. The id stands in the address when you edit the role. Empty: nobody.'];
    };
    return [
        'name' => 'hookbridge',
        'description' => 'Opens the page of hookbridge, which alerts your clients by WhatsApp, without another password.',
        'version' => '1.2',
        'author' => 'hookbridge',
        'language' => 'english',
        'fields' => [
            'viewer_roles' => $roles('See', 'who may look'),
            'operator_roles' => $roles('Operate', 'who may also resend, cancel, pause and decide what is held'),
            'administrator_roles' => $roles('Administrate', 'who may also change alerts, texts, secrets and people, '
                . 'as far as `admin.sso_role_max` of the bridge allows it'),
        ],
    ];
}

/** Loads the stub's classes. @return string its folder, '' when it is not installed */
function hookbridge_stub()
{
    if (class_exists('Hookbridge\Stub', false)) {
        return dirname((string) (new \ReflectionClass('Hookbridge\Stub'))->getFileName());
    }
    $root = defined('ROOTDIR') ? ROOTDIR : dirname(__DIR__, 3);
    foreach ([$root . '/includes/hooks/hookbridge', __DIR__ . '/hookbridge'] as $folder) {
        if (is_readable($folder . '/Stub.php')) {
            require $folder . '/Stub.php';
            spl_autoload_register(['Hookbridge\Stub', 'autoload']);
            return $folder;
        }
    }
    return '';
}

/** The words in the language of who is logged in; the platform hands them to the page only. @return string[] */
function hookbridge_words()
{
    $_ADDONLANG = [];
    $language = isset($_SESSION['adminlang']) ? (string) $_SESSION['adminlang'] : '';
    $known = ['spanish' => 'spanish', 'portuguese-br' => 'portuguese-br', 'portuguese-pt' => 'portuguese-br'];
    require __DIR__ . '/lang/' . (isset($known[$language]) ? $known[$language] : 'english') . '.php';
    return $_ADDONLANG;
}

/** WHMCS docs: `status` is success, info or error (then it is not activated), `description` is shown. */
function hookbridge_activate()
{
    $words = hookbridge_words();
    $folder = hookbridge_stub();
    if ($folder === '') {
        return ['status' => 'error', 'description' => $words['no_stub']];
    }
    $fault = \Hookbridge\AddonPage::fault($folder);
    return $fault === '' ? ['status' => 'success', 'description' => $words['activated']]
        : ['status' => 'info', 'description' => $words['bad_config'] . ' ' . $fault];
}

/** With plain hooks in includes/hooks the stub stays at work. By itself the addon leaves nothing but what could not be sent. */
function hookbridge_deactivate()
{
    $words = hookbridge_words();
    $folder = hookbridge_stub();
    if ($folder === '' || $folder !== __DIR__ . '/hookbridge') {
        return ['status' => 'success', 'description' => $words['deactivated']];
    }
    $left = \Hookbridge\AddonPage::leave($folder);
    return $left === 0 ? ['status' => 'success', 'description' => $words['deactivated']]
        : ['status' => 'info', 'description' => sprintf($words['left'], $left)];
}

/** A newer version of the files: says at once if something is wrong with it. @param array $vars WHMCS docs: `version`, the old one */
function hookbridge_upgrade($vars)
{
    $folder = hookbridge_stub();
    $fault = $folder === '' ? 'includes/hooks/hookbridge is missing' : \Hookbridge\AddonPage::fault($folder);
    if ($fault !== '' && function_exists('logActivity')) {
        logActivity('hookbridge: ' . $fault);
    }
}

/** @param array $vars WHMCS docs: `modulelink`, `_lang`, and every setting by its name */
function hookbridge_output($vars)
{
    if (hookbridge_stub() !== '') {
        echo \Hookbridge\AddonPage::show((array) $vars);
    } else {
        $text = isset($vars['_lang']['no_stub']) ? $vars['_lang']['no_stub'] : 'Install includes/hooks/hookbridge.php first.';
        echo '<div class="alert alert-danger">' . htmlspecialchars($text, ENT_QUOTES, 'UTF-8') . '</div>';
    }
}

/**
 * The page `index.php?m=hookbridge` of the client area: which alerts each person of the account gets (WHMCS docs, "Client Area Output").
 *
 * @param array $vars WHMCS docs: `modulelink`, `_lang`, and every setting by its name
 */
function hookbridge_clientarea($vars)
{
    $folder = hookbridge_stub();
    if ($folder !== '' && class_exists('Hookbridge\Preferences')) {
        return \Hookbridge\Preferences::page((array) $vars, $folder);
    }
    $problem = isset($vars['_lang']['preferences_down']) ? $vars['_lang']['preferences_down'] : 'Try again in a moment.';
    return ['pagetitle' => 'WhatsApp', 'templatefile' => 'templates/preferences', 'requirelogin' => true,
        'vars' => ['hb' => null, 'hb_problem' => $problem]];
}
