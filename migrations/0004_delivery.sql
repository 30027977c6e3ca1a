-- Delivery that survives crashes and several instances: who owns a portfolio's numbers, the order per recipient, unknown
-- outcomes by policy, alerts held for an operator's word.
-- An ALTER that was done before counts as done (see store/migrate.rs), so each makes one change.

-- One row per portfolio. No times in it: an owner is alive while `beat` rises, as each watcher sees on its own clock.
CREATE TABLE IF NOT EXISTS lease (
  name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  owner VARCHAR(96) CHARACTER SET ascii COLLATE ascii_bin NULL,
  fence BIGINT UNSIGNED NOT NULL,
  beat BIGINT UNSIGNED NOT NULL,
  taken_at DATETIME(3) NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- What the queue needs to know without reading the message.
ALTER TABLE outbox ADD COLUMN hookpoint VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN client_id BIGINT UNSIGNED NOT NULL DEFAULT 0;
-- When the hook fired: the order per recipient.
ALTER TABLE outbox ADD COLUMN event_at DATETIME(3) NOT NULL DEFAULT '1970-01-01 00:00:00.000';
-- The fence of the owner that claimed it.
ALTER TABLE outbox ADD COLUMN fence BIGINT UNSIGNED NULL;
ALTER TABLE outbox MODIFY COLUMN state ENUM('queued','sending','unknown','held') NOT NULL DEFAULT 'queued';
ALTER TABLE outbox ADD KEY outbox_recipient (recipient, event_at, message_id);
UPDATE outbox o JOIN message m ON m.id = o.message_id
  SET o.hookpoint = m.hookpoint, o.client_id = m.client_id, o.event_at = m.created_at WHERE o.hookpoint = '';

-- Why an attempt was made although an earlier one may have succeeded.
ALTER TABLE attempt ADD COLUMN cause VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin NULL;

-- Alerts queued per hookpoint and ten minutes, to know what is usual. Shards keep workers out of each other's way.
CREATE TABLE IF NOT EXISTS volume (
  hookpoint VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  slot DATETIME NOT NULL,
  shard TINYINT UNSIGNED NOT NULL,
  alerts INT UNSIGNED NOT NULL,
  PRIMARY KEY (hookpoint, slot, shard)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- Alerts that wait for an operator's word. `client_id` 0: all of the hookpoint's.
CREATE TABLE IF NOT EXISTS hold (
  hookpoint VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  client_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
  state ENUM('asked','later','go') NOT NULL,
  since DATETIME(3) NOT NULL,
  until DATETIME(3) NULL,
  counted INT UNSIGNED NOT NULL,
  allowed INT UNSIGNED NOT NULL,
  PRIMARY KEY (hookpoint, client_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;
