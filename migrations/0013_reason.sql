-- Looking for a reason among the messages that failed or were cancelled: `message_ended` alone leaves each row of them to be looked
-- into, and they lie all over the table. Like that key it is empty for whatever goes well, in the order of time.

ALTER TABLE message ADD KEY message_reason (ended, reason, created_at);
