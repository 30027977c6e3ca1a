-- What clients answer. `consent` becomes a ledger: a row per statement, each for one class of alerts or for all of them; the newest
-- statement counts. Rows from before say `all`, as they always meant. `recipient` is a number, a provider's user id, or somebody in an
-- account (`client:35`, `contact:7`, `login:9/35`), who may be switched off there without a word about the number.

ALTER TABLE consent MODIFY recipient VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin NOT NULL;
ALTER TABLE consent
  ADD COLUMN class ENUM('all','security','status','notice') NOT NULL DEFAULT 'all',
  ADD COLUMN how ENUM('reply','operator','client_area','moved') NULL;
ALTER TABLE consent DROP PRIMARY KEY, ADD PRIMARY KEY (recipient, class, at);

-- Whose number a provider's user id is. Users with a user name may come without their number. An id belongs to one user and one
-- portfolio of the company; a number is kept in each of its spellings.
CREATE TABLE IF NOT EXISTS user_phone (
  user_id VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  recipient VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  portfolio VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  at DATETIME(3) NOT NULL,
  PRIMARY KEY (user_id, recipient),
  KEY user_phone_recipient (recipient)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- What clients wrote. `message_id`: the alert that it answers. `meaning`: what the bridge took it for; `outcome`: why it was confirmed or not.
CREATE TABLE IF NOT EXISTS reply (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  provider_id VARCHAR(191) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  lane VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  at DATETIME(3) NOT NULL,
  received_at DATETIME(3) NOT NULL,
  recipient VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NULL,
  user_id VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin NULL,
  message_id BINARY(16) NULL,
  client_id BIGINT UNSIGNED NULL,
  kind VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  body TEXT NOT NULL,
  meaning ENUM('opt_out','opt_in','security_only','near','other') NOT NULL,
  matched BOOLEAN NOT NULL,
  outcome VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin NULL,
  confirmation_id BINARY(16) NULL,
  seen_at DATETIME(3) NULL,
  seen_by VARCHAR(100) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY reply_provider (provider_id),
  KEY reply_received (received_at, id),
  KEY reply_unseen (seen_at, meaning, id),
  KEY reply_client (client_id, id),
  KEY reply_message (message_id),
  KEY reply_recipient (recipient)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
