-- What was told to administrators of each need, by channel. A need that nobody was told of has no `notified_at`; one that is over, and
-- of which that was not said yet, has `resolved_at`. `says` is the sentence as it was told: it holds no data of clients.
CREATE TABLE IF NOT EXISTS notice (
  channel VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  need VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  urgent BOOLEAN NOT NULL,
  first_at DATETIME(3) NOT NULL,
  notified_at DATETIME(3) NULL,
  notified_count BIGINT UNSIGNED NOT NULL,
  resolved_at DATETIME(3) NULL,
  says VARCHAR(600) NOT NULL,
  PRIMARY KEY (channel, need)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- How each channel stands. `sending` is the notice that is under way: tried again, it keeps its id, so that receivers know it.
CREATE TABLE IF NOT EXISTS notice_channel (
  channel VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sending CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NULL,
  failures INT UNSIGNED NOT NULL DEFAULT 0,
  failed_at DATETIME(3) NULL,
  error VARCHAR(300) NULL,
  next_at DATETIME(3) NULL,
  sent BIGINT UNSIGNED NOT NULL DEFAULT 0,
  sent_at DATETIME(3) NULL,
  digest_at DATETIME(3) NULL,
  PRIMARY KEY (channel)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Which instance tells. One row.
CREATE TABLE IF NOT EXISTS notice_turn (
  id TINYINT UNSIGNED NOT NULL,
  owner VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  until_at DATETIME(3) NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO notice_turn (id, owner, until_at) VALUES (1, '', '1970-01-01') ON DUPLICATE KEY UPDATE id = id;
