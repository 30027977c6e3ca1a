-- Searching messages and events. Each key is written once per row, in the order of time, so that it costs little: `ended` is
-- empty for whatever goes well, and changes only for what fails (1) or is cancelled (2). A failed receipt counts as failed.
-- One ALTER per table: the table is copied once, and an interrupted one did nothing.

ALTER TABLE message
  ADD COLUMN resend_of BINARY(16) NULL,
  ADD COLUMN ended TINYINT UNSIGNED GENERATED ALWAYS AS
    (CASE WHEN state = 'cancelled' THEN 2 WHEN state = 'failed' OR receipt = 'failed' THEN 1 END) STORED,
  ADD KEY message_subject (subject, created_at),
  ADD KEY message_hookpoint (hookpoint, created_at),
  ADD KEY message_ended (ended, created_at);

ALTER TABLE event ADD KEY event_state (state, received_at);

ALTER TABLE skip ADD KEY skip_reason (reason, at);
