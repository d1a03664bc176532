-- The journal: everything that happened in the contact center of a tenant, as one numbered list without gaps.
-- The primary key is the concurrency check: whoever appends names the numbers, and a number is taken once.
CREATE TABLE facts (
  tenant      TEXT   NOT NULL,
  number      BIGINT NOT NULL,           -- 1, 2, 3, ... per tenant
  at_ms       BIGINT NOT NULL,           -- when it happened, milliseconds since 1970 UTC
  interaction BIGINT,                    -- whose story it belongs to, if anybody's (64 bits, read as signed)
  mark        BIGINT NOT NULL,           -- 0 nothing special, 1 opens the interaction, 2 closes it
  fact        BLOB   NOT NULL,           -- the fact as the center encodes it
  PRIMARY KEY (tenant, number)
) WITHOUT ROWID;

-- The story of one interaction.
CREATE INDEX facts_of_interaction ON facts (tenant, interaction, number) WHERE interaction IS NOT NULL;

-- The interactions that ended last. Grows at its end only, so it costs next to nothing.
CREATE INDEX facts_closing ON facts (tenant, number) WHERE mark = 2;

-- What all facts up to a number add up to, so that a start does not fold the whole journal again. Derived: deleting
-- a row loses nothing but time.
CREATE TABLE snapshots (
  tenant TEXT   NOT NULL,
  number BIGINT NOT NULL,
  format BIGINT NOT NULL,                -- version of the encoding of state; a reader of another version ignores it
  state  BLOB   NOT NULL,
  PRIMARY KEY (tenant)
) WITHOUT ROWID;
