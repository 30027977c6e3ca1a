<?php
/**
 * The platform's addon page: a button that opens the bridge's page without another password (docs/ADMIN.md).
 *
 * WHMCS docs, "Addon Modules": the platform calls hookbridge_config() for the settings and hookbridge_output() for the page
 * `addonmodules.php?module=hookbridge`, and lets in the roles that "Access Control" of the addon's settings names.
 * All that it needs is in the stub, which the platform has loaded before (includes/hooks/hookbridge.php).
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
        'version' => '1.0',
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

/** @param array $vars WHMCS docs: `modulelink`, `_lang`, and every setting by its name */
function hookbridge_output($vars)
{
    if (class_exists('Hookbridge\AddonPage')) {
        echo \Hookbridge\AddonPage::show((array) $vars);
    } else {
        $text = isset($vars['_lang']['no_stub']) ? $vars['_lang']['no_stub'] : 'Install includes/hooks/hookbridge.php first.';
        echo '<div class="alert alert-danger">' . htmlspecialchars($text, ENT_QUOTES, 'UTF-8') . '</div>';
    }
}
