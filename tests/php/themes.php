<?php
/**
 * Renders the page of the platform's own themes on which a plan was chosen, with what the stub returns for a refused upgrade, and looks
 * whether the reason is seen and the page leads on: php themes.php SMARTY THEME=FOLDER@COMMIT… (scripts/themes.sh). Outside CI.
 */

require __DIR__ . '/run.php';

/** What the platform gives upgradesummary.tpl (its own variables, as the templates name them). */
const PAGE = ['type' => 'package', 'id' => 5, 'groupname' => 'Hosting', 'productname' => 'Plan 1', 'domain' => 'example.com', 'configoptions' => [],
    'upgrades' => [['oldproductname' => 'Plan 1', 'newproductname' => 'Plan 2', 'newproductid' => 9, 'newproductbillingcycle' => 'annually',
        'price' => '$25.00', 'daysuntilrenewal' => 182]], 'subtotal' => '$25.00', 'total' => '$25.00', 'promoerror' => '', 'promorecurring' => '',
    'promocode' => '', 'promodesc' => '', 'discount' => '', 'taxrate' => 0, 'taxrate2' => 0, 'taxname' => '', 'taxname2' => '', 'tax' => '', 'tax2' => '',
    'allowgatewayselection' => true, 'gateways' => [['sysname' => 'paypal', 'name' => 'PayPal']], 'selectedgateway' => 'paypal', 'LANG' => []];

function rendered(string $folder, array $vars): string
{
    $smarty = new Smarty();
    $smarty->setTemplateDir($folder)->setCompileDir("$folder/.compiled");
    $smarty->setErrorReporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING); // the page reads what it sets in a loop
    $smarty->registerPlugin('function', 'lang', static function (array $of): string {
        return $of['key'];
    });
    $smarty->registerPlugin('modifier', 'sprintf2', 'sprintf');
    $smarty->assign($vars + ['template' => $folder]);
    return $smarty->fetch('upgradesummary.tpl');
}

function refused(string $version): array
{
    $box = decidingBox();
    $box->bridge([ruling('deny', ['upgrade_path' => 'REASON-ONE'], ['message' => 'REASON-TWO'])]);
    list(, $line) = $box->decide(['Nothing', shotAt('ClientAreaPageUpgrade', ['platform' => $version, 'tables' => []])]);
    return $line['returned'];
}

function themesMain(array $words): int
{
    require array_shift($words);
    error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING); // Smarty 3 is older than this PHP
    $wrong = 0;
    echo "| theme | version | smarty | reason seen | forms name the plan |\n|---|---|---|---|---|\n";
    foreach ($words as $word) {
        list($theme, $place) = explode('=', $word, 2);
        list($folder, $tag) = explode('@', $place, 2);
        $page = rendered($folder, PAGE);
        $seen = rendered($folder, refused(substr($tag, 1)) + PAGE);
        $is_told = strpos($seen, 'REASON-ONE') !== false && strpos($seen, 'REASON-TWO') !== false;
        $leads_on = preg_match('/name="pid" value="[^"]+"/', $seen) === 1;
        check(preg_match('/name="pid" value="9"/', $page) === 1, "without a refusal the page of $theme $tag names the plan");
        $wrong += (int) (!$is_told || $leads_on);
        printf("| %s | %s | %s | %s | %s |\n", $theme, $tag, Smarty::SMARTY_VERSION, $is_told ? 'yes' : 'NO', $leads_on ? 'YES' : 'no');
    }
    return $wrong === 0 ? 0 : 1;
}

exit(themesMain(array_slice($argv, 1)));
