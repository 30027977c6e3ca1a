<?php

$_ADDONLANG['about'] = 'hookbridge les avisa por WhatsApp a tus clientes. Su página muestra qué se envió, qué falló y por qué, y cambia textos y reglas.';
$_ADDONLANG['open'] = 'Abrir hookbridge';
$_ADDONLANG['opening'] = 'Abriendo hookbridge…';
$_ADDONLANG['again'] = 'Si no pasa nada, apretá el botón.';
$_ADDONLANG['as'] = 'Entrás como %1$s, con el rol «%2$s».';
$_ADDONLANG['viewer'] = 'consulta';
$_ADDONLANG['operator'] = 'operación';
$_ADDONLANG['administrator'] = 'administración';
$_ADDONLANG['no_stub'] = 'Los hooks no están instalados o todavía no se cargaron: copiá primero includes/hooks/hookbridge.php y su carpeta.';
$_ADDONLANG['no_secret'] = 'En includes/hooks/hookbridge/config.php faltan `page_url` y `sso_secret`: dónde está la página de hookbridge, y el mismo secreto que `admin.sso_secret` de allá.';
$_ADDONLANG['bad_config'] = 'config.php tiene errores:';
$_ADDONLANG['no_admin'] = 'La plataforma no dice quién sos.';
$_ADDONLANG['no_role'] = 'Tu rol de administración (id %1$s) no abre nada. Quien pueda cambiar los ajustes de este módulo carga ahí su id.';
$_ADDONLANG['activated'] = 'hookbridge está listo. Falta: su configuración, y quién puede ver su página (Access Control).';
$_ADDONLANG['deactivated'] = 'hookbridge está apagado y no dejó nada atrás.';
$_ADDONLANG['left'] = 'hookbridge está apagado. En spool_dir quedan %1$s eventos que el puente no tomó.';
$_ADDONLANG['preferences_down'] = 'Los avisos no se pueden mostrar en este momento. Probá de nuevo en unos minutos.';
