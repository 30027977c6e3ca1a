<?php

declare(strict_types=1);

namespace Hookbridge;

/** For whom this page is: the client it belongs to, and the language that he reads. */
final class Visitor
{
    private const USER_CLASS = 'WHMCS\Authentication\CurrentUser';

    private $actor;

    public function __construct(Actor $actor)
    {
        $this->actor = $actor;
    }

    /** The client who is logged in, 0 for none. In the client area only he counts, whatever a form claims. */
    public function clientId(): int
    {
        $actor = $this->actor->describe();
        return !$this->isStaff() && isset($actor['client_id']) ? $actor['client_id'] : 0;
    }

    /** An administrator on his own pages, or a program at the API: they may name any client. */
    public function isStaff(): bool
    {
        $actor = $this->actor->describe();
        return in_array($actor['kind'], ['admin', 'api', 'cron'], true) && empty($actor['masquerading']);
    }

    /**
     * `es_AR`, `en` or `pt_BR`, out of the platform's names of languages (`spanish`, `portuguese-br`).
     *
     * @param array $vars of a page, which name its language
     */
    public function language(array $vars): string
    {
        $names = [
            isset($vars['language']) ? $vars['language'] : '',
            isset($_SESSION['Language']) ? $_SESSION['Language'] : '',
            self::languageOfClient(),
            isset($GLOBALS['CONFIG']['Language']) ? $GLOBALS['CONFIG']['Language'] : '',
        ];
        foreach ($names as $name) {
            foreach (['spanish' => 'es_AR', 'english' => 'en', 'portuguese' => 'pt_BR'] as $begin => $language) {
                if (is_string($name) && stripos($name, $begin) === 0) {
                    return $language;
                }
            }
        }
        return 'es_AR';
    }

    private static function languageOfClient(): string
    {
        try {
            $class = self::USER_CLASS;
            $client = class_exists($class) ? (new $class())->client() : null;
            return is_object($client) && isset($client->language) ? (string) $client->language : '';
        } catch (\Throwable $e) {
            return '';
        }
    }
}
