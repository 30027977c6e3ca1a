-- The instances that run, and how each says it is. Written every few seconds: that write is also the proof that this schema
-- takes writes.
CREATE TABLE IF NOT EXISTS instance (
  name VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  started_at DATETIME(3) NOT NULL,
  seen_at DATETIME(3) NOT NULL,
  health TEXT NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
