<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * What the platform's addon page shows: a button, and behind it a form that the browser hands to the bridge by itself, so that what
 * it holds stands in no address and no log. Who may see the addon page is the platform's to say.
 */
final class AddonPage
{
    private const DATABASE_CLASS = 'WHMCS\Database\Capsule';

    private $vars;

    /** @param array $vars what the platform passes to hookbridge_output(), the addon's settings among them */
    public static function show(array $vars): string
    {
        $page = new self($vars);
        try {
            $chosen = getenv('HOOKBRIDGE_STUB_CONFIG');
            $config = Config::load(is_string($chosen) && $chosen !== '' ? $chosen : __DIR__ . '/config.php');
        } catch (ConfigError $e) {
            return $page->problem($page->words('bad_config') . ' ' . $e->getMessage());
        }
        if ($config->text('page_url') === '' || $config->signInKey() === '') {
            return $page->problem($page->words('no_secret'));
        }
        try {
            $admin = self::admin();
        } catch (\Throwable $e) {
            $admin = null;
        }
        if ($admin === null) {
            return $page->problem($page->words('no_admin'));
        }
        $role = SignIn::role($vars, $admin['roleid']);
        if ($role === '') {
            return $page->problem(sprintf($page->words('no_role'), $admin['roleid']));
        }
        return isset($_GET['open']) ? $page->form($config, $admin, $role) : $page->button($admin, $role);
    }

    private function __construct(array $vars)
    {
        $this->vars = $vars;
    }

    private function button(array $admin, string $role): string
    {
        $link = isset($this->vars['modulelink']) ? (string) $this->vars['modulelink'] : 'addonmodules.php?module=hookbridge';
        return '<p>' . self::html($this->words('about')) . '</p><p><a class="btn btn-primary" target="_blank" rel="noopener" href="'
            . self::html($link . '&open=1') . '">' . self::html($this->words('open')) . '</a></p><p>'
            . self::html(sprintf($this->words('as'), $admin['username'], $this->words($role))) . '</p>';
    }

    private function form(Config $config, array $admin, string $role): string
    {
        if (!headers_sent()) {
            header('Cache-Control: no-store');
        }
        $signer = new SignIn(new Signer($config->signInKey()));
        $inputs = '';
        foreach ($signer->fields($admin['id'], $admin['username'], $role, microtime(true)) as $name => $value) {
            $inputs .= '<input type="hidden" name="' . $name . '" value="' . self::html($value) . '">';
        }
        // `origin`: the bridge wants to know that the form is the platform's, and nobody needs to know more.
        return '<meta name="referrer" content="origin"><p>' . self::html($this->words('opening')) . ' '
            . self::html($this->words('again')) . '</p><form id="hookbridge-open" method="post" action="'
            . self::html($config->text('page_url') . '/admin/sso') . '">' . $inputs
            . '<button class="btn btn-primary" type="submit">' . self::html($this->words('open')) . '</button></form>'
            . '<script>document.getElementById("hookbridge-open").submit();</script>';
    }

    /**
     * WHMCS docs, "Admin Area Content/Output": `$_SESSION['adminid']` is who is logged in, more is in tbladmins.
     *
     * @return array|null id, username, roleid
     */
    private static function admin(): ?array
    {
        $id = isset($_SESSION['adminid']) && is_numeric($_SESSION['adminid']) ? (int) $_SESSION['adminid'] : 0;
        if ($id <= 0 || !class_exists(self::DATABASE_CLASS)) {
            return null;
        }
        $database = self::DATABASE_CLASS;
        $row = (array) $database::table('tbladmins')->where('id', $id)->first(['username', 'roleid']);
        if (!isset($row['username'], $row['roleid']) || (int) $row['roleid'] <= 0) {
            return null;
        }
        return ['id' => $id, 'username' => (string) $row['username'], 'roleid' => (int) $row['roleid']];
    }

    private function problem(string $text): string
    {
        return '<div class="alert alert-danger">' . self::html($text) . '</div>';
    }

    /** In the language of who is logged in, out of the module's lang/ folder. */
    private function words(string $key): string
    {
        return isset($this->vars['_lang'][$key]) ? (string) $this->vars['_lang'][$key] : $key;
    }

    private static function html(string $text): string
    {
        return htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
    }
}
