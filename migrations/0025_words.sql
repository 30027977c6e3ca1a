-- What a waiting message was made from, so that a change is noticed right before it is sent, and in which language the provider
-- knows its text: a text that is refused holds only its own. An ALTER that was done before counts as done.

ALTER TABLE outbox
  ADD COLUMN language VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  ADD COLUMN wording BIGINT UNSIGNED NOT NULL DEFAULT 0,
  ADD COLUMN facts BIGINT UNSIGNED NOT NULL DEFAULT 0;

UPDATE outbox o JOIN message m ON m.id = o.message_id SET o.language = m.language WHERE o.language = '';

-- When its words were made anew.
ALTER TABLE message ADD COLUMN rewritten_at DATETIME(3) NULL;

-- A text that the provider does not have yet is kept and not in force: a draft.
ALTER TABLE version ADD COLUMN live BOOLEAN NOT NULL DEFAULT TRUE;
