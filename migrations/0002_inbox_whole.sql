-- The inbox holds the whole envelope, so that the door writes one row into one table; `event` gets its row when the event
-- was processed. Events that wait move over with their envelope, and leave `event` until they are finished.
-- MySQL has no ADD COLUMN IF NOT EXISTS: the statement is made to do nothing where the columns exist.

SET @missing = (SELECT COUNT(*) = 0 FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'inbox' AND column_name = 'body');

SET @widen = IF(@missing, 'ALTER TABLE inbox
  ADD COLUMN source VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL AFTER event_id,
  ADD COLUMN hook VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL AFTER source,
  ADD COLUMN occurred_at DATETIME(3) NULL AFTER hook,
  ADD COLUMN received_at DATETIME(3) NULL AFTER occurred_at,
  ADD COLUMN key_index TINYINT UNSIGNED NULL AFTER received_at,
  ADD COLUMN body_sha256 BINARY(32) NULL AFTER key_index,
  ADD COLUMN body MEDIUMTEXT NULL AFTER body_sha256', 'DO 0');

PREPARE widen FROM @widen;

EXECUTE widen;

DEALLOCATE PREPARE widen;

UPDATE inbox i JOIN event e ON e.id = i.event_id
  SET i.source = e.source, i.hook = e.hook, i.occurred_at = e.occurred_at, i.received_at = e.received_at,
    i.key_index = e.key_index, i.body_sha256 = e.body_sha256, i.body = e.body
  WHERE i.body IS NULL;

DELETE e FROM event e JOIN inbox i ON i.event_id = e.id WHERE e.state = 'received' AND i.body IS NOT NULL;

ALTER TABLE inbox
  MODIFY source VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  MODIFY hook VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  MODIFY occurred_at DATETIME(3) NOT NULL,
  MODIFY received_at DATETIME(3) NOT NULL,
  MODIFY key_index TINYINT UNSIGNED NOT NULL,
  MODIFY body_sha256 BINARY(32) NOT NULL,
  MODIFY body MEDIUMTEXT NOT NULL;

ALTER TABLE event MODIFY state ENUM('processed','skipped','failed') NOT NULL;
