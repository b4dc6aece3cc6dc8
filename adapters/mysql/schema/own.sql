-- The proxy's own tables, beside the shop's.

-- All flags in force. One row; every write holds it FOR SHARE, so that a switch waits for the writes in flight.
CREATE TABLE IF NOT EXISTS crossfade_control (
  id TINYINT NOT NULL PRIMARY KEY,
  epoch BIGINT NOT NULL,
  dual_write BOOL NOT NULL,
  dual_read BOOL NOT NULL,
  read_from_dynamodb BOOL NOT NULL,
  validation BOOL NOT NULL,
  mismatch_policy ENUM('raise', 'report') NOT NULL,
  write_failure_policy ENUM('rollback', 'journal') NOT NULL,
  compare_percent TINYINT UNSIGNED NOT NULL,
  changed_by VARCHAR(255) NOT NULL,
  changed_at TIMESTAMP NULL,
  reason VARCHAR(1000) NOT NULL,
  CONSTRAINT crossfade_control_one_row CHECK (id = 1)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci;

-- Every worker of the fleet, its epoch, and when it was heard of last.
CREATE TABLE IF NOT EXISTS crossfade_proxy (
  instance VARCHAR(255) NOT NULL PRIMARY KEY,
  epoch BIGINT NOT NULL,
  seen_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY seen_at (seen_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci;

-- One row per aggregate, lock and version in one; the order of the key is the lock order. n: a product's order_refs.
CREATE TABLE IF NOT EXISTS crossfade_version (
  kind TINYINT NOT NULL,
  id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  n BIGINT NULL,
  PRIMARY KEY (kind, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci;

-- What the shadow may still need: aggregates ("user#42") and keys, never values.
CREATE TABLE IF NOT EXISTS crossfade_intent (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  op_id BINARY(16) NOT NULL,
  part SMALLINT UNSIGNED NOT NULL,
  op VARCHAR(64) NOT NULL,
  aggs JSON NOT NULL,
  dkeys JSON NOT NULL,
  state ENUM('open', 'journalled', 'aborted', 'done') NOT NULL,
  instance VARCHAR(255) NOT NULL,
  epoch BIGINT NOT NULL,
  created_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  next_try_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  attempts INT UNSIGNED NOT NULL DEFAULT 0,
  last_error TEXT NULL,
  UNIQUE KEY op_part (op_id, part),
  KEY state_next_try_at (state, next_try_at),
  KEY aggs ((CAST(aggs AS CHAR(64) ARRAY)))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci;

-- Who changed what, and why; gate is what the gate said when a phase was switched.
CREATE TABLE IF NOT EXISTS crossfade_audit (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  who VARCHAR(255) NOT NULL,
  address VARCHAR(255) NOT NULL,
  kind VARCHAR(64) NOT NULL,
  `before` JSON NULL,
  `after` JSON NULL,
  reason VARCHAR(1000) NOT NULL,
  gate JSON NULL,
  KEY at (at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci;

-- Reports of dual reads that found different data.
CREATE TABLE IF NOT EXISTS crossfade_mismatch (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  entity VARCHAR(32) NOT NULL,
  operation VARCHAR(64) NOT NULL,
  correlation_id VARCHAR(255) NOT NULL,
  report JSON NOT NULL,
  KEY at (at),
  KEY entity_at (entity, at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci;

-- Copies and comparisons: what is under way, which says so every few seconds, and the evidence of what has ended.
-- slot: of those with the same one there is at most one under way.
CREATE TABLE IF NOT EXISTS crossfade_job (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  kind VARCHAR(32) NOT NULL,
  entities JSON NOT NULL,
  state ENUM('running', 'done', 'failed', 'cancelled') NOT NULL DEFAULT 'running',
  slot VARCHAR(32) NULL,
  epoch BIGINT NOT NULL,
  done BIGINT NOT NULL DEFAULT 0,
  total BIGINT NOT NULL DEFAULT 0,
  is_equal BOOL NULL,
  `rows` JSON NULL,
  difference_count BIGINT NOT NULL DEFAULT 0,
  differences JSON NULL,
  error VARCHAR(1000) NULL,
  is_cancelled BOOL NOT NULL DEFAULT FALSE,
  started_by VARCHAR(255) NOT NULL,
  started_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY slot (slot),
  KEY kind_state (kind, state)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci;

-- Dual reads and dual writes of the whole fleet by minute and result.
CREATE TABLE IF NOT EXISTS crossfade_tally (
  kind ENUM('read', 'write') NOT NULL,
  minute TIMESTAMP NOT NULL,
  entity VARCHAR(32) NOT NULL,
  result VARCHAR(32) NOT NULL,
  n BIGINT NOT NULL,
  PRIMARY KEY (kind, minute, entity, result)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci;

-- Failed logins; who is a hash of name and address.
CREATE TABLE IF NOT EXISTS crossfade_login_attempt (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  who BINARY(32) NOT NULL,
  at TIMESTAMP(3) NOT NULL,
  KEY who_at (who, at),
  KEY at (at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_ai_ci;
