CREATE INDEX ix_owner_owner_id ON owner (owner_id);
CREATE INDEX ix_property_geo_id ON property (geo_id);
CREATE INDEX ix_chg_of_owner_prop_assoc_prop_id ON chg_of_owner_prop_assoc (prop_id);
CREATE UNIQUE INDEX uq_prop_supp_assoc ON prop_supp_assoc (owner_tax_yr, prop_id);
CREATE INDEX ix_address_primary ON address (primary_addr, acct_id);
