-- What the proxy's account needs beyond all rights on the shop's database. When a switch of the phase waits for a write
-- that does not end, these tables tell which connection it is.
GRANT SELECT ON performance_schema.data_locks TO 'crossfade'@'%';
GRANT SELECT ON performance_schema.threads TO 'crossfade'@'%';
