<?php

declare(strict_types=1);

namespace Hookbridge;

/** One signed exchange with the bridge, inside its time. One curl handle per PHP process, so that it stays connected. */
final class Sender
{
    private const ANSWER_BYTES_MAX = 1048576;

    private $stub;
    private $config;
    private $signer;
    private $curl;
    private $headers;
    private $body;
    /** What this page has waited for the bridge, in milliseconds. */
    private $waited_ms = 0.0;
    private $may_look_up = false;

    public function __construct(Stub $stub)
    {
        $this->stub = $stub;
        $this->config = $stub->config();
        $this->signer = new Signer($this->config->key());
    }

    /** Nobody waits for this process: names may be resolved, however long that takes. */
    public function nobodyWaits(): void
    {
        $this->may_look_up = true;
    }

    /** Whether a page may ask at all: it never resolves a name, so the address must be known. */
    public function isReachable(): bool
    {
        return $this->may_look_up || $this->resolved() !== null;
    }

    /** What the page may still wait for the bridge, in milliseconds, events and decisions together. */
    public function leftMs(): int
    {
        return Who::isCron() ? PHP_INT_MAX : max(0, $this->config->number('total_timeout_ms') - (int) ceil($this->waited_ms));
    }

    /** @param string $body `{"events":[…]}` */
    public function batch(string $body, int $connect_ms, int $total_ms): Answer
    {
        return $this->post('/v1/batches', Envelope::id('bat_', microtime(true)), $body, $connect_ms, $total_ms);
    }

    public function heartbeat(string $body): Answer
    {
        return $this->post('/v1/heartbeat', Envelope::id('hbt_', microtime(true)), $body, 5000, 10000);
    }

    /** The client sees a page about exactly this, so it may take longer. */
    public function preferences(string $body): Answer
    {
        return $this->post('/v1/preferences', 'prf_' . bin2hex(random_bytes(16)), $body, 5000, 5000);
    }

    /** Connecting and the answer together take at most $total_ms. */
    public function decision(string $rule, string $id, string $body, int $total_ms): Answer
    {
        return $this->post('/v1/decisions/' . $rule, $id, $body, $this->config->number('connect_timeout_ms'), $total_ms);
    }

    /** An answer whose body is not signed by the bridge, under the id of this question, has no body. */
    public function manifest(string $etag): Answer
    {
        $id = 'man_' . bin2hex(random_bytes(16));
        $headers = $etag === '' ? [] : ['If-None-Match: ' . $etag];
        $answer = $this->exchange('/v1/manifest', $id, '', [CURLOPT_HTTPGET => true, CURLOPT_TIMEOUT_MS => 10000,
            CURLOPT_CONNECTTIMEOUT_MS => 5000], $headers);
        return $answer->status() === 200 && !$this->signer->isSigned($id, $answer) ? $answer->withoutBody() : $answer;
    }

    private function post(string $path, string $id, string $body, int $connect_ms, int $total_ms): Answer
    {
        return $this->exchange($path, $id, $body, [
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => $body,
            CURLOPT_TIMEOUT_MS => $total_ms,
            CURLOPT_CONNECTTIMEOUT_MS => min($total_ms, $connect_ms),
        ], ['Content-Type: application/json']);
    }

    private function exchange(string $path, string $id, string $body, array $options, array $headers): Answer
    {
        $this->curl = $this->curl !== null ? $this->curl : curl_init();
        list($this->headers, $this->body) = [[], ''];
        $timestamp = time();
        $started = microtime(true);
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
        $this->waited_ms += (microtime(true) - $started) * 1000;
        $error = strlen($this->body) > self::ANSWER_BYTES_MAX ? 0 : curl_errno($this->curl);
        $status = (int) curl_getinfo($this->curl, CURLINFO_RESPONSE_CODE);
        if ($status > 0 && $this->may_look_up) {
            $this->learn((string) curl_getinfo($this->curl, CURLINFO_PRIMARY_IP));
        }
        return new Answer($status, $this->headers, substr($this->body, 0, self::ANSWER_BYTES_MAX), $error);
    }

    private function options(): array
    {
        $options = [
            CURLOPT_NOSIGNAL => true, // without it timeouts under a second fail at once where curl resolves with signals
            CURLOPT_FOLLOWLOCATION => false,
            CURLOPT_PROTOCOLS => CURLPROTO_HTTP | CURLPROTO_HTTPS,
            CURLOPT_HTTP_VERSION => CURL_HTTP_VERSION_1_1,
            CURLOPT_PROXY => '', // an http_proxy of the environment is for other traffic
            CURLOPT_SSL_VERIFYPEER => true,
            CURLOPT_SSL_VERIFYHOST => 2,
            CURLOPT_USERAGENT => 'hookbridge-stub/' . Stub::VERSION,
            CURLOPT_HEADERFUNCTION => function ($curl, string $line): int {
                $parts = explode(':', $line, 2);
                if (count($parts) === 2 && count($this->headers) < 64) {
                    $this->headers[Text::lower(trim($parts[0]))] = trim($parts[1]);
                }
                return strlen($line);
            },
            CURLOPT_WRITEFUNCTION => function ($curl, string $chunk): int {
                $this->body .= $chunk;
                return strlen($this->body) > self::ANSWER_BYTES_MAX ? 0 : strlen($chunk); // 0 ends the transfer
            },
        ];
        $resolved = $this->resolved();
        if ($resolved !== null && $resolved !== '') {
            $options[CURLOPT_RESOLVE] = [$resolved];
        }
        if ($this->config->text('ca_file') !== '') {
            $options[CURLOPT_CAINFO] = $this->config->text('ca_file');
        }
        return $options;
    }

    /** `host:port:address` for curl, so that it resolves nothing; '' where `url` has an address; null when it is not known. */
    private function resolved(): ?string
    {
        $url = parse_url($this->config->text('url'));
        $host = trim($url['host'], '[]');
        $address = $this->config->text('address');
        if ($address === '' && filter_var($host, FILTER_VALIDATE_IP) !== false) {
            return '';
        }
        if ($address === '' && $host === 'localhost') {
            $address = '127.0.0.1';
        } elseif ($address === '' && !$this->may_look_up) {
            $address = is_file($this->learned()) ? trim((string) file_get_contents($this->learned())) : '';
        }
        $port = isset($url['port']) ? $url['port'] : ($url['scheme'] === 'https' ? 443 : 80);
        return filter_var($address, FILTER_VALIDATE_IP) === false ? null : "$host:$port:$address";
    }

    /** The address at which the bridge answered, for the pages. */
    private function learn(string $address): void
    {
        $is_known = is_file($this->learned()) && file_get_contents($this->learned()) === $address;
        if (!$is_known && filter_var($address, FILTER_VALIDATE_IP) !== false && $this->config->text('address') === '') {
            Spool::write($this->learned(), $address);
        }
    }

    private function learned(): string
    {
        return $this->config->text('spool_dir') . '/address-' . substr(hash('sha256', $this->config->text('url')), 0, 16);
    }
}

/** After a failure the bridge is left alone for a while, by all processes: the time stamp of one file says until when. */
final class Circuit
{
    private const REST_MAX_S = 3600;

    private $file;
    private $open_s;
    /** Where no file can be written, this process alone knows. */
    private $until = 0;

    public function __construct(string $file, int $open_s)
    {
        $this->file = $file;
        $this->open_s = $open_s;
    }

    /** Seconds until the bridge may be asked again; 0 for now. */
    public function restS(): int
    {
        clearstatcache(true, $this->file);
        $until = max($this->until, is_file($this->file) ? (int) filemtime($this->file) : 0);
        $rest_s = $until - time();
        return $rest_s > self::REST_MAX_S ? 0 : max(0, $rest_s); // a clock that was set back is not waited for
    }

    /** Only for an answer or a failure that was really got. What is open for longer already stays so. */
    public function open(int $retry_after_s): void
    {
        $rest_s = min(self::REST_MAX_S, $retry_after_s > 0 ? $retry_after_s : $this->open_s);
        if ($rest_s > $this->restS()) {
            $this->until = time() + $rest_s;
            touch($this->file, $this->until);
            Spool::private($this->file, 0600);
        }
    }
}

/** What came back from the bridge, or from something in between. */
final class Answer
{
    /** Codes that say that the events themselves cannot be taken (docs/HOOKS.md). */
    private const FINAL = ['bad-batch', 'bad-envelope', 'body-too-large', 'id-reused', 'length-required', 'not-json'];

    private $status;
    private $headers;
    private $body;
    private $error;

    /**
     * @param array $headers lower-case name => value
     * @param int $error curl's error number, 0 when the answer is complete
     */
    public function __construct(int $status, array $headers, string $body, int $error)
    {
        $this->status = $status;
        $this->headers = $headers;
        $this->body = $body;
        $this->error = $error;
    }

    /** @return array[]|null `status`, `code` of each event by its id; null unless it is the bridge's answer to a batch */
    public function events(): ?array
    {
        $wire = $this->status === 200 && $this->error === 0 ? json_decode($this->body, true, 8) : null;
        if (!is_array($wire) || !isset($wire['events']) || !is_array($wire['events'])) {
            return null;
        }
        $events = [];
        foreach ($wire['events'] as $event) {
            if (isset($event['id'], $event['status']) && is_string($event['id']) && is_int($event['status'])) {
                $events[$event['id']] = ['status' => $event['status'], 'code' => self::codeOf($event)];
            }
        }
        return $events;
    }

    /** Whether the bridge itself, and not something in between, says that these events can never be taken. */
    public function isFinal(): bool
    {
        return in_array($this->code(), self::FINAL, true);
    }

    /** @param array $event of events() */
    public static function isFinalFor(array $event): bool
    {
        return $event['status'] !== 202 && in_array($event['code'], self::FINAL, true);
    }

    /** Whether a smaller batch may fare better: something answered, and it is not simply down, busy, or at odds with our secret. */
    public function isPartial(): bool
    {
        return $this->error === 0 && $this->status !== 0 && $this->retryAfterS() === 0
            && !in_array($this->status, [429, 502, 503, 504], true) && !($this->status === 401 && $this->code() !== '');
    }

    /** Why there is no decision in it, '' when there may be one. */
    public function failure(): string
    {
        if ($this->error === CURLE_OPERATION_TIMEDOUT) {
            return 'deadline';
        }
        if ($this->error !== 0 || $this->status === 0) {
            return 'no_answer';
        }
        if ($this->status >= 400 && $this->status < 500) {
            return 'refused';
        }
        return $this->status === 200 ? '' : 'failed';
    }

    public function status(): int
    {
        return $this->status;
    }

    public function body(): string
    {
        return $this->error === 0 ? $this->body : '';
    }

    public function withoutBody(): self
    {
        return new self($this->status, $this->headers, '', $this->error);
    }

    public function header(string $name): string
    {
        return isset($this->headers[$name]) ? $this->headers[$name] : '';
    }

    public function retryAfterS(): int
    {
        return preg_match('/^\d{1,4}$/D', $this->header('retry-after')) === 1 ? (int) $this->header('retry-after') : 0;
    }

    /** The `code` of a problem+json answer, '' for any other. */
    public function code(): string
    {
        $is_ours = strpos(Text::lower($this->header('content-type')), 'application/problem+json') === 0;
        return $is_ours ? self::codeOf(json_decode($this->body(), true)) : '';
    }

    /** For people. */
    public function summary(): string
    {
        if ($this->status === 0) {
            return $this->error === 0 ? 'no answer' : 'no answer, curl error ' . $this->error;
        }
        return trim('answer ' . $this->status . ' ' . $this->code());
    }

    /** It goes into the activity log, so only the shape of a code is let through. @param mixed $problem */
    private static function codeOf($problem): string
    {
        $code = is_array($problem) && isset($problem['code']) ? $problem['code'] : '';
        return is_string($code) && preg_match('/^[a-z-]{1,40}$/D', $code) === 1 ? $code : '';
    }
}

/** Standard Webhooks signatures: HMAC-SHA256 over `<id>.<timestamp>.<raw body>`. */
final class Signer
{
    private const CLOCKS_APART_MAX_S = 300;

    private $key;

    public function __construct(string $key)
    {
        $this->key = $key;
    }

    /** The decoded bytes of `whsec_<base64 of 24..64 bytes>`, or '' when the text is not such a secret. */
    public static function keyOf(string $secret): string
    {
        if (preg_match('#^whsec_([A-Za-z0-9+/]+={0,2})$#D', $secret, $found) !== 1 || strlen($found[1]) % 4 !== 0) {
            return '';
        }
        $key = (string) base64_decode($found[1], true);
        return strlen($key) >= 24 && strlen($key) <= 64 ? $key : '';
    }

    /** The value of the `webhook-signature` header. */
    public function sign(string $id, int $timestamp, string $body): string
    {
        $mac = hash_hmac('sha256', $id . '.' . $timestamp . '.' . $body, $this->key, true);
        return 'v1,' . base64_encode($mac);
    }

    /** Whether the body is the answer to the question $id, by somebody who has our key, now. */
    public function isSigned(string $id, Answer $answer): bool
    {
        $timestamp = (int) $answer->header('webhook-timestamp');
        return $answer->header('webhook-id') === $id && abs(time() - $timestamp) <= self::CLOCKS_APART_MAX_S
            && hash_equals($this->sign($id, $timestamp, $answer->body()), $answer->header('webhook-signature'));
    }

    public function __debugInfo(): array
    {
        return [];
    }
}
