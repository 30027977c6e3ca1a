<?php

declare(strict_types=1);

namespace Hookbridge;

/** The manifest in force: the last good one of the bridge, else the one that came with the stub. */
final class ManifestStore
{
    private const REFRESH_S = 300;
    private const HOUR_S = 3600;

    private $built_in;
    private $folder;
    private $throttle;
    private $activity;
    private $etag = '';

    public function __construct(string $built_in, string $folder, Throttle $throttle, Activity $activity)
    {
        $this->built_in = $built_in;
        $this->folder = $folder;
        $this->throttle = $throttle;
        $this->activity = $activity;
    }

    /** @throws ConfigError */
    public function load(): Manifest
    {
        $file = $this->folder . '/manifest.json';
        $saved = is_file($file) ? json_decode((string) file_get_contents($file), true) : null;
        if (is_array($saved) && isset($saved['etag'], $saved['manifest']) && is_string($saved['etag'])) {
            $manifest = Manifest::of($saved['manifest']);
            if ($manifest !== null) {
                $this->etag = $saved['etag'];
                return $manifest;
            }
        }
        $manifest = Manifest::parse((string) file_get_contents($this->built_in));
        if ($manifest === null) {
            throw new ConfigError(['manifest.json beside the stub cannot be read: copy the folder again']);
        }
        return $manifest;
    }

    /** Asks the bridge for a newer one; it is in force from the next PHP process on, because hooks are added at start. */
    public function refresh(Sender $sender): void
    {
        if ($sender->isResting() || !$this->throttle->allows('manifest', self::REFRESH_S)) {
            return;
        }
        $answer = $sender->manifest($this->etag);
        if ($answer->status() !== 200) {
            return;
        }
        $wire = json_decode($answer->body(), true);
        if (Manifest::of($wire) === null) {
            $this->activity->say('manifest', self::HOUR_S, 'the bridge sent no usable manifest; the last good one stays');
            return;
        }
        $etag = preg_match('#^(W/)?"[!-~]{0,200}"$#D', $answer->header('etag')) === 1 ? $answer->header('etag') : '';
        // One file for both, so that a tag never stands beside another manifest.
        $saved = json_encode(['etag' => $etag, 'manifest' => $wire], JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
        if (Folder::make($this->folder) && is_string($saved)) {
            Folder::write($this->folder . '/manifest.json', $saved);
        }
    }
}
