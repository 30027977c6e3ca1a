<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * What the platform's addon page shows: a button, and behind it a form that the browser hands to the bridge by itself, so that what
 * it holds stands in no address and no log; the probe of the first day; how the stub is. Who may see the page is the platform's to say.
 */
final class AddonPage
{
    /** The strongest first: who has several gets the strongest. */
    private const ROLES = ['administrator', 'operator', 'viewer'];

    private $vars;

    /** @param array $vars what the platform passes to hookbridge_output(), the addon's settings among them */
    public static function show(array $vars): string
    {
        $page = new self($vars);
        try {
            $config = Config::load(Stub::configFile(__DIR__), __DIR__);
        } catch (ConfigError $e) {
            return $page->problem($page->words('bad_config') . ' ' . $e->getMessage());
        }
        $admin = self::admin();
        $role = $admin === null ? '' : self::role($vars, $admin['roleid']);
        if ($config->text('page_url') === '' || $config->signInKey() === '') {
            return $page->problem($page->words('no_secret')) . $page->probe($role) . $page->standing();
        }
        if ($admin === null) {
            return $page->problem($page->words('no_admin'));
        }
        if ($role === '') {
            return $page->problem(sprintf($page->words('no_role'), $admin['roleid'])) . $page->standing();
        }
        return isset($_GET['open']) ? $page->form($config, $admin, $role) : $page->button($admin, $role) . $page->probe($role) . $page->standing();
    }

    /** What is wrong with config.php or spool_dir; '' for nothing. */
    public static function fault(string $folder): string
    {
        $fault = '';
        $error = Stub::quietly(static function () use ($folder, &$fault) {
            $fault = Stub::at($folder)->part(Spool::class)->check();
        });
        return $error === null ? $fault : Stub::sentence($error);
    }

    /** The addon is deactivated: sends what waits and empties spool_dir. @return int how many events are left */
    public static function leave(string $folder): int
    {
        $left = 0;
        Stub::quietly(static function () use ($folder, &$left) {
            $stub = Stub::at($folder);
            $stub->part(Flush::class)->everything();
            $left = $stub->part(Spool::class)->clear();
        });
        return $left;
    }

    private function __construct(array $vars)
    {
        $this->vars = $vars;
    }

    private function button(array $admin, string $role): string
    {
        return '<p>' . self::html($this->words('about')) . '</p><p><a class="btn btn-primary" target="_blank" rel="noopener" href="'
            . self::html($this->link() . '&open=1') . '">' . self::html($this->words('open')) . '</a></p><p>'
            . self::html(sprintf($this->words('as'), $admin['username'], $this->words($role))) . '</p>';
    }

    private function link(): string
    {
        return isset($this->vars['modulelink']) ? (string) $this->vars['modulelink'] : 'addonmodules.php?module=hookbridge';
    }

    /** The probe of the first day (docs/FIRST-DAY.md), for who may operate: on for some minutes, off, and what it noted sent at once. */
    private function probe(string $role): string
    {
        if (!in_array($role, ['operator', 'administrator'], true)) {
            return '';
        }
        list($said, $until, $waiting) = ['', 0, 0];
        $error = Stub::quietly(function () use (&$said, &$until, &$waiting) {
            $said = $this->probed(Stub::at(__DIR__));
            $stub = Stub::at(__DIR__); // anew: until when it is on, has just changed
            list($until, $waiting) = [$stub->probeUntil(), Probe::waiting($stub)];
        });
        if ($error !== null) {
            return $this->problem(Stub::sentence($error));
        }
        $is_on = $until > time();
        $state = $until === 0 ? $this->words('probe_off')
            : sprintf($this->words($is_on ? 'probe_on' : 'probe_over'), gmdate('Y-m-d H:i', $until) . ' UTC');
        $state .= ' ' . ($waiting > 0 ? sprintf($this->words('probe_waiting'), $waiting) : ($until > 0 ? $this->words('probe_sent') : ''));
        $button = function (string $does): string {
            return '<button class="btn btn-default" type="submit" name="hb_probe" value="' . $does . '">' . self::html($this->words('probe_' . $does)) . '</button> ';
        };
        $minutes = '<label>' . self::html($this->words('probe_minutes')) . ' <input type="number" name="hb_minutes" value="60" min="1" max="'
            . Probe::MINUTES_MAX . '" style="width:6em"></label> ';
        // The platform's own word against forged forms, where it has one; ours is looked at.
        $token = function_exists('generate_token') ? (string) \generate_token() : '';
        return '<h3>' . self::html($this->words('probe')) . '</h3><p>' . self::html($this->words('probe_about')) . '</p>'
            . ($said === '' ? '' : '<div class="alert alert-warning">' . self::html($said) . '</div>')
            . '<form method="post" action="' . self::html($this->link()) . '">' . $token . '<input type="hidden" name="hb_token" value="'
            . self::html(Preferences::token()) . '"><p>' . self::html(trim($state)) . '</p>'
            . ($is_on ? $button('stop') : $minutes . $button('start')) . ($waiting > 0 ? $button('send') : '') . '</form>';
    }

    /** Does what the form of the probe says, if this session's page made it. @return string what went wrong, for people; '' for nothing */
    private function probed(Stub $stub): string
    {
        $does = isset($_POST['hb_probe'], $_POST['hb_token']) && is_string($_POST['hb_token'])
            && hash_equals(Preferences::token(), $_POST['hb_token']) ? $_POST['hb_probe'] : '';
        if ($does === 'start') {
            $given = isset($_POST['hb_minutes']) && is_string($_POST['hb_minutes']) ? $_POST['hb_minutes'] : '';
            $minutes = preg_match('/^[1-9]\d{0,3}$/D', $given) === 1 ? (int) $given : 0;
            return $minutes === 0 || $minutes > Probe::MINUTES_MAX ? sprintf($this->words('probe_range'), Probe::MINUTES_MAX)
                : Probe::turn($stub, $minutes);
        }
        $fault = $does === 'stop' ? Probe::turn($stub, 0) : '';
        // What pages noted a moment ago goes at once; whoever pressed the button waits for it.
        $why = $fault === '' && in_array($does, ['stop', 'send'], true) ? $stub->part(Flush::class)->everything() : '';
        return $why === '' ? $fault : sprintf($this->words('probe_not_sent'), $why);
    }

    /** How the stub is, with a red line where something is wrong. */
    private function standing(): string
    {
        $lines = [];
        $error = Stub::quietly(static function () use (&$lines) {
            $lines = Stub::at(__DIR__)->part(Report::class)->lines();
        });
        if ($error !== null) {
            return $this->problem(Stub::sentence($error));
        }
        $rows = '';
        foreach ($lines as list($name, $value, $is_wrong)) {
            $rows .= ($is_wrong ? '<tr class="danger" style="color:#a00"><th>&#9888; ' : '<tr><th>') . self::html($this->words('state_' . $name))
                . '</th><td>' . self::html($value) . '</td></tr>';
        }
        return '<h3>' . self::html($this->words('standing')) . '</h3><table class="table table-condensed">' . $rows . '</table>';
    }

    private function form(Config $config, array $admin, string $role): string
    {
        if (!headers_sent()) {
            header('Cache-Control: no-store');
        }
        // Signed like an event; the bridge takes it for a minute and once.
        $now = microtime(true);
        list($id, $at, $body) = [Envelope::id('sso_', $now), (int) $now, Envelope::signIn($admin['id'], $admin['username'], $role)];
        $signature = (new Signer($config->signInKey()))->sign($id, $at, $body);
        $inputs = '';
        foreach (['id' => $id, 'timestamp' => (string) $at, 'body' => $body, 'signature' => $signature] as $name => $value) {
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
        $id = Who::id(isset($_SESSION) ? $_SESSION : [], 'adminid');
        $row = Rows::first('tbladmins', $id, ['username', 'roleid']);
        return isset($row['username']) && Who::id($row, 'roleid') > 0
            ? ['id' => $id, 'username' => (string) $row['username'], 'roleid' => (int) $row['roleid']] : null;
    }

    /**
     * The role that the addon's settings give to an administrator role of the platform; '' for none.
     *
     * @param array $settings viewer_roles, operator_roles, administrator_roles: ids, separated by commas
     */
    public static function role(array $settings, int $role_id): string
    {
        foreach (self::ROLES as $role) {
            $listed = isset($settings[$role . '_roles']) ? explode(',', (string) $settings[$role . '_roles']) : [];
            if (in_array((string) $role_id, array_map('trim', $listed), true)) {
                return $role;
            }
        }
        return '';
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

/**
 * The client area's page `index.php?m=hookbridge`: which alerts each person of the account gets. The bridge says what to show; this asks
 * it for the client who is logged in, signed like the stub's events, and hands on the switches.
 */
final class Preferences
{
    private const USER_CLASS = 'WHMCS\Authentication\CurrentUser';

    /**
     * WHMCS docs, "Client Area Output": what hookbridge_clientarea() returns.
     *
     * @param array $vars what the platform passes, `_lang` and `modulelink` among it
     */
    public static function page(array $vars, string $folder): array
    {
        $words = isset($vars['_lang']) ? (array) $vars['_lang'] : [];
        $link = isset($vars['modulelink']) ? (string) $vars['modulelink'] : 'index.php?m=hookbridge';
        $token = self::token();
        list($answer, $problem) = [null, ''];
        try {
            $answer = self::ask(Stub::at($folder), self::changes($token));
        } catch (\Throwable $e) {
            $problem = isset($words['preferences_down']) ? (string) $words['preferences_down'] : 'Try again in a moment.';
        }
        $title = $answer !== null ? (string) $answer['title'] : 'WhatsApp';
        return ['pagetitle' => $title, 'breadcrumb' => [$link => $title], 'templatefile' => 'templates/preferences',
            'requirelogin' => true, 'forcessl' => false,
            'vars' => ['hb' => $answer, 'hb_problem' => $problem, 'hb_link' => $link, 'hb_token' => $token]];
    }

    /** What only this session's forms know. */
    public static function token(): string
    {
        if (!isset($_SESSION['hookbridge_token']) || !is_string($_SESSION['hookbridge_token'])) {
            $_SESSION['hookbridge_token'] = bin2hex(random_bytes(16));
        }
        return $_SESSION['hookbridge_token'];
    }

    /** `client:35/status=0;…`: each switch whose box is not as it was shown. */
    private static function changes(string $token): string
    {
        $given = isset($_POST['hb_token']) && is_string($_POST['hb_token']) ? $_POST['hb_token'] : '';
        if (!hash_equals($token, $given)) {
            return '';
        }
        $shown = isset($_POST['hb_shown']) && is_array($_POST['hb_shown']) ? $_POST['hb_shown'] : [];
        $ticked = isset($_POST['hb_on']) && is_array($_POST['hb_on']) ? $_POST['hb_on'] : [];
        $changes = [];
        foreach ($shown as $switch => $was) {
            $is = isset($ticked[$switch]) ? '1' : '0';
            if (preg_match('#^(client|contact|login):[0-9/]+/(status|notice)$#D', (string) $switch) === 1 && $was !== $is) {
                $changes[] = $switch . '=' . $is;
            }
        }
        return implode(';', $changes);
    }

    /** @throws \RuntimeException when the bridge gives no answer */
    private static function ask(Stub $stub, string $changes): array
    {
        list($client, $login) = self::visitor();
        $sender = $stub->part(Sender::class);
        // A page resolves no name: until the cron has reached the bridge once, or `address` is set, it cannot be asked.
        $answer = $sender->isReachable() ? $sender->preferences(Envelope::preferences($client, $login, $changes)) : null;
        $page = $answer !== null && $answer->status() === 200 ? json_decode($answer->body(), true) : null;
        if (!is_array($page) || !isset($page['title'], $page['people'])) {
            throw new \RuntimeException('no answer');
        }
        return $page;
    }

    /**
     * Not the actor of an event: this is a page whatever PHP's SAPI is.
     *
     * @return array the client's id and the login's (0 where logins do not exist)
     * @throws \RuntimeException when nobody is logged in
     */
    private static function visitor(): array
    {
        list($client, $login) = [isset($_SESSION['uid']) ? (int) $_SESSION['uid'] : 0, 0];
        $class = self::USER_CLASS;
        if (class_exists($class)) {
            $current = new $class();
            list($account, $user) = [$current->client(), $current->user()];
            $client = $account ? (int) $account->id : $client;
            $login = $user ? (int) $user->id : 0;
        }
        if ($client <= 0) {
            throw new \RuntimeException('nobody is logged in');
        }
        return [$client, $login];
    }
}
