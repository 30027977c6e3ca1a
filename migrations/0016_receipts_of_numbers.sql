-- A receipt belongs to the number that its webhook names: another number's sender cannot touch its messages.
-- An ALTER that was done before counts as done (see store/migrate.rs), so each makes one change.

-- NULL: received before this was noted.
ALTER TABLE receipt ADD COLUMN lane VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL;

-- Refusals that are no fault of the message (its recipient got too much at once): they lengthen its wait, and cost no attempt.
ALTER TABLE outbox ADD COLUMN waits INT UNSIGNED NOT NULL DEFAULT 0;
