-- The sweep: what we last saw of the platform's rows, so that a change no hook told of is noticed.

-- `state` is the last state that was told of, or taken without telling; empty: the row was not there. `seen_at` is when the
-- row was last known to be in it. A state that differs waits in `pending` until the hooks had their time.
CREATE TABLE IF NOT EXISTS mirror (
  kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  id BIGINT UNSIGNED NOT NULL,
  owner BIGINT UNSIGNED NULL,
  state VARCHAR(32) NOT NULL,
  name VARCHAR(255) NOT NULL,
  seen_at DATETIME(3) NOT NULL,
  pending VARCHAR(32) NULL,
  pending_at DATETIME(3) NULL,
  live BOOLEAN NOT NULL,
  PRIMARY KEY (kind, id),
  KEY mirror_live (kind, live, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- How far the sweep is with each kind. `filled_at`: the first silent walk was complete. A round goes once over all rows;
-- `round_before` is when the last complete one began.
CREATE TABLE IF NOT EXISTS sweep_walk (
  kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  filled_at DATETIME(3) NULL,
  newest_id BIGINT UNSIGNED NOT NULL,
  newest_at DATETIME(3) NOT NULL,
  walk_after BIGINT UNSIGNED NOT NULL,
  round_at DATETIME(3) NOT NULL,
  round_before DATETIME(3) NOT NULL,
  live_after BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (kind)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Whose turn it is: one row, one instance.
CREATE TABLE IF NOT EXISTS sweep_turn (
  id TINYINT UNSIGNED NOT NULL,
  owner VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  until_at DATETIME(3) NOT NULL,
  next_at DATETIME(3) NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO sweep_turn (id, owner, until_at, next_at) VALUES (1, '', '1970-01-01', '1970-01-01') ON DUPLICATE KEY UPDATE id = id;
