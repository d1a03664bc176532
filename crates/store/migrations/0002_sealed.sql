-- What facts say about people stands apart from them, sealed under a key per interaction. Erasing is destroying the
-- key: the fact stays, and with it every count.
ALTER TABLE facts ADD COLUMN sealed BLOB;   -- NULL: the fact says nothing about anybody

-- Those facts, for who looks for a person. Grows at its end only.
CREATE INDEX facts_sealed ON facts (tenant, number) WHERE sealed IS NOT NULL;

-- The keys, each wrapped by a master key that stands in a file of its own. A fact without an interaction, such as a call
-- that was refused at the door, has one of its own under its number: no interaction ever has that id.
CREATE TABLE keys (
  tenant      TEXT   NOT NULL,
  interaction BIGINT NOT NULL,
  at_ms       BIGINT NOT NULL,           -- when the first fact that it seals happened
  wrapped     BLOB   NOT NULL,
  PRIMARY KEY (tenant, interaction)
) WITHOUT ROWID;

-- The master keys that have wrapped keys here, so that a lost one is missed at once.
CREATE TABLE masters (
  id BLOB NOT NULL,
  PRIMARY KEY (id)
) WITHOUT ROWID;

-- Facts of an earlier release that may say something about people in the clear, and are still to be sealed:
-- those after one number up to another.
CREATE TABLE plain (
  tenant TEXT   NOT NULL,
  after  BIGINT NOT NULL,
  until  BIGINT NOT NULL,
  PRIMARY KEY (tenant)
) WITHOUT ROWID;
INSERT INTO plain (tenant, after, until) SELECT tenant, 0, max(number) FROM facts GROUP BY tenant;

-- A snapshot names people too. It is sealed as a whole under a key of its own, and goes when anybody of it is erased.
DROP TABLE snapshots;
CREATE TABLE snapshots (
  tenant  TEXT   NOT NULL,
  number  BIGINT NOT NULL,
  format  BIGINT NOT NULL,               -- version of the encoding of state; a reader of another version ignores it
  wrapped BLOB   NOT NULL,
  sealed  BLOB   NOT NULL,
  PRIMARY KEY (tenant)
) WITHOUT ROWID;
