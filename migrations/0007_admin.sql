-- Administrators: who they are, their sessions, what they did; and what they changed of hookpoints, texts and numbers.

CREATE TABLE IF NOT EXISTS admin (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  name VARCHAR(64) NOT NULL,
  role ENUM('viewer','operator','administrator') NOT NULL,
  password_hash VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  password_at DATETIME(3) NULL,
  -- Sealed with the key of the configuration. `totp_step` is the last step used: a code works once.
  totp_sealed VARBINARY(255) NULL,
  totp_step BIGINT UNSIGNED NOT NULL DEFAULT 0,
  locale VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at DATETIME(3) NOT NULL,
  created_by VARCHAR(100) NOT NULL,
  disabled_at DATETIME(3) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY admin_name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- `token` is the SHA-256 of what the browser holds. `password`: the password was right, the second factor is still asked.
CREATE TABLE IF NOT EXISTS admin_session (
  token BINARY(32) NOT NULL,
  admin_id BIGINT UNSIGNED NOT NULL,
  stage ENUM('password','open') NOT NULL,
  created_at DATETIME(3) NOT NULL,
  seen_at DATETIME(3) NOT NULL,
  until_at DATETIME(3) NOT NULL,
  address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  agent VARCHAR(200) NOT NULL,
  PRIMARY KEY (token),
  KEY session_admin (admin_id),
  KEY session_until (until_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Wrong passwords and codes. `subject` is `account:` or `address:` and the SHA-256 of the name or address.
CREATE TABLE IF NOT EXISTS login_failure (
  subject VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  failures INT UNSIGNED NOT NULL,
  last_at DATETIME(3) NOT NULL,
  PRIMARY KEY (subject),
  KEY login_failure_last (last_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- What people did, by page, API or command line. Never a secret in `detail`.
CREATE TABLE IF NOT EXISTS audit (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  at DATETIME(3) NOT NULL,
  actor VARCHAR(100) NOT NULL,
  via ENUM('page','api','cli') NOT NULL,
  action VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  target VARCHAR(128) NOT NULL,
  detail TEXT NULL,
  address VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NULL,
  PRIMARY KEY (id),
  KEY audit_at (at),
  KEY audit_actor (actor, id),
  KEY audit_action (action, id),
  KEY audit_target (target, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE IF NOT EXISTS api_token (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  name VARCHAR(64) NOT NULL,
  token BINARY(32) NOT NULL,
  role ENUM('viewer','operator','administrator') NOT NULL,
  made_at DATETIME(3) NOT NULL,
  made_by VARCHAR(100) NOT NULL,
  used_at DATETIME(3) NULL,
  until_at DATETIME(3) NULL,
  ended_at DATETIME(3) NULL,
  ended_by VARCHAR(100) NULL,
  PRIMARY KEY (id),
  UNIQUE KEY api_token_token (token)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- One-time links of the platform that were used.
CREATE TABLE IF NOT EXISTS sso_used (
  id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  until_at DATETIME(3) NOT NULL,
  PRIMARY KEY (id),
  KEY sso_used_until (until_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Every change that instances must notice raises it.
CREATE TABLE IF NOT EXISTS revision (
  id TINYINT UNSIGNED NOT NULL,
  number BIGINT UNSIGNED NOT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

INSERT INTO revision (id, number) VALUES (1, 0) ON DUPLICATE KEY UPDATE id = id;

-- Hookpoints (`invoice_created`) and texts (`invoice_created.es_AR`) as administrators saved them. The newest version of a name is
-- in force; `content` NULL: back to what is built in, and what the company made itself is gone.
CREATE TABLE IF NOT EXISTS version (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  kind ENUM('hookpoint','template') NOT NULL,
  name VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  content MEDIUMTEXT NULL,
  at DATETIME(3) NOT NULL,
  who VARCHAR(100) NOT NULL,
  note VARCHAR(300) NOT NULL,
  PRIMARY KEY (id),
  KEY version_name (kind, name, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Secrets of sources made on the page, sealed. They are valid beside those of the configuration.
CREATE TABLE IF NOT EXISTS source_secret (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  source VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  sealed VARBINARY(255) NOT NULL,
  made_at DATETIME(3) NOT NULL,
  made_by VARCHAR(100) NOT NULL,
  until_at DATETIME(3) NULL,
  PRIMARY KEY (id),
  KEY source_secret_source (source, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- What an administrator set of a sending number. NULL: as configured.
CREATE TABLE IF NOT EXISTS lane_setting (
  lane VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  rate_per_s INT UNSIGNED NULL,
  at DATETIME(3) NOT NULL,
  who VARCHAR(100) NOT NULL,
  PRIMARY KEY (lane)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
