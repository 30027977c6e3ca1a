-- What the first page shows, counted per hour beforehand, so that looking at it reads no history.

-- `alert`: messages by the hour they were queued in; `name` is how they stand, `reason` why they failed or were cancelled.
-- `skip`: what led to no alert, by `reason`. `hook`: what the platform's hooks brought; `last_at` is the last of the hour.
CREATE TABLE IF NOT EXISTS figure (
  kind ENUM('alert','skip','hook') NOT NULL,
  hour DATETIME NOT NULL,
  name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reason VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  n INT UNSIGNED NOT NULL,
  last_at DATETIME(3) NULL,
  PRIMARY KEY (kind, hour, name, reason)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- When each hour was last counted. Whoever moves it on counts the hour.
CREATE TABLE IF NOT EXISTS figure_hour (
  hour DATETIME NOT NULL,
  counted_at DATETIME(3) NOT NULL,
  PRIMARY KEY (hour)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- The last that the provider said of a number's quality and limit. His words are an open list: kept as they come.
CREATE TABLE IF NOT EXISTS lane_news (
  lane VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  event VARCHAR(64) NOT NULL,
  daily_limit VARCHAR(64) NULL,
  at DATETIME(3) NOT NULL,
  PRIMARY KEY (lane)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
