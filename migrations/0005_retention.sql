-- Retention: history is pruned by age. What outlives it is the key of each message, so that nothing is sent again because
-- its message was pruned.

CREATE TABLE IF NOT EXISTS dedupe (
  dedupe_key BINARY(32) NOT NULL,
  at DATETIME(3) NOT NULL,
  PRIMARY KEY (dedupe_key),
  KEY dedupe_at (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- What was pruned of each kind so far.
CREATE TABLE IF NOT EXISTS retention (
  kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  pruned_rows BIGINT UNSIGNED NOT NULL,
  pruned_at DATETIME(3) NOT NULL,
  PRIMARY KEY (kind)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Whose turn it is: one row, one instance.
CREATE TABLE IF NOT EXISTS retention_turn (
  id TINYINT UNSIGNED NOT NULL,
  owner VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  until_at DATETIME(3) NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO retention_turn (id, owner, until_at) VALUES (1, '', '1970-01-01') ON DUPLICATE KEY UPDATE id = id;

-- `ADD KEY IF NOT EXISTS` is MariaDB's alone; asking first can be repeated on MySQL too.
SET @add = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE()
  AND table_name = 'transition' AND index_name = 'transition_at') = 0,
  'ALTER TABLE transition ADD KEY transition_at (at)', 'DO 0');

PREPARE add_key FROM @add;

EXECUTE add_key;

DEALLOCATE PREPARE add_key;
