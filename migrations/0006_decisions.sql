-- Answers of the company's rules, each with the facts it saw, and the exceptions that administrators made.

CREATE TABLE IF NOT EXISTS decision (
  id BINARY(16) NOT NULL,
  rule VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  version SMALLINT UNSIGNED NOT NULL,
  verdict ENUM('allow','deny','adjust','review') NOT NULL,
  subject VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin NULL,
  client_id BIGINT UNSIGNED NULL,
  asked_at DATETIME(3) NOT NULL,
  source VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  hook VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  asked_by VARCHAR(100) NOT NULL,
  what_if BOOLEAN NOT NULL,
  request VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  question TEXT NOT NULL,
  facts MEDIUMTEXT NOT NULL,
  answer MEDIUMTEXT NOT NULL,
  PRIMARY KEY (id),
  KEY decision_asked (asked_at),
  KEY decision_subject (subject, rule, asked_at),
  KEY decision_client (client_id, asked_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS decision_override (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  rule VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subject VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  who VARCHAR(100) NOT NULL,
  why VARCHAR(500) NOT NULL,
  made_at DATETIME(3) NOT NULL,
  until_at DATETIME(3) NOT NULL,
  ended_at DATETIME(3) NULL,
  ended_by VARCHAR(100) NULL,
  PRIMARY KEY (id),
  KEY override_subject (subject, rule, until_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
