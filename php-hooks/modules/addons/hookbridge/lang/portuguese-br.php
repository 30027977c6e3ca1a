<?php

$_ADDONLANG['about'] = 'O hookbridge avisa seus clientes por WhatsApp. Sua página mostra o que foi enviado, o que falhou e por quê, e muda textos e regras.';
$_ADDONLANG['open'] = 'Abrir o hookbridge';
$_ADDONLANG['opening'] = 'Abrindo o hookbridge…';
$_ADDONLANG['again'] = 'Se nada acontecer, aperte o botão.';
$_ADDONLANG['as'] = 'Você entra como %1$s, com o papel “%2$s”.';
$_ADDONLANG['viewer'] = 'consulta';
$_ADDONLANG['operator'] = 'operação';
$_ADDONLANG['administrator'] = 'administração';
$_ADDONLANG['no_stub'] = 'Os hooks não estão instalados ou ainda não foram carregados: copie antes includes/hooks/hookbridge.php e sua pasta.';
$_ADDONLANG['no_secret'] = 'Em includes/hooks/hookbridge/config.php faltam `page_url` e `sso_secret`: onde está a página do hookbridge, e o mesmo segredo que `admin.sso_secret` de lá.';
$_ADDONLANG['bad_config'] = 'config.php tem erros:';
$_ADDONLANG['no_admin'] = 'A plataforma não diz quem você é.';
$_ADDONLANG['no_role'] = 'Seu papel de administração (id %1$s) não abre nada. Quem pode mudar os ajustes deste módulo informa o id ali.';
$_ADDONLANG['activated'] = 'O hookbridge está pronto. Falta: sua configuração, e quem pode ver sua página (Access Control).';
$_ADDONLANG['deactivated'] = 'O hookbridge está desligado e não deixou nada para trás.';
$_ADDONLANG['left'] = 'O hookbridge está desligado. Em spool_dir ficaram %1$s eventos que a ponte não recebeu.';
$_ADDONLANG['preferences_down'] = 'Não é possível mostrar os avisos agora. Tente de novo em alguns minutos.';
