<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * The link by which an administrator of the platform gets into the bridge's page: who he is and what he may do, signed like an
 * event, good for a minute and for one time.
 */
final class SignIn
{
    private const AUDIENCE = 'hookbridge-admin';
    private const NAME_CHARS_MAX = 64;
    /** The strongest first: who has several gets the strongest. */
    private const ROLES = ['administrator', 'operator', 'viewer'];

    private $signer;

    public function __construct(Signer $signer)
    {
        $this->signer = $signer;
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

    /** @return string[] the fields of the form, by name */
    public function fields(int $admin_id, string $name, string $role, float $now): array
    {
        $id = EventId::make('sso_', $now);
        $timestamp = (int) floor($now);
        $body = (string) json_encode(
            ['aud' => self::AUDIENCE, 'admin_id' => $admin_id, 'name' => self::name($name, $admin_id), 'role' => $role],
            JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE
        );
        return ['id' => $id, 'timestamp' => (string) $timestamp, 'body' => $body,
            'signature' => $this->signer->sign($id, $timestamp, $body)];
    }

    /** As the bridge takes it: no control characters, no colon, at most 64 characters. */
    private static function name(string $name, int $admin_id): string
    {
        $plain = trim((string) preg_replace('/[\x00-\x1F\x7F:]+|\xC2[\x80-\x9F]/', ' ', Text::clean($name, 1000)));
        $short = preg_match('/^.{1,' . self::NAME_CHARS_MAX . '}/us', $plain, $found) === 1 ? trim($found[0]) : '';
        return $short === '' ? 'admin ' . $admin_id : $short;
    }
}
