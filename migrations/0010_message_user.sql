-- Alerts to logins (platform 8.0 and later): which login a message goes to. An ALTER that was done before counts as done.

ALTER TABLE message ADD COLUMN user_id BIGINT UNSIGNED NULL;
