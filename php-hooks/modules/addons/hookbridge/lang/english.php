<?php

$_ADDONLANG['about'] = 'hookbridge sends your clients alerts by WhatsApp. Its page shows what was sent, what failed and why, and changes texts and rules.';
$_ADDONLANG['open'] = 'Open hookbridge';
$_ADDONLANG['opening'] = 'Opening hookbridge…';
$_ADDONLANG['again'] = 'If nothing happens, press the button.';
$_ADDONLANG['as'] = 'You come as %1$s, with the role “%2$s”.';
$_ADDONLANG['viewer'] = 'viewer';
$_ADDONLANG['operator'] = 'operator';
$_ADDONLANG['administrator'] = 'administrator';
$_ADDONLANG['no_stub'] = 'The hooks are not installed, or not loaded yet: copy includes/hooks/hookbridge.php and its folder first.';
$_ADDONLANG['no_secret'] = 'In includes/hooks/hookbridge/config.php, `page_url` and `sso_secret` are missing: where the bridge\'s page is, and the same secret as `admin.sso_secret` of the bridge.';
$_ADDONLANG['bad_config'] = 'config.php has mistakes:';
$_ADDONLANG['no_admin'] = 'The platform does not say who you are.';
$_ADDONLANG['no_role'] = 'Your administrator role (id %1$s) opens nothing. Whoever may change the settings of this addon enters its id there.';
$_ADDONLANG['activated'] = 'hookbridge is ready. Next: its settings, and who may see its page (Access Control).';
$_ADDONLANG['deactivated'] = 'hookbridge is off, and has left nothing behind.';
$_ADDONLANG['left'] = 'hookbridge is off. %1$s events that the bridge did not take are still in spool_dir.';
$_ADDONLANG['preferences_down'] = 'The alerts cannot be shown at the moment. Try again in some minutes.';
