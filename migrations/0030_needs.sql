-- What the first page says of the past (failed events, lost alerts, dropped log lines …) stays there until somebody took note.
CREATE TABLE IF NOT EXISTS need_seen (
  code VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  at DATETIME(3) NOT NULL,
  who VARCHAR(100) NOT NULL,
  PRIMARY KEY (code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Texts that the provider does not send, as it reported last: rejected, paused, disabled. A text that is approved has no row.
CREATE TABLE IF NOT EXISTS text_news (
  name VARCHAR(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  language VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  event VARCHAR(64) NOT NULL,
  detail VARCHAR(300) NULL,
  at DATETIME(3) NOT NULL,
  PRIMARY KEY (name, language)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
