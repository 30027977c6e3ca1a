<?php

declare(strict_types=1);

namespace Hookbridge;

/** What a client reads when the bridge could not be asked and the rule is declared closed. */
final class Sentences
{
    private const UNDECIDED = [
        'upgrade' => [
            'es_AR' => 'En este momento no podemos confirmar el cambio de plan. Probá de nuevo en unos minutos o abrí un ticket.',
            'en' => 'We cannot confirm the change of plan at the moment. Please try again in a few minutes or open a ticket.',
            'pt_BR' => 'No momento não podemos confirmar a mudança de plano. Tente novamente em alguns minutos ou abra um chamado.',
        ],
        'cancellation' => [
            'es_AR' => 'En este momento no podemos tomar el pedido de cancelación. Probá de nuevo en unos minutos o abrí un ticket.',
            'en' => 'We cannot take the cancellation request at the moment. Please try again in a few minutes or open a ticket.',
            'pt_BR' => 'No momento não podemos receber o pedido de cancelamento. Tente novamente em alguns minutos ou abra um chamado.',
        ],
        'identity' => [
            'es_AR' => 'En este momento no podemos verificar los datos. Probá de nuevo en unos minutos.',
            'en' => 'We cannot check these details at the moment. Please try again in a few minutes.',
            'pt_BR' => 'No momento não podemos verificar os dados. Tente novamente em alguns minutos.',
        ],
    ];

    public static function undecided(string $rule, string $language): string
    {
        $rule = isset(self::UNDECIDED[$rule]) ? $rule : 'identity';
        return self::UNDECIDED[$rule][$language];
    }
}
