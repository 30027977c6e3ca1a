-- What each stub last said of itself, when its platform's cron ended. One row per source, host and user that PHP runs as. `missing`
-- are hooks of the manifest that it had not registered, since `missing_since`. `lost` counts all events that it ever lost.

CREATE TABLE IF NOT EXISTS heartbeat (
  source VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  host VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  owner VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  received_at DATETIME(3) NOT NULL,
  clock_ahead_s INT NOT NULL,
  stub VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  platform VARCHAR(64) NOT NULL,
  php VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sapi VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  extensions TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  hooks TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  missing TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  missing_since DATETIME(3) NULL,
  waiting BIGINT UNSIGNED NOT NULL,
  oldest_at DATETIME(3) NULL,
  aside BIGINT UNSIGNED NOT NULL,
  lost BIGINT UNSIGNED NOT NULL,
  lost_at DATETIME(3) NULL,
  fault VARCHAR(300) NOT NULL,
  PRIMARY KEY (source, host, owner)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
