<?php

declare(strict_types=1);

namespace HookbridgeAddon;

use Hookbridge\Config;
use Hookbridge\Signer;
use Hookbridge\Stub;

/**
 * The client area's page `index.php?m=hookbridge`: which alerts each person of the account gets. The bridge says what to show; this asks
 * it for the client who is logged in, signed like the stub's events, and hands on what he switched.
 */
final class Preferences
{
    private const USER_CLASS = 'WHMCS\Authentication\CurrentUser';
    private const HOOK = 'ClientPreferences';
    private const TIMEOUT_MS = 5000;
    private const ANSWER_BYTES_MAX = 1048576;

    /**
     * WHMCS docs, "Client Area Output": what hookbridge_clientarea() returns.
     *
     * @param array $vars what the platform passes, `_lang` and `modulelink` among it
     */
    public static function page(array $vars): array
    {
        $words = isset($vars['_lang']) ? (array) $vars['_lang'] : [];
        $link = isset($vars['modulelink']) ? (string) $vars['modulelink'] : 'index.php?m=hookbridge';
        $token = self::token();
        list($answer, $problem) = [null, ''];
        try {
            $answer = self::ask(self::changes($token));
        } catch (\Throwable $e) {
            $problem = isset($words['preferences_down']) ? (string) $words['preferences_down'] : 'Try again in a moment.';
        }
        $title = $answer !== null ? (string) $answer['title'] : 'WhatsApp';
        return ['pagetitle' => $title, 'breadcrumb' => [$link => $title], 'templatefile' => 'templates/preferences',
            'requirelogin' => true, 'forcessl' => false,
            'vars' => ['hb' => $answer, 'hb_problem' => $problem, 'hb_link' => $link, 'hb_token' => $token]];
    }

    /** A word that only this session's forms know. */
    private static function token(): string
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
    private static function ask(string $changes): array
    {
        list($client, $login) = self::visitor();
        $folder = \hookbridge_stub();
        if ($folder === '') {
            throw new \RuntimeException('the stub is not installed');
        }
        $config = Config::load(Stub::configFile($folder), $folder);
        $body = (string) json_encode(['v' => 1, 'hook' => self::HOOK, 'occurred_at' => gmdate('Y-m-d\TH:i:s\Z'),
            'actor' => ['kind' => 'client', 'masquerading' => !empty($_SESSION['adminid'])],
            'fields' => array_filter(['client_id' => $client, 'user_id' => $login, 'changes' => $changes])]);
        $id = 'prf_' . bin2hex(random_bytes(16));
        $now = time();
        $signature = (new Signer($config->key()))->sign($id, $now, $body);
        $curl = curl_init($config->text('url') . '/v1/preferences');
        curl_setopt_array($curl, [
            CURLOPT_POST => true, CURLOPT_POSTFIELDS => $body, CURLOPT_RETURNTRANSFER => true, CURLOPT_FOLLOWLOCATION => false,
            CURLOPT_PROTOCOLS => CURLPROTO_HTTP | CURLPROTO_HTTPS, CURLOPT_PROXY => '', CURLOPT_NOSIGNAL => true,
            CURLOPT_TIMEOUT_MS => self::TIMEOUT_MS, CURLOPT_CONNECTTIMEOUT_MS => self::TIMEOUT_MS,
            CURLOPT_HTTPHEADER => ['Content-Type: application/json', 'Expect:', "webhook-id: $id", "webhook-timestamp: $now",
                "webhook-signature: $signature", 'hookbridge-source: ' . $config->text('source')],
        ] + ($config->text('ca_file') !== '' ? [CURLOPT_CAINFO => $config->text('ca_file')] : []));
        $text = curl_exec($curl);
        $status = (int) curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
        $answer = is_string($text) && strlen($text) <= self::ANSWER_BYTES_MAX ? json_decode($text, true) : null;
        if ($status !== 200 || !is_array($answer) || !isset($answer['title'], $answer['people'])) {
            throw new \RuntimeException("the bridge answered $status");
        }
        return $answer;
    }

    /**
     * @return array the client's id and his login's (0 where logins do not exist)
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
