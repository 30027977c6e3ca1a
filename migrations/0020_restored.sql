-- Whether this schema was put back from an older dump: what it holds as queued may have been sent since. `beat` is raised while an instance
-- runs, and each keeps the highest it saw in a file of its own; `created` is when this very table was made, which a dump's restore does
-- anew. So this table must never be altered. `restored_at`: what was received or queued until then is held until somebody looks.

CREATE TABLE IF NOT EXISTS restore_watch (
  id TINYINT UNSIGNED NOT NULL,
  schema_id VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  beat BIGINT UNSIGNED NOT NULL DEFAULT 0,
  created VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
  restored_at DATETIME(3) NULL,
  sign VARCHAR(300) NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT IGNORE INTO restore_watch (id, schema_id) VALUES (1, UUID());
