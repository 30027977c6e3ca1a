<?php
/** A page of the platform in the PHPs that web servers run: FPM, php-cgi, Apache's module. Each in a process of its own. */

final class Sapi
{
    private $box;
    private $processes = [];
    private $fpm = '';
    private $port = 0;

    /** @param string $folder of hookbridge.php */
    public function __construct(Sandbox $box, string $folder = '')
    {
        $folder = $folder !== '' ? $folder : dirname(__DIR__, 2) . '/php-hooks';
        $this->box = $box;
        $page = '<?php $_SERVER["SCRIPT_NAME"] = "/clientarea.php"; define("CLIENTAREA", true);'
            . 'require ' . var_export(__DIR__ . '/runtime.php', true) . ';'
            . 'require ' . var_export($folder . '/hookbridge.php', true) . ';'
            // What other code does at the end of a page comes before us, and what it prints still reaches the visitor.
            . 'ob_start(); for ($i = 0; $i < (int) ($_GET["hooks"] ?? 1); $i++) { run_hook("InvoiceCreated", ["invoiceid" => $i + 1]); }'
            . 'foreach (array_filter(explode(",", $_GET["also"] ?? "")) as $hook) { run_hook($hook, []); }'
            . 'register_shutdown_function(function () { register_shutdown_function(function () { echo " end"; }); });'
            . 'header("Content-Type: text/plain"); echo count(get_included_files()), " ", php_sapi_name(), " page";'
            . 'if (isset($_GET["exit"])) { exit; }';
        mkdir($box->dir . '/www');
        file_put_contents($box->dir . '/www/page.php', $page);
    }

    public function __destruct()
    {
        foreach ($this->processes as $process) {
            proc_terminate($process);
            proc_close($process);
        }
    }

    /** @return string[] name => a page's whole output for a query, once the server says that it is complete */
    public static function pages(): array
    {
        return ['fpm', 'cgi', 'apache'];
    }

    public function page(string $sapi, string $query = ''): string
    {
        $this->box->write();
        return $this->$sapi($query);
    }

    /** The page by php-cgi as a cron starts it: nobody asked for it. */
    public function shell(string $query): string
    {
        $program = self::program('/usr/bin/php-cgi' . self::version());
        return (string) shell_exec('env -i ' . implode(' ', array_map(static function (string $name, string $value): string {
            return escapeshellarg("$name=$value");
        }, array_keys($this->env()), $this->env())) . ' ' . escapeshellarg($program) . ' -q -f ' . escapeshellarg($this->box->dir . '/www/page.php')
            . ' ' . escapeshellarg($query));
    }

    /** Where a program of `scripts/setup.sh test` is: in the project, or of the system. */
    public static function program(string ...$paths): string
    {
        foreach ($paths as $path) {
            foreach ([dirname(__DIR__, 2) . '/.work/php' . $path, $path] as $place) {
                if (is_file($place)) {
                    return $place;
                }
            }
        }
        throw new RuntimeException("$paths[0] is missing: scripts/setup.sh test");
    }

    /** The environment of a server: settings of PHP as the command line has them, whatever packages there are. */
    private function env(): array
    {
        return ['PATH' => (string) getenv('PATH'), 'HOOKBRIDGE_STUB_CONFIG' => $this->box->dir . '/config.php',
            'HB_ACTIVITY_LOG' => $this->box->dir . '/activity.log', 'PHP_INI_SCAN_DIR' => '/etc/php/' . self::version() . '/cli/conf.d'];
    }

    private static function version(): string
    {
        return PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;
    }

    private function start(array $words): void
    {
        $log = ['file', $this->box->dir . '/server.log', 'a'];
        $this->processes[] = proc_open($words, [['file', '/dev/null', 'r'], $log, $log], $pipes, $this->box->dir, $this->env());
    }

    /** @return resource */
    private function connect(string $address)
    {
        for ($try = 0; $try < 500; $try++) {
            $stream = @stream_socket_client($address, $code, $message, 5);
            if ($stream !== false) {
                return $stream;
            }
            usleep(20000);
        }
        throw new RuntimeException("nobody listens at $address: " . @file_get_contents($this->box->dir . '/server.log'));
    }

    private function cgi(string $query): string
    {
        $program = self::program('/usr/bin/php-cgi' . self::version());
        $env = ['REQUEST_METHOD' => 'GET', 'REDIRECT_STATUS' => '200', 'SCRIPT_FILENAME' => $this->box->dir . '/www/page.php', 'QUERY_STRING' => $query];
        $process = proc_open([$program], [['file', '/dev/null', 'r'], ['pipe', 'w'], ['file', '/dev/null', 'a']], $pipes, null, $env + $this->env());
        $out = (string) stream_get_contents($pipes[1]);
        proc_close($process);
        return explode("\r\n\r\n", $out, 2)[1];
    }

    private function apache(string $query): string
    {
        if ($this->port === 0) {
            $probe = stream_socket_server('tcp://127.0.0.1:0');
            $this->port = (int) substr(strrchr(stream_socket_get_name($probe, false), ':'), 1);
            fclose($probe);
            $modules = dirname(self::program('/usr/lib/apache2/modules/mod_mpm_prefork.so'));
            $php = self::program('/usr/lib/apache2/modules/libphp' . self::version() . '.so', '/usr/lib/apache2/modules/libphp7.so');
            $user = posix_geteuid() === 0 ? "User www-data\nGroup www-data\n" : '';
            file_put_contents($this->box->dir . '/httpd.conf', "ServerRoot {$this->box->dir}\nServerName localhost\nListen 127.0.0.1:$this->port\n"
                . "PidFile {$this->box->dir}/httpd.pid\nErrorLog {$this->box->dir}/server.log\n$user"
                . "LoadModule mpm_prefork_module $modules/mod_mpm_prefork.so\nLoadModule authz_core_module $modules/mod_authz_core.so\n"
                . "LoadModule php_module $php\nStartServers 2\nMaxRequestWorkers 4\nDocumentRoot {$this->box->dir}/www\n"
                . "<Directory {$this->box->dir}>\nRequire all granted\n</Directory>\n<FilesMatch \\.php$>\nSetHandler application/x-httpd-php\n</FilesMatch>\n");
            $this->box->belongsTo('www-data');
            $this->start([self::program('/usr/sbin/apache2'), '-X', '-f', $this->box->dir . '/httpd.conf']);
        }
        $stream = $this->connect("tcp://127.0.0.1:$this->port");
        fwrite($stream, "GET /page.php?$query HTTP/1.0\r\nHost: localhost\r\n\r\n");
        $out = (string) stream_get_contents($stream);
        return explode("\r\n\r\n", $out, 2)[1];
    }

    private function fpm(string $query): string
    {
        if ($this->fpm === '') {
            $this->fpm = $this->box->dir . '/fpm.sock';
            $user = posix_geteuid() === 0 ? "user = www-data\ngroup = www-data\nlisten.owner = root\n" : '';
            file_put_contents($this->box->dir . '/fpm.conf', "[global]\nerror_log = {$this->box->dir}/server.log\n[www]\n{$user}listen = $this->fpm\n"
                . "pm = static\npm.max_children = 3\nclear_env = no\ncatch_workers_output = yes\n");
            $this->box->belongsTo('www-data');
            $this->start([self::program('/usr/sbin/php-fpm' . self::version()), '-F', '-y', $this->box->dir . '/fpm.conf']);
        }
        $stream = $this->connect('unix://' . $this->fpm);
        fwrite($stream, FastCgi::request($this->box->dir . '/www/page.php', $query));
        for ($bytes = ''; ($page = FastCgi::page($bytes)) === null && !feof($stream);) {
            $bytes .= fread($stream, 65536);
        }
        fclose($stream);
        return (string) $page;
    }
}

/** The FastCGI specification, 3.3: a record is version, type, request id, length, padding, a reserved byte, and the content. */
final class FastCgi
{
    private const BEGIN = 1;
    private const END = 3;
    private const PARAMS = 4;
    private const STDIN = 5;
    private const STDOUT = 6;

    public static function request(string $script, string $query): string
    {
        $params = '';
        foreach (['REQUEST_METHOD' => 'GET', 'SCRIPT_FILENAME' => $script, 'SCRIPT_NAME' => '/page.php', 'QUERY_STRING' => $query] as $name => $value) {
            $params .= pack('NN', strlen($name) | 0x80000000, strlen($value) | 0x80000000) . $name . $value;
        }
        return self::record(self::BEGIN, pack('nCx5', 1, 0)) . self::record(self::PARAMS, $params) . self::record(self::PARAMS, '')
            . self::record(self::STDIN, '');
    }

    /** The body of the page, once the server says that it is complete; null until then. */
    public static function page(string $bytes): ?string
    {
        for ($out = '', $at = 0; strlen($bytes) >= $at + 8; $at += 8 + $head['length'] + $head['padding']) {
            $head = unpack('Cversion/Ctype/nid/nlength/Cpadding', substr($bytes, $at, 8));
            if ($head['type'] === self::END) {
                return explode("\r\n\r\n", $out, 2)[1];
            }
            $out .= $head['type'] === self::STDOUT ? substr($bytes, $at + 8, $head['length']) : '';
        }
        return null;
    }

    private static function record(int $type, string $content): string
    {
        return pack('CCnnCC', 1, $type, 1, strlen($content), 0, 0) . $content;
    }
}
