-- The register: who may do what. Nothing here is a fact of the contact center; those are in the journal.
-- Every row that belongs to somebody names its tenant first; '' is the installation itself (operators and their keys).
-- Documents are JSON that this file need not look into. Times are milliseconds since 1970 UTC.

-- Customers that an operator added while the program ran.
CREATE TABLE tenants (
  id         TEXT   NOT NULL,
  name       TEXT   NOT NULL,
  document   TEXT   NOT NULL,
  state      TEXT   NOT NULL,
  created_ms BIGINT NOT NULL,
  changed_ms BIGINT NOT NULL,
  PRIMARY KEY (id)
) WITHOUT ROWID;

-- Tenants that were removed: what still runs for one of them may not write it back.
CREATE TABLE removed (
  id    TEXT   NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (id)
) WITHOUT ROWID;

CREATE TABLE people (
  tenant     TEXT    NOT NULL,
  id         TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  document   TEXT    NOT NULL,
  enabled    BOOLEAN NOT NULL,
  created_ms BIGINT  NOT NULL,
  changed_ms BIGINT  NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;

-- By what people are known when they sign in. One is nobody else's in the whole installation: it is what finds the tenant.
CREATE TABLE identities (
  kind    TEXT NOT NULL,                 -- such as 'entra', 'local'
  issuer  TEXT NOT NULL,                 -- such as the Entra tenant; '' if the kind has none
  subject TEXT NOT NULL,                 -- such as the object id, the user name
  tenant  TEXT NOT NULL,
  person  TEXT NOT NULL,
  PRIMARY KEY (kind, issuer, subject)
) WITHOUT ROWID;
CREATE INDEX identities_of_person ON identities (tenant, person);

-- With what people prove it here: password hashes, public keys of passkeys.
CREATE TABLE credentials (
  tenant     TEXT   NOT NULL,
  person     TEXT   NOT NULL,
  kind       TEXT   NOT NULL,
  id         TEXT   NOT NULL,
  data       BLOB   NOT NULL,
  label      TEXT   NOT NULL,
  created_ms BIGINT NOT NULL,
  used_ms    BIGINT,
  PRIMARY KEY (tenant, person, kind, id)
) WITHOUT ROWID;
-- A passkey is presented without a name.
CREATE UNIQUE INDEX credentials_by_id ON credentials (kind, id);

CREATE TABLE logins (
  id            TEXT   NOT NULL,
  tenant        TEXT   NOT NULL,
  person        TEXT   NOT NULL,
  secret_hash   BLOB   NOT NULL,
  previous_hash BLOB,                    -- of the secret that the present one replaced: who shows it is a thief, or was robbed
  how           TEXT   NOT NULL,
  label         TEXT   NOT NULL,
  document      TEXT   NOT NULL,
  created_ms    BIGINT NOT NULL,
  used_ms       BIGINT NOT NULL,
  expires_ms    BIGINT NOT NULL,
  revoked_ms    BIGINT,
  PRIMARY KEY (id)
) WITHOUT ROWID;
CREATE INDEX logins_of_person ON logins (tenant, person);

-- Keys of programs.
CREATE TABLE keys (
  id         TEXT   NOT NULL,
  tenant     TEXT   NOT NULL,
  name       TEXT   NOT NULL,
  hash       BLOB   NOT NULL,
  scopes     TEXT   NOT NULL,
  created_by TEXT   NOT NULL,
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT,
  used_ms    BIGINT,
  revoked_ms BIGINT,
  PRIMARY KEY (id)
) WITHOUT ROWID;
CREATE INDEX keys_of_tenant ON keys (tenant);

-- Who did, or tried, what. Rows are added and, when they are old, removed; never changed.
CREATE TABLE audit (
  tenant  TEXT   NOT NULL,
  number  BIGINT NOT NULL,               -- 1, 2, 3, ... per tenant
  at_ms   BIGINT NOT NULL,
  actor   TEXT   NOT NULL,               -- whom to look for: the id of a person or a key
  who     TEXT   NOT NULL,               -- the actor as he was then (JSON)
  act     TEXT   NOT NULL,
  object  TEXT   NOT NULL,
  outcome TEXT   NOT NULL,
  detail  TEXT   NOT NULL,
  PRIMARY KEY (tenant, number)
) WITHOUT ROWID;
CREATE INDEX audit_of_actor ON audit (tenant, actor, number);
CREATE INDEX audit_by_time ON audit (tenant, at_ms);

-- Tenants of Entra ID, each of one tenant here.
CREATE TABLE entra_tenants (
  tid        TEXT   NOT NULL,
  tenant     TEXT   NOT NULL,
  name       TEXT   NOT NULL,
  state      TEXT   NOT NULL,
  changed_ms BIGINT NOT NULL,
  PRIMARY KEY (tid)
) WITHOUT ROWID;
CREATE INDEX entra_tenants_of_tenant ON entra_tenants (tenant);

-- What must be kept and shown to nobody, sealed under a key of its own that a master key wraps.
CREATE TABLE secrets (
  tenant     TEXT   NOT NULL,
  name       TEXT   NOT NULL,
  wrapped    BLOB   NOT NULL,
  sealed     BLOB   NOT NULL,
  changed_ms BIGINT NOT NULL,
  PRIMARY KEY (tenant, name)
) WITHOUT ROWID;

CREATE TABLE webhooks (
  tenant     TEXT   NOT NULL,
  id         TEXT   NOT NULL,
  document   TEXT   NOT NULL,
  cursor     BIGINT NOT NULL,            -- the last fact that was delivered
  state      TEXT   NOT NULL,
  changed_ms BIGINT NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;

-- The last deliveries of each webhook.
CREATE TABLE deliveries (
  tenant  TEXT   NOT NULL,
  webhook TEXT   NOT NULL,
  entry   BIGINT NOT NULL,               -- 1, 2, 3, ... per webhook
  number  BIGINT NOT NULL,               -- the fact
  attempt BIGINT NOT NULL,
  at_ms   BIGINT NOT NULL,
  status  BIGINT,                        -- of the HTTP answer, if there was one
  took_ms BIGINT NOT NULL,
  error   TEXT,
  PRIMARY KEY (tenant, webhook, entry)
) WITHOUT ROWID;

-- The customers' users, as Microsoft Graph tells them.
CREATE TABLE directory (
  tenant     TEXT   NOT NULL,
  tid        TEXT   NOT NULL,
  oid        TEXT   NOT NULL,
  document   TEXT   NOT NULL,
  changed_ms BIGINT NOT NULL,
  PRIMARY KEY (tenant, tid, oid)
) WITHOUT ROWID;

-- What is said here about those users, such as skills. It outlives what Graph tells.
CREATE TABLE directory_notes (
  tenant     TEXT   NOT NULL,
  tid        TEXT   NOT NULL,
  oid        TEXT   NOT NULL,
  document   TEXT   NOT NULL,
  changed_ms BIGINT NOT NULL,
  PRIMARY KEY (tenant, tid, oid)
) WITHOUT ROWID;

-- Where the next question for what has changed begins.
CREATE TABLE delta_links (
  tenant   TEXT NOT NULL,
  tid      TEXT NOT NULL,
  resource TEXT NOT NULL,
  link     TEXT NOT NULL,
  PRIMARY KEY (tenant, tid, resource)
) WITHOUT ROWID;
