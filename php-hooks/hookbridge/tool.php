<?php
/**
 * For people at a shell, as the user that PHP runs as:
 *
 *   php hookbridge/tool.php status              how the stub is; ends with 1 if something is wrong
 *   php hookbridge/tool.php flush               sends now what waits
 *   php hookbridge/tool.php rejected [--again]  lists the events that were set aside; --again sends them with the next flush
 *   php hookbridge/tool.php drop NAME... | --rejected | --waiting    deletes events for good
 *   php hookbridge/tool.php probe --minutes 60 | --off    notes what the platform's hooks pass and do, docs/FIRST-DAY.md
 */

declare(strict_types=1);

namespace Hookbridge;

final class Tool
{
    private $stub;
    private $dir;

    public function __construct(Stub $stub)
    {
        $this->stub = $stub;
        $this->dir = (string) $stub->setting('spool_dir');
    }

    /** @param string[] $words @return int the exit code */
    public static function main(array $words): int
    {
        require_once __DIR__ . '/Stub.php';
        spl_autoload_register([Stub::class, 'autoload']);
        $command = (string) array_shift($words);
        $known = ['status' => [], 'flush' => [], 'rejected' => ['--again'], 'drop' => ['--rejected', '--waiting']];
        if ($command === 'probe' && preg_match('/^(--off|--minutes [1-9]\d{0,3})$/D', implode(' ', $words)) === 1) {
            $known['probe'] = $words;
        }
        $names = $command === 'drop' ? preg_grep('/^[A-Za-z0-9_.-]+\.event$/D', $words) : [];
        if (!isset($known[$command]) || array_diff($words, $known[$command], $names) !== [] || ($command === 'drop' && $words === [])) {
            echo "php tool.php status | flush | rejected [--again] | drop NAME... | drop --rejected | drop --waiting | probe --minutes N | probe --off\n";
            return 2;
        }
        $code = 1;
        $error = Stub::quietly(static function () use ($command, $words, &$code) {
            $code = (new self(Stub::at(__DIR__)))->$command($words);
        });
        if ($error !== null) {
            echo Stub::sentence($error), "\n";
        }
        return $code;
    }

    private function status(): int
    {
        $wrong = 0;
        foreach ($this->stub->part(Report::class)->lines() as list($name, $value, $is_wrong)) {
            printf("%s %-15s %s\n", $is_wrong ? '!' : ' ', strtr($name, '_', ' '), $value);
            $wrong += (int) $is_wrong;
        }
        return $wrong === 0 ? 0 : 1;
    }

    private function flush(): int
    {
        $fault = $this->stub->part(Spool::class)->check();
        if ($fault !== '') {
            echo $fault, "\n";
            return 1;
        }
        $before = $this->stub->part(Spool::class)->standing();
        $why = $this->stub->part(Flush::class)->everything();
        $after = $this->stub->part(Spool::class)->standing();
        $aside = $after['aside'] - $before['aside'];
        printf("%d sent, %d set aside, %d wait%s\n", $before['waiting'] - $after['waiting'] - $aside, $aside, $after['waiting'],
            $why === '' ? '' : " ($why)");
        return $after['waiting'] === 0 ? 0 : 1;
    }

    /** @param string[] $words */
    private function rejected(array $words): int
    {
        foreach ($this->files('rejected') as $path) {
            if ($words === []) {
                $parts = explode("\n", (string) file_get_contents($path), 2);
                $event = json_decode(isset($parts[1]) ? $parts[1] : '', true);
                $hook = is_array($event) && isset($event['hook']) ? Text::clean(Text::of($event['hook']), 64) : '?';
                echo gmdate('Y-m-d H:i:s', (int) substr(basename($path), 0, 10)), " UTC  $hook  ", basename($path), "\n";
            } elseif (!rename($path, "$this->dir/pending/" . basename($path))) {
                echo basename($path), " cannot be moved\n";
                return 1;
            }
        }
        return 0;
    }

    /** @param string[] $words */
    private function drop(array $words): int
    {
        list($chosen, $left) = [[], 0];
        foreach ($words as $word) {
            if ($word === '--waiting') {
                return $this->dropWaiting();
            }
            $chosen = array_merge($chosen, $word === '--rejected' ? $this->files('rejected') : ["$this->dir/rejected/$word"]);
        }
        foreach ($chosen as $path) {
            if (!is_file($path) || !unlink($path)) {
                echo basename($path), is_file($path) ? " cannot be deleted\n" : " is not there\n";
                $left++;
            }
        }
        printf("%d files deleted\n", count($chosen) - $left);
        return $left === 0 ? 0 : 1;
    }

    /** @param string[] $words */
    private function probe(array $words): int
    {
        $minutes = isset($words[1]) ? (int) $words[1] : 0;
        if ($minutes > Probe::MINUTES_MAX) {
            echo 'at most ', Probe::MINUTES_MAX, " minutes\n";
            return 2;
        }
        $fault = Probe::turn($this->stub, $minutes);
        if ($fault !== '') {
            echo $fault, "\n";
            return 1;
        }
        $until = time() + 60 * $minutes;
        echo $minutes === 0 ? "the probe is off\n" : 'the probe is on until ' . gmdate('Y-m-d H:i:s', $until) . " UTC, from each page's next start on\n";
        return 0;
    }

    /** What a process writes at this moment stays. */
    private function dropWaiting(): int
    {
        $spool = $this->stub->part(Spool::class);
        $lock = $spool->lock();
        if ($lock === null) {
            echo "another process sends at this moment: try again\n";
            return 1;
        }
        $dropped = 0;
        foreach ($spool->waiting() as $path) {
            foreach ($spool->events($path, false) as $event) {
                $spool->done($event);
                $dropped++;
            }
        }
        $spool->release();
        fclose($lock);
        $left = $spool->standing()['waiting'];
        echo "$dropped events deleted, $left wait\n";
        return $left === 0 ? 0 : 1;
    }

    /** @return string[] oldest first */
    private function files(string $folder): array
    {
        return glob("$this->dir/$folder/*.event") ?: [];
    }
}

// Only for who typed it: over the web it does nothing, and other code may load the class.
if (PHP_SAPI === 'cli' && isset($argv[0]) && realpath($argv[0]) === __FILE__) {
    exit(Tool::main(array_slice($argv, 1)));
}
