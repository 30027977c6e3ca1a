-- The sweep at any size: rows whose change waits come first in each round, and domains that can be deleted are looked at in
-- each. What a client has not paid is known without reading all its invoices.
-- An ALTER that was done before counts as done (see store/migrate.rs), so each makes one change.

ALTER TABLE mirror ADD KEY mirror_waiting (kind, pending_at);
ALTER TABLE mirror ADD KEY mirror_owner (owner, kind, live, id);
UPDATE mirror SET live = TRUE
  WHERE kind = 'domain' AND live = FALSE AND state NOT IN ('', 'Cancelled', 'Expired', 'Fraud', 'Transferred Away');
