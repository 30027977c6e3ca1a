<?php
/**
 * A stand-in bridge for the tests: prints its port when it listens, answers as it is told, and writes each request to a
 * file before it answers. Ends when its stdin is closed.
 *
 * argv[1] is JSON: {"log":"requests.jsonl","tls":"both.pem","answers":[{…},…]}; the last answer repeats. An answer is
 * {"status":202,"body":"…","headers":{"ETag":"…"}} (or "bytes":5000000 for a body of that size), or {"does":"hang"} (reads,
 * never answers), {"does":"drip"} (one header byte now and then) or {"does":"close"}, or {"does":"wait"} (answers when a line comes by stdin) or {"does":"late"} (answers 300 ms later). "each":[202,[422,"bad-envelope"],…] is what
 * becomes of each event of a batch, one after the other over all batches; the last repeats. 202 alone is a batch of which all is
 * stored. "heartbeat":{answer}: to heartbeats, which otherwise get 404, as of a bridge that is older. "if":"text": only for a request that holds the text, else 202. "secret" signs the answer, as the bridge does the manifest.
 */

/** The answer to a batch: what becomes of each event. @return string JSON */
function answersTo(string $body, array $each, int $taken): string
{
    $events = [];
    foreach (json_decode($body, true)['events'] as $number => $event) {
        $its = $each[min($taken + $number, count($each) - 1)];
        $events[] = ['id' => $event['id']] + (is_array($its) ? ['status' => $its[0], 'code' => $its[1]] : ['status' => $its, 'duplicate' => false]);
    }
    return json_encode(['events' => $events]);
}


$told = json_decode($argv[1], true);
$tls = isset($told['tls']) ? ['ssl' => ['local_cert' => $told['tls']]] : [];
$server = stream_socket_server(
    ($tls ? 'ssl' : 'tcp') . '://127.0.0.1:0',
    $code,
    $message,
    STREAM_SERVER_BIND | STREAM_SERVER_LISTEN,
    stream_context_create($tls)
);
echo substr(strrchr(stream_socket_get_name($server, false), ':'), 1), "\n";

const DRIP_PAUSE_US = 20000;
const LATE_US = 300000;
$clients = $pending = $dripping = $held = $late = [];
$accepted = $served = $events_taken = 0;

$take = static function (string $bytes) {
    $end = strpos($bytes, "\r\n\r\n");
    if ($end === false) {
        return null;
    }
    $lines = explode("\r\n", substr($bytes, 0, $end));
    list($method, $path) = explode(' ', array_shift($lines));
    $headers = [];
    foreach ($lines as $line) {
        list($name, $value) = explode(':', $line, 2);
        $headers[strtolower($name)] = trim($value);
    }
    $length = isset($headers['content-length']) ? (int) $headers['content-length'] : 0;
    $body = substr($bytes, $end + 4);
    return strlen($body) < $length ? null : compact('method', 'path', 'headers', 'body');
};

while (true) {
    $read = array_merge([STDIN, $server], array_values($clients));
    $write = $except = null;
    if (stream_select($read, $write, $except, 0, $dripping || $late ? DRIP_PAUSE_US : 500000) === false) {
        exit(1);
    }
    while ($late !== [] && $late[0][0] <= microtime(true)) {
        list(, $client, $bytes) = array_shift($late);
        is_resource($client) && @fwrite($client, $bytes);
    }
    foreach ($dripping as $client) {
        @fwrite($client, 'x');
    }
    foreach ($read as $stream) {
        if ($stream === STDIN) {
            if (fread(STDIN, 100) === '' && feof(STDIN)) {
                exit(0);
            }
            array_map('fwrite', array_column($held, 0), array_column($held, 1));
            $held = [];
            continue;
        }
        if ($stream === $server) {
            $client = @stream_socket_accept($server, 2); // a failed TLS handshake is what some tests are after
            if ($client !== false) {
                $clients[(int) $client] = $client;
                $pending[(int) $client] = ['number' => ++$accepted, 'bytes' => ''];
            }
            continue;
        }
        $key = (int) $stream;
        $chunk = @fread($stream, 65536);
        if ($chunk === '' || $chunk === false) {
            fclose($stream);
            unset($clients[$key], $pending[$key], $dripping[$key]);
            continue;
        }
        $pending[$key]['bytes'] .= $chunk;
        $request = $take($pending[$key]['bytes']);
        if ($request === null) {
            continue;
        }
        $pending[$key]['bytes'] = '';
        $request['connection'] = $pending[$key]['number'];
        file_put_contents($told['log'], json_encode($request, JSON_INVALID_UTF8_SUBSTITUTE) . "\n", FILE_APPEND);
        $is_heartbeat = $request['path'] === '/v1/heartbeat';
        $answer = $is_heartbeat ? (isset($told['heartbeat']) ? $told['heartbeat'] : ['status' => 404])
            : $told['answers'][min($served++, count($told['answers']) - 1)];
        if (isset($answer['if']) && strpos($request['body'], $answer['if']) === false) {
            $answer = ['status' => 202];
        }
        if ($request['path'] === '/v1/batches' && (isset($answer['each']) || array_diff_key($answer, ['does' => 1]) === ['status' => 202])) {
            $each = isset($answer['each']) ? $answer['each'] : [202];
            $answer = ['status' => 200, 'body' => answersTo($request['body'], $each, $events_taken)] + $answer;
            $events_taken += substr_count($answer['body'], '"id"');
        }
        $answer += isset($answer['each']) ? ['status' => 304] : [];
        if (isset($answer['secret'])) {
            $at = time() + (isset($answer['signed_s_ago']) ? -$answer['signed_s_ago'] : 0);
            $key = base64_decode(substr($answer['secret'], 6));
            $mac = hash_hmac('sha256', $request['headers']['webhook-id'] . ".$at." . $answer['body'], $key, true);
            $answer['headers'] = ['webhook-id' => $request['headers']['webhook-id'], 'webhook-timestamp' => $at,
                'webhook-signature' => 'v1,' . base64_encode($mac)] + (isset($answer['headers']) ? $answer['headers'] : []);
        }
        $does = isset($answer['does']) ? $answer['does'] : 'answer';
        if ($does === 'drip') {
            fwrite($stream, "HTTP/1.1 202 Accepted\r\nX-Slow: "); // the header section never ends
            $dripping[$key] = $stream;
        } elseif ($does === 'close') {
            fclose($stream);
            unset($clients[$key], $pending[$key]);
        } elseif (in_array($does, ['answer', 'wait', 'late'], true)) {
            $body = isset($answer['body']) ? $answer['body'] : str_repeat('x', isset($answer['bytes']) ? $answer['bytes'] : 0);
            $head = "HTTP/1.1 {$answer['status']} Said\r\nContent-Length: " . strlen($body) . "\r\n";
            foreach (isset($answer['headers']) ? $answer['headers'] : [] as $name => $value) {
                $head .= "$name: $value\r\n";
            }
            if ($does === 'late') {
                $late[] = [microtime(true) + LATE_US / 1000000, $stream, $head . "\r\n" . $body];
            } elseif ($does === 'wait') {
                $held[] = [$stream, $head . "\r\n" . $body];
            } else {
                @fwrite($stream, $head . "\r\n" . $body);
            }
        }
    }
}
