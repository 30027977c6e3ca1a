-- Two things that are known by the platform's ids.
-- People who come by the platform's signed link: known by their id there, so that a changed name is the same person, and so that
-- the link of a namesake never opens an account that was made here. An ALTER that was done before counts as done.

ALTER TABLE admin ADD COLUMN platform_id BIGINT UNSIGNED NULL;

ALTER TABLE admin ADD UNIQUE KEY admin_platform (platform_id);

-- What is remembered of one client's rows: for the export of his data.
ALTER TABLE mirror ADD KEY mirror_owner (owner);
