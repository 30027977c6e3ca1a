-- Triggers by date. `anchor` holds the dates that steps are counted from, as the sweep last read them of the platform's rows that
-- are still open. Steps whose moment is not after `settled_at` are done with; the next one comes at `next_at` (none: never).
CREATE TABLE IF NOT EXISTS anchor (
  name VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  id BIGINT UNSIGNED NOT NULL,
  owner BIGINT UNSIGNED NULL,
  day DATE NOT NULL,
  settled_at DATETIME(3) NOT NULL,
  next_at DATETIME(3) NULL,
  PRIMARY KEY (name, id),
  KEY anchor_next (next_at, name, id),
  KEY anchor_day (name, day, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Since when each hookpoint with steps is on: what came before is not told.
CREATE TABLE IF NOT EXISTS schedule (
  hookpoint VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  since_at DATETIME(3) NOT NULL,
  PRIMARY KEY (hookpoint)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Whose turn it is, and how far the walk is that gives each row its next moment after a change of the steps (`print` is a digest
-- of them). One row.
CREATE TABLE IF NOT EXISTS schedule_turn (
  id TINYINT UNSIGNED NOT NULL,
  owner VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  until_at DATETIME(3) NOT NULL,
  print BIGINT UNSIGNED NOT NULL,
  walking BOOLEAN NOT NULL,
  after_name VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  after_id BIGINT UNSIGNED NOT NULL,
  round_at DATETIME(3) NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO schedule_turn (id, owner, until_at, print, walking, after_name, after_id, round_at)
  VALUES (1, '', '1970-01-01', 0, FALSE, '', 0, '1970-01-01') ON DUPLICATE KEY UPDATE id = id;
