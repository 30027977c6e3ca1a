-- Getting in: names that people can tell apart, what opens the door when the phone is lost, and whose each API token is.

-- The name in its normal form (`domain::admin::name_key`), by which it is found. NULL: an account of an older version, whose key is
-- written when it is next looked for.
ALTER TABLE admin ADD COLUMN name_key VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL;

ALTER TABLE admin ADD UNIQUE KEY admin_name_key (name_key);

-- The account behind a token: it ends with its maker, and may do no more than its maker. NULL: made at the command line.
ALTER TABLE api_token ADD COLUMN owner_id BIGINT UNSIGNED NULL;

UPDATE api_token t JOIN admin a ON a.name = t.made_by SET t.owner_id = a.id WHERE t.owner_id IS NULL;

-- Codes for whoever lost the phone: an HMAC of each, never the code; each opens once.
CREATE TABLE IF NOT EXISTS admin_recovery (
  admin_id BIGINT UNSIGNED NOT NULL,
  code BINARY(32) NOT NULL,
  used_at DATETIME(3) NULL,
  PRIMARY KEY (admin_id, code)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
