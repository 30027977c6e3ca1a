<?php

declare(strict_types=1);

namespace Hookbridge;

/** What came back from the bridge, and what that means for the event. */
final class Answer
{
    public const DONE = 'done';
    public const LATER = 'later';
    public const REJECTED = 'rejected';

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

    /** Nothing was sent, because the circuit is open. */
    public static function notTried(): self
    {
        return new self(0, [], '', 0);
    }

    /**
     * Half an answer is no answer: to send twice is harmless, the bridge knows the id. Any answer that no bridge gives
     * (200 from a proxy's page, a redirect) is kept for later, not taken for success.
     */
    public function verdict(): string
    {
        if ($this->status === 202 && $this->error === 0) {
            return self::DONE;
        }
        // 400 and 408: the request broke or was too slow on its way.
        if ($this->error !== 0 || $this->status <= 400 || $this->status >= 500 || in_array($this->status, [408, 429], true)
            || ($this->status === 401 && $this->code() === 'stale-timestamp')) {
            return self::LATER;
        }
        return self::REJECTED;
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

    public function header(string $name): string
    {
        return isset($this->headers[$name]) ? $this->headers[$name] : '';
    }

    public function retryAfterS(): int
    {
        return preg_match('/^\d{1,4}$/D', $this->header('retry-after')) === 1 ? (int) $this->header('retry-after') : 0;
    }

    /** The `code` of a problem+json answer. It goes into the activity log, so only the shape of a code is let through. */
    public function code(): string
    {
        $problem = json_decode($this->body(), true);
        $code = is_array($problem) && isset($problem['code']) ? $problem['code'] : '';
        return is_string($code) && preg_match('/^[a-z-]{1,40}$/D', $code) === 1 ? $code : '';
    }

    /** For people. */
    public function summary(): string
    {
        if ($this->status === 0) {
            return $this->error === 0 ? 'no answer' : 'no answer, curl error ' . $this->error;
        }
        return trim('answer ' . $this->status . ' ' . $this->code());
    }
}
