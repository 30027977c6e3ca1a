<?php

declare(strict_types=1);

namespace Hookbridge;

/**
 * The rules `cancellation` and `termination`. WHMCS docs: ClientAreaPageCancellation returns template variables, and
 * `invalid` hides the form (the request itself cannot be vetoed); PreModuleTerminate returns `abortcmd`.
 */
final class CancellationHooks
{
    private const TYPES = ['Immediate', 'End of Billing Period'];

    private $who;

    public function __construct(Stub $stub)
    {
        $this->who = $stub->part(Who::class);
    }

    public function question(string $hook, array $vars): ?array
    {
        if ($hook === 'PreModuleTerminate') {
            $params = isset($vars['params']) && is_array($vars['params']) ? $vars['params'] : [];
            // The same hook fires for an addon, whose id would read as a service's.
            return self::id($params, 'serviceid') === 0 || self::id($params, 'addonId') > 0 ? null : array_filter(
                ['service_id' => self::id($params, 'serviceid'), 'client_id' => self::id($params, 'userid')]
            );
        }
        $service = self::id($vars, 'id') ?: Who::requestedId('id');
        $type = Who::requested('type');
        return $service === 0 ? null : array_filter([
            'service_id' => $service,
            'client_id' => $this->who->clientId(),
            'type' => in_array($type, self::TYPES, true) ? $type : '',
        ]);
    }

    public function answer(string $hook, array $vars, Ruling $ruling): ?array
    {
        if ($hook === 'PreModuleTerminate') {
            return $ruling->refuses() ? ['abortcmd' => true] : null;
        }
        $notices = $ruling->refuses() ? $ruling->objections() : [];
        $notices = array_merge($notices, array_filter([$ruling->text('message')], 'strlen'), $ruling->texts('notices'));
        $page = $notices === [] ? [] : ['hookbridgenotices' => array_values(array_unique($notices))];
        // The page that says "we have your request" is shown by the same template: hiding that would help nobody.
        if ($ruling->refuses() && empty($vars['requested'])) {
            $page['invalid'] = true;
        }
        return $page === [] ? null : $page;
    }

    private static function id(array $vars, string $name): int
    {
        return isset($vars[$name]) && is_numeric($vars[$name]) && $vars[$name] > 0 ? (int) $vars[$name] : 0;
    }
}
