-- The road of one event. Record tables (event, message) hold everything; queue tables (inbox, outbox) hold only what is
-- still to be done, so that taking work costs the same with ten rows or ten million behind it. A message that is `open`
-- has an outbox row, whose state says where it stands.
-- All times are UTC. Statements end with a semicolon at the end of a line; each can be run again.

CREATE TABLE IF NOT EXISTS event (
  id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  source VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  hook VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  occurred_at DATETIME(3) NOT NULL,
  received_at DATETIME(3) NOT NULL,
  key_index TINYINT UNSIGNED NOT NULL,
  body_sha256 BINARY(32) NOT NULL,
  body MEDIUMTEXT NOT NULL,
  state ENUM('received','processed','skipped','failed') NOT NULL DEFAULT 'received',
  processed_at DATETIME(3) NULL,
  trail MEDIUMTEXT NULL,
  PRIMARY KEY (id),
  KEY event_received (received_at),
  KEY event_hook (hook, received_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS inbox (
  seq BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  event_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  run_at DATETIME(3) NOT NULL,
  attempts INT UNSIGNED NOT NULL DEFAULT 0,
  locked_by VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  locked_at DATETIME(3) NULL,
  last_error VARCHAR(1000) NULL,
  PRIMARY KEY (seq),
  UNIQUE KEY inbox_event (event_id),
  KEY inbox_due (run_at, seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS transition (
  machine VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subject VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  epoch INT UNSIGNED NOT NULL,
  at DATETIME(3) NOT NULL,
  PRIMARY KEY (machine, subject)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS message (
  id BINARY(16) NOT NULL,
  event_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  hookpoint VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subject VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  client_id BIGINT UNSIGNED NOT NULL,
  contact_id BIGINT UNSIGNED NULL,
  recipient VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  locale VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  class ENUM('security','status','notice') NOT NULL,
  lane VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  template VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  language VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  parameters TEXT NOT NULL,
  body TEXT NOT NULL,
  dedupe_key BINARY(32) NOT NULL,
  created_at DATETIME(3) NOT NULL,
  expires_at DATETIME(3) NOT NULL,
  state ENUM('open','sent','failed','cancelled') NOT NULL DEFAULT 'open',
  state_at DATETIME(3) NOT NULL,
  reason VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin NULL,
  detail VARCHAR(500) NULL,
  attempts INT UNSIGNED NOT NULL DEFAULT 0,
  provider_id VARCHAR(191) CHARACTER SET ascii COLLATE ascii_bin NULL,
  receipt ENUM('sent','failed','delivered','read') NULL,
  receipt_at DATETIME(3) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY message_dedupe (dedupe_key),
  KEY message_event (event_id),
  KEY message_client (client_id, created_at),
  KEY message_recipient (recipient, created_at),
  KEY message_provider (provider_id),
  KEY message_created (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS outbox (
  message_id BINARY(16) NOT NULL,
  lane VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state ENUM('queued','sending','unknown') NOT NULL DEFAULT 'queued',
  priority TINYINT UNSIGNED NOT NULL,
  run_at DATETIME(3) NOT NULL,
  recipient VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  template VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  expires_at DATETIME(3) NOT NULL,
  attempts INT UNSIGNED NOT NULL DEFAULT 0,
  snoozes INT UNSIGNED NOT NULL DEFAULT 0,
  waiting_for VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin NULL,
  locked_by VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  locked_at DATETIME(3) NULL,
  last_error VARCHAR(500) NULL,
  PRIMARY KEY (message_id),
  KEY outbox_due (lane, state, priority, run_at, message_id),
  KEY outbox_sending (state, locked_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS attempt (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  message_id BINARY(16) NOT NULL,
  started_at DATETIME(3) NOT NULL,
  ended_at DATETIME(3) NOT NULL,
  outcome ENUM('accepted','refused','later','unknown') NOT NULL,
  code INT NULL,
  detail VARCHAR(500) NULL,
  PRIMARY KEY (id),
  KEY attempt_message (message_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS receipt (
  provider_id VARCHAR(191) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  status ENUM('sent','failed','delivered','read') NOT NULL,
  at DATETIME(3) NOT NULL,
  received_at DATETIME(3) NOT NULL,
  message_id BINARY(16) NULL,
  code INT NULL,
  detail VARCHAR(500) NULL,
  category VARCHAR(48) NULL,
  PRIMARY KEY (provider_id, status),
  KEY receipt_message (message_id),
  KEY receipt_received (received_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS skip (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  event_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  hookpoint VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  client_id BIGINT UNSIGNED NULL,
  contact_id BIGINT UNSIGNED NULL,
  reason VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  detail VARCHAR(500) NULL,
  at DATETIME(3) NOT NULL,
  PRIMARY KEY (id),
  KEY skip_event (event_id),
  KEY skip_client (client_id, at),
  KEY skip_at (at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS lane (
  name VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  paused_until DATETIME(3) NULL,
  paused_by ENUM('provider','operator') NULL,
  detail VARCHAR(500) NULL,
  changed_at DATETIME(3) NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS contacted (
  portfolio VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  recipient VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  at DATETIME(3) NOT NULL,
  PRIMARY KEY (portfolio, recipient),
  KEY contacted_at (portfolio, at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS consent (
  recipient VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  opted_out BOOLEAN NOT NULL,
  evidence VARCHAR(500) NOT NULL,
  at DATETIME(3) NOT NULL,
  PRIMARY KEY (recipient)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
