-- Numbers that their users gave up: the provider says so, and may hand one to somebody else. Nothing is written to one until an
-- operator says that it is in use by its client again. One row per spelling; `main` marks the one that was reported.

CREATE TABLE IF NOT EXISTS moved_number (
  recipient VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  main BOOLEAN NOT NULL,
  moved_to VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NULL,
  at DATETIME(3) NOT NULL,
  noted_at DATETIME(3) NULL,
  PRIMARY KEY (recipient),
  KEY moved_number_open (main, noted_at, at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
