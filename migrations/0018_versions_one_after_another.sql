-- Of two people who save at the same moment the second gets the conflict: a version names the one it was made from.
-- An ALTER that was done before counts as done (see store/migrate.rs), so each makes one change.

-- NULL: saved by an older version of the bridge.
ALTER TABLE version ADD COLUMN based_on BIGINT UNSIGNED NULL;
UPDATE version v JOIN (SELECT a.id, COALESCE(MAX(b.id), 0) AS before_id FROM version a
  LEFT JOIN version b ON b.kind = a.kind AND b.name = a.name AND b.id < a.id GROUP BY a.id) p ON p.id = v.id
  SET v.based_on = p.before_id WHERE v.based_on IS NULL;
ALTER TABLE version ADD UNIQUE KEY version_based_on (kind, name, based_on);
