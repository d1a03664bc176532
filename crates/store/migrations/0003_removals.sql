-- Tenants that are being removed: their keys are gone, some of their facts may still be there.
CREATE TABLE removals (
  tenant TEXT NOT NULL,
  PRIMARY KEY (tenant)
) WITHOUT ROWID;
