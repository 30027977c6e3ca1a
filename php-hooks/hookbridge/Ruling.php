<?php

declare(strict_types=1);

namespace Hookbridge;

/** What the bridge decided, checked. Its texts end in a page, so they are escaped here, once, for all hooks. */
final class Ruling
{
    private const DECISIONS = ['allow', 'deny', 'adjust', 'review'];
    private const TEXTS_MAX = 20;
    private const TEXT_BYTES_MAX = 1000;
    private const AMOUNT = '/^\d{1,12}(\.\d{1,4})?$/D';

    /** What a client reads when the bridge could not be asked and the rule is declared closed. */
    private const UNDECIDED = [
        'upgrade' => [
            'es_AR' => 'En este momento no podemos confirmar el cambio de plan. Probá de nuevo en unos minutos o abrí un ticket.',
            'en' => 'We cannot confirm the change of plan at the moment. Please try again in a few minutes or open a ticket.',
            'pt_BR' => 'No momento não podemos confirmar a mudança de plano. Tente novamente em alguns minutos ou abra um ticket.',
        ],
        'cancellation' => [
            'es_AR' => 'En este momento no podemos tomar el pedido de cancelación. Probá de nuevo en unos minutos o abrí un ticket.',
            'en' => 'We cannot take the cancellation request at the moment. Please try again in a few minutes or open a ticket.',
            'pt_BR' => 'No momento não podemos receber o pedido de cancelamento. Tente novamente em alguns minutos ou abra um ticket.',
        ],
        'identity' => [
            'es_AR' => 'En este momento no podemos verificar los datos. Probá de nuevo en unos minutos.',
            'en' => 'We cannot check these details at the moment. Please try again in a few minutes.',
            'pt_BR' => 'No momento não podemos verificar os dados. Tente novamente em alguns minutos.',
        ],
    ];

    private $decision;
    private $failed;
    private $values;

    /** @return self|null null when the JSON is no decision: half of one is none */
    public static function parse(string $json): ?self
    {
        $wire = json_decode($json, true, 16);
        if (!is_array($wire) || !isset($wire['decision'], $wire['reasons'])
            || !in_array($wire['decision'], self::DECISIONS, true) || !is_array($wire['reasons'])) {
            return null;
        }
        $failed = [];
        foreach ($wire['reasons'] as $reason) {
            if (!is_array($reason) || !isset($reason['code'], $reason['passed'], $reason['text'])
                || !is_bool($reason['passed']) || !is_string($reason['text']) || !is_string($reason['code'])
                || preg_match('/^[a-z0-9_]{1,64}$/D', $reason['code']) !== 1) {
                return null;
            }
            if (!$reason['passed']) {
                $failed[$reason['code']] = $reason['text'];
            }
        }
        return new self($wire['decision'], $failed, isset($wire['values']) ? (array) $wire['values'] : []);
    }

    /** What stands in when the bridge did not answer and the rule is declared closed. */
    public static function refusal(string $rule, string $language): self
    {
        $rule = isset(self::UNDECIDED[$rule]) ? $rule : 'identity';
        return new self('deny', ['no_decision' => self::UNDECIDED[$rule][$language]], []);
    }

    /** @param array $failed code => text */
    private function __construct(string $decision, array $failed, array $values)
    {
        $this->decision = $decision;
        $this->failed = array_slice($failed, 0, self::TEXTS_MAX, true);
        $this->values = $values;
    }

    /** `review` waits for a person: until then it is a no. */
    public function refuses(): bool
    {
        return $this->decision === 'deny' || $this->decision === 'review';
    }

    public function adjusts(): bool
    {
        return $this->decision === 'adjust';
    }

    /** @return string[] why not, and what to do instead, for the client; never empty when the ruling refuses */
    public function objections(): array
    {
        $texts = array_map([self::class, 'forPage'], array_values($this->failed));
        $texts[] = $this->text('message');
        return array_values(array_unique(array_filter($texts, 'strlen'))) ?: ['no_decision'];
    }

    /** For the activity log: codes hold no personal data. */
    public function codes(): string
    {
        return implode(', ', array_keys($this->failed));
    }

    public function text(string $name): string
    {
        return isset($this->values[$name]) && is_string($this->values[$name]) ? self::forPage($this->values[$name]) : '';
    }

    /** @return string[] */
    public function texts(string $name): array
    {
        $list = isset($this->values[$name]) && is_array($this->values[$name]) ? $this->values[$name] : [];
        $list = array_slice(array_filter($list, 'is_string'), 0, self::TEXTS_MAX);
        return array_values(array_filter(array_map([self::class, 'forPage'], $list), 'strlen'));
    }

    /**
     * A price, which the platform takes as a float (WHMCS docs: OrderProductUpgradeOverride).
     *
     * @return float|null null when the bridge names none
     */
    public function amount(string $name): ?float
    {
        $value = isset($this->values[$name]) ? $this->values[$name] : null;
        if ($value === null) {
            return null;
        }
        if ((!is_string($value) && !is_int($value) && !is_float($value)) || preg_match(self::AMOUNT, Text::of($value)) !== 1) {
            throw new \UnexpectedValueException('not an amount');
        }
        return (float) $value;
    }

    private static function forPage(string $text): string
    {
        return htmlspecialchars(Text::clean(trim($text), self::TEXT_BYTES_MAX), ENT_QUOTES, 'UTF-8');
    }
}
