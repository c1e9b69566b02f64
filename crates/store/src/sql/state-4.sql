-- The state of flows, version 4: slices of backfills, beside the flow's own.

-- The percentage of every limit that the reading may use; NULL for a slice of the flow's own.
ALTER TABLE slice ADD COLUMN share INTEGER;
