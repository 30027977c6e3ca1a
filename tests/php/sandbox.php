<?php
/** What one test needs: a folder of its own with a configuration and a spool, stand-in bridges, and shots at the stub. */

final class Sandbox
{
    public const SECRET = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';

    public $dir;
    public $config;
    /** Settings of PHP for the processes that fire hooks. */
    public $ini = ['display_errors' => 'stderr'];
    private $servers = [];

    public function __construct()
    {
        $this->dir = sys_get_temp_dir() . '/hookbridge-test-' . bin2hex(random_bytes(6));
        mkdir($this->dir, 0700);
        // Generous, so that a busy machine does not turn an answer into a timeout.
        $this->config = ['url' => 'http://127.0.0.1:1', 'source' => 'billing', 'secret' => self::SECRET,
            'spool_dir' => $this->dir . '/spool', 'connect_timeout_ms' => 5000, 'total_timeout_ms' => 10000, 'page_send_ms' => 5000];
    }

    public function __destruct()
    {
        foreach ($this->servers as $server) {
            fclose($server['stdin']);
            proc_close($server['process']);
        }
        self::remove($this->dir);
    }

    /** Starts a stand-in bridge and points the stub at it. @param array $answers see server.php */
    public function bridge(array $answers, array $more = []): int
    {
        $told = json_encode(['answers' => $answers, 'log' => $this->dir . '/requests.jsonl'] + $more);
        $command = self::command([PHP_BINARY, __DIR__ . '/server.php', $told]);
        // Not STDERR: where that is a file, PHP sets it back to its begin when it hands it on, and the log of the tests is overwritten.
        $process = proc_open($command, [['pipe', 'r'], ['pipe', 'w'], ['file', $this->dir . '/server.err', 'a']], $pipes);
        $this->servers[] = ['process' => $process, 'stdin' => $pipes[0], 'stdout' => $pipes[1]];
        $port = (int) fgets($pipes[1]); // printed when it listens
        $this->config['url'] = (isset($more['tls']) ? 'https' : 'http') . '://127.0.0.1:' . $port;
        return $port;
    }

    /** Writes the configuration down, as an administrator would. */
    public function write(): void
    {
        $text = '<?php return ' . var_export($this->config, true) . ';';
        if (!is_file("$this->dir/config.php") || file_get_contents("$this->dir/config.php") !== $text) {
            file_put_contents("$this->dir/config.php", $text);
        }
    }

    /** Where the tests run as root, a web server's PHP does not. */
    public function belongsTo(string $user): void
    {
        posix_geteuid() === 0 && shell_exec('chown -R ' . escapeshellarg($user) . ' ' . escapeshellarg($this->dir));
    }

    /** The stub believes that the bridge was down a moment ago: nothing is sent. */
    public function leaveAlone(): void
    {
        mkdir("$this->dir/spool", 0700);
        touch("$this->dir/spool/rest-events", time() + 3000);
    }

    /** Lets the stand-in bridges answer what `"does":"wait"` holds back. */
    public function go(): void
    {
        foreach ($this->servers as $server) {
            fwrite($server['stdin'], "go\n");
        }
    }

    /** A process that fires hooks; finish() waits for it. @param array $shots lines for fire.php, or hook names */
    public function start(array $shots, array $env = []): array
    {
        $this->write();
        $lines = array_map(static function ($shot) {
            return json_encode(is_string($shot) ? ['hook' => $shot] : $shot, JSON_PARTIAL_OUTPUT_ON_ERROR);
        }, $shots);
        $input = $this->dir . '/shots-' . bin2hex(random_bytes(4));
        file_put_contents($input, implode("\n", $lines) . "\n");
        $env += ['HB_STUB_CONFIG' => $this->dir . '/config.php', 'HB_ACTIVITY_LOG' => $this->dir . '/activity.log',
            'PATH' => (string) getenv('PATH')];
        $command = self::command(array_merge([php()], array_map(static function (string $name, string $value): string {
            return "-d$name=$value";
        }, array_keys($this->ini), $this->ini), [__DIR__ . '/fire.php']));
        $process = proc_open($command, [['file', $input, 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes, null, $env);
        return ['process' => $process, 'out' => $pipes[1], 'err' => $pipes[2]];
    }

    /**
     * @param bool $may_return whether the hooks ask decisions, whose answers the platform is to see
     * @return array[] the lines of fire.php; a page that saw anything else of the stub fails the test
     */
    public function finish(array $started, bool $may_return = false): array
    {
        $out = stream_get_contents($started['out']);
        $err = stream_get_contents($started['err']);
        same(0, proc_close($started['process']), 'exit code of fire.php');
        same('', $err, 'stderr of fire.php');
        $lines = array_map(static function (string $line) {
            return json_decode($line, true);
        }, array_filter(explode("\n", $out)));
        foreach ($lines as $line) {
            same([[], '', []], [$may_return ? [] : $line['returned'], $line['printed'], $line['errors']], 'what the page saw');
        }
        return $lines;
    }

    public function fire(array $shots, array $env = []): array
    {
        return $this->finish($this->start($shots, $env));
    }

    /** Fires hooks that ask decisions. @return array[] the lines of fire.php, `returned` being the stub's one answer or null */
    public function decide(array $shots, array $env = []): array
    {
        return array_map(static function (array $line) {
            check(count($line['returned']) <= 1, 'one answer at most');
            return ['returned' => isset($line['returned'][0]) ? $line['returned'][0] : null] + $line;
        }, $this->finish($this->start($shots, $env), true));
    }

    /** @return array[] requests that the bridge got, in order; `event` is the decoded body */
    public function requests(string $path): array
    {
        $begins = substr($path, -1) === '/';
        $requests = [];
        foreach ($this->lines('requests.jsonl') as $line) {
            $request = json_decode($line, true);
            if ($request['path'] === $path || ($begins && strpos($request['path'], $path) === 0)) {
                $requests[] = $request + ['event' => json_decode($request['body'], true)];
            }
        }
        return $requests;
    }

    /** @return array[] all batches that the bridge got */
    public function batches(): array
    {
        return $this->requests('/v1/batches');
    }

    /** @return array[] `id`, `body` (byte for byte) and `event` (decoded) of what was in the batches, in order */
    public function sent(): array
    {
        $sent = [];
        foreach ($this->batches() as $batch) {
            $rest = substr($batch['body'], strlen('{"events":['), -2);
            foreach (array_reverse($batch['event']['events']) as $event) {
                $begin = '{"id":"' . $event['id'] . '","event":';
                $at = strrpos($rest, $begin);
                $one[] = ['id' => $event['id'], 'body' => substr($rest, $at + strlen($begin), -1), 'event' => $event['event']];
                $rest = rtrim(substr($rest, 0, $at), ',');
            }
            $sent = array_merge($sent, array_reverse($one));
            $one = [];
        }
        return $sent;
    }

    /** @return array[] id and body of the events that wait, oldest first */
    public function waiting(): array
    {
        $waiting = [];
        foreach (glob($this->dir . '/spool/journal/*.log') ?: [] as $file) {
            $waiting = array_merge($waiting, array_values(array_filter(array_map([Hookbridge\Journal::class, 'read'], file($file)))));
        }
        return $waiting;
    }

    /** @return string[] contents of the files in rejected/ or pending/, oldest first */
    public function spooled(string $folder): array
    {
        return array_map('file_get_contents', glob($this->dir . "/spool/$folder/*.event") ?: []);
    }

    /** Puts a manifest of the bridge into the spool, as the last good one. */
    public function manifest(array $manifest): void
    {
        is_dir("$this->dir/spool") || mkdir("$this->dir/spool", 0700);
        file_put_contents("$this->dir/spool/manifest.json", json_encode(['etag' => '', 'manifest' => ['version' => 1] + $manifest]));
    }

    /** @return string[] lines of the platform's activity log */
    public function log(): array
    {
        return $this->lines('activity.log');
    }

    /** Everything that left PHP or was written down. */
    public function traces(): string
    {
        return implode("\n", array_merge($this->lines('requests.jsonl'), $this->log(), array_column($this->waiting(), 1), $this->spooled('rejected')));
    }

    private function lines(string $file): array
    {
        return is_file("$this->dir/$file") ? file("$this->dir/$file", FILE_IGNORE_NEW_LINES) : [];
    }

    /** A list of words for proc_open, which takes a list itself only since PHP 7.4. */
    private static function command(array $words): string
    {
        return 'exec ' . implode(' ', array_map('escapeshellarg', $words));
    }

    private static function remove(string $path): void
    {
        if (is_dir($path) && !is_link($path)) {
            chmod($path, 0700);
            foreach (array_diff(scandir($path), ['.', '..']) as $name) {
                self::remove("$path/$name");
            }
            rmdir($path);
        } else {
            unlink($path);
        }
    }
}
