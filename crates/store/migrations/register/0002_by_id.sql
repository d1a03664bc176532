-- What somebody names who does not say whose it is: found without asking tenant by tenant.
CREATE INDEX people_by_id ON people (id);
CREATE INDEX webhooks_by_id ON webhooks (id);
