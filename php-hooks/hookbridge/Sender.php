<?php

declare(strict_types=1);

namespace Hookbridge;

/** One signed exchange with the bridge inside its budget. One curl handle per PHP process, so that it stays connected. */
final class Sender
{
    private const ANSWER_BYTES_MAX = 65536;

    private $config;
    private $signer;
    private $circuit;
    private $curl;
    private $headers;
    private $body;

    public function __construct(Config $config, Signer $signer, Circuit $circuit)
    {
        $this->config = $config;
        $this->signer = $signer;
        $this->circuit = $circuit;
    }

    public function event(string $id, string $body): Answer
    {
        $answer = $this->exchange('/v1/events', $id, $body, [
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => $body,
        ], ['Content-Type: application/json']);
        if ($answer->verdict() === Answer::LATER) {
            $this->circuit->open($answer->retryAfterS());
        }
        return $answer;
    }

    /** Connecting and the answer together take at most $total_ms. */
    public function decision(string $rule, string $id, string $body, int $total_ms): Answer
    {
        return $this->exchange('/v1/decisions/' . $rule, $id, $body, [
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => $body,
            CURLOPT_TIMEOUT_MS => $total_ms,
            CURLOPT_CONNECTTIMEOUT_MS => min($total_ms, $this->config->number('connect_timeout_ms')),
        ], ['Content-Type: application/json']);
    }

    public function manifest(string $etag): Answer
    {
        $id = 'man_' . bin2hex(random_bytes(16));
        $headers = $etag === '' ? [] : ['If-None-Match: ' . $etag];
        $answer = $this->exchange('/v1/manifest', $id, '', [CURLOPT_HTTPGET => true], $headers);
        if ($answer->status() === 0) {
            $this->circuit->open(0);
        }
        return $answer;
    }

    public function isResting(): bool
    {
        return $this->circuit->isOpen();
    }

    /** The timestamp and the signature are made here, so that every try has fresh ones. */
    private function exchange(string $path, string $id, string $body, array $options, array $headers): Answer
    {
        if ($this->circuit->isOpen()) {
            return Answer::notTried();
        }
        $timestamp = time();
        $this->headers = [];
        $this->body = '';
        if ($this->curl === null) {
            $this->curl = curl_init();
        }
        curl_reset($this->curl); // forgets the options, keeps the connection
        curl_setopt_array($this->curl, $options + $this->options() + [
            CURLOPT_URL => $this->config->text('url') . $path,
            CURLOPT_HTTPHEADER => array_merge($headers, [
                'webhook-id: ' . $id,
                'webhook-timestamp: ' . $timestamp,
                'webhook-signature: ' . $this->signer->sign($id, $timestamp, $body),
                'hookbridge-source: ' . $this->config->text('source'),
                'Expect:', // curl would wait up to a second for "100 Continue" before it sends a larger body
            ]),
        ]);
        curl_exec($this->curl);
        $error = strlen($this->body) > self::ANSWER_BYTES_MAX ? 0 : curl_errno($this->curl);
        $status = (int) curl_getinfo($this->curl, CURLINFO_RESPONSE_CODE);
        return new Answer($status, $this->headers, substr($this->body, 0, self::ANSWER_BYTES_MAX), $error);
    }

    private function options(): array
    {
        $options = [
            CURLOPT_CONNECTTIMEOUT_MS => $this->config->number('connect_timeout_ms'),
            CURLOPT_TIMEOUT_MS => $this->config->number('total_timeout_ms'),
            CURLOPT_NOSIGNAL => true, // without it timeouts under a second fail at once where curl resolves with signals
            CURLOPT_FOLLOWLOCATION => false,
            CURLOPT_PROTOCOLS => CURLPROTO_HTTP | CURLPROTO_HTTPS,
            CURLOPT_HTTP_VERSION => CURL_HTTP_VERSION_1_1,
            CURLOPT_PROXY => '', // an http_proxy of the environment is for other traffic
            CURLOPT_SSL_VERIFYPEER => true,
            CURLOPT_SSL_VERIFYHOST => 2,
            CURLOPT_USERAGENT => 'hookbridge-stub/' . Envelope::STUB_VERSION,
            CURLOPT_HEADERFUNCTION => function ($curl, string $line): int {
                $parts = explode(':', $line, 2);
                if (count($parts) === 2 && count($this->headers) < 64) {
                    $this->headers[strtolower(trim($parts[0]))] = trim($parts[1]);
                }
                return strlen($line);
            },
            CURLOPT_WRITEFUNCTION => function ($curl, string $chunk): int {
                $this->body .= $chunk;
                return strlen($this->body) > self::ANSWER_BYTES_MAX ? 0 : strlen($chunk); // 0 ends the transfer
            },
        ];
        if ($this->config->text('ca_file') !== '') {
            $options[CURLOPT_CAINFO] = $this->config->text('ca_file');
        }
        return $options;
    }
}
