-- Looking for a reason among the messages that failed or were cancelled: `message_ended` alone leaves each row of them to be looked
-- into, and they lie all over the table. And for what sends a message again: the dedupe key of it is somewhere in the whole index.
-- Both keys are empty for whatever goes well, in the order of time.

ALTER TABLE message
  ADD KEY message_reason (ended, reason, created_at),
  ADD KEY message_resend_of (resend_of);
