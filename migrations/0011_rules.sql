-- Looking for decisions along an index, newest first, whatever is looked for. One ALTER: an interrupted one did nothing.

ALTER TABLE decision
  ADD KEY decision_subject_at (subject, asked_at),
  ADD KEY decision_rule (rule, asked_at),
  ADD KEY decision_verdict (verdict, asked_at),
  ADD KEY decision_what_if (what_if, asked_at);

-- Exceptions in force: those that nobody ended, by their end.
ALTER TABLE decision_override ADD KEY override_until (ended_at, until_at);

-- `decision`: answers of a rule by the hour they were given in; `name` is the rule, `reason` what it said, or `what_if`.
-- `missed`: answers that the platform went on without; `reason` is what the stub did.
ALTER TABLE figure MODIFY kind ENUM('alert','skip','hook','decision','missed') NOT NULL;

-- So that the last month is counted once more, with the new kinds in it.
DELETE FROM figure_hour;
