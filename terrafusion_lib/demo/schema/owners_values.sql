CREATE TABLE account (
  acct_id int NOT NULL, first_name varchar(30), last_name varchar(30),
  file_as_name varchar(70), acct_create_dt datetime, misc_code varchar(50),
  ref_id1 varchar(50), source varchar(30), confidential_flag char(1),
  confidential_file_as_name varchar(70), confidential_first_name varchar(30),
  confidential_last_name varchar(30), update_dt datetime, web_suppression char(1),
  PRIMARY KEY (acct_id)
) WITHOUT ROWID;

CREATE TABLE address (
  acct_id int NOT NULL, addr_type_cd char(5) NOT NULL, primary_addr char(1),
  addr_line1 varchar(60), addr_line2 varchar(60), addr_line3 varchar(60),
  addr_city varchar(50), addr_state varchar(50), country_cd char(5),
  ml_deliverable char(1), last_change_dt datetime, zip varchar(5), cass varchar(4),
  addr_zip varchar(14), is_international bit NOT NULL DEFAULT 0,
  PRIMARY KEY (acct_id, addr_type_cd)
) WITHOUT ROWID;

CREATE TABLE owner (
  owner_id int NOT NULL, owner_tax_yr numeric(4) NOT NULL, prop_id int NOT NULL,
  updt_dt datetime NOT NULL, pct_ownership numeric(13,10), sup_num int NOT NULL,
  type_of_int char(5), hs_prop char(1), pct_imprv_hs numeric(13,10),
  pct_land_hs numeric(13,10), udi_child_prop_id int, percent_type varchar(5),
  linked_cd varchar(10), PRIMARY KEY (owner_tax_yr, sup_num, prop_id, owner_id)
) WITHOUT ROWID;

CREATE TABLE wash_prop_owner_val (
  year numeric(4) NOT NULL, sup_num int NOT NULL, prop_id int NOT NULL,
  owner_id int NOT NULL, land_hstd_val numeric(14) NOT NULL DEFAULT 0,
  land_non_hstd_val numeric(14) NOT NULL DEFAULT 0,
  imprv_hstd_val numeric(14) NOT NULL DEFAULT 0,
  imprv_non_hstd_val numeric(14) NOT NULL DEFAULT 0,
  ag_use_val numeric(14) NOT NULL DEFAULT 0, ag_market numeric(14) NOT NULL DEFAULT 0,
  ag_loss numeric(14) NOT NULL DEFAULT 0, ag_hs_use_val numeric(14) NOT NULL DEFAULT 0,
  ag_hs_market numeric(14) NOT NULL DEFAULT 0, ag_hs_loss numeric(14) NOT NULL DEFAULT 0,
  timber_use_val numeric(14) NOT NULL DEFAULT 0,
  timber_market numeric(14) NOT NULL DEFAULT 0, timber_loss numeric(14) NOT NULL DEFAULT 0,
  timber_hs_use_val numeric(14) NOT NULL DEFAULT 0,
  timber_hs_market numeric(14) NOT NULL DEFAULT 0,
  timber_hs_loss numeric(14) NOT NULL DEFAULT 0, new_val_hs numeric(14) NOT NULL DEFAULT 0,
  new_val_nhs numeric(14) NOT NULL DEFAULT 0, new_val_p numeric(14) NOT NULL DEFAULT 0,
  appraised numeric(14) NOT NULL DEFAULT 0, market numeric(14) NOT NULL DEFAULT 0,
  snr_frz_imprv_hs numeric(14) NOT NULL DEFAULT 0,
  snr_frz_land_hs numeric(14) NOT NULL DEFAULT 0,
  appraised_classified numeric(14) NOT NULL DEFAULT 0,
  appraised_non_classified numeric(14) NOT NULL DEFAULT 0,
  taxable_classified numeric(14) NOT NULL DEFAULT 0,
  taxable_non_classified numeric(14) NOT NULL DEFAULT 0,
  state_assessed numeric(14) NOT NULL DEFAULT 0, destroyed_prop bit NOT NULL DEFAULT 0,
  destroyed_jan1_value numeric(14) NOT NULL DEFAULT 0, destroyed_prorate_pct decimal(20,19),
  prorate_type varchar(5), prorate_begin datetime, prorate_end datetime,
  boe_status bit NOT NULL DEFAULT 0,
  destroyed_jan1_classified_value numeric(14) NOT NULL DEFAULT 0,
  destroyed_jan1_non_classified_value numeric(14) NOT NULL DEFAULT 0,
  non_taxed_mkt_val numeric(14), PRIMARY KEY (year, sup_num, prop_id, owner_id)
) WITHOUT ROWID;

CREATE TABLE wash_property_val (
  prop_val_yr numeric(4) NOT NULL, sup_num int NOT NULL, prop_id int NOT NULL,
  appraised_classified numeric(14) NOT NULL DEFAULT 0,
  appraised_non_classified numeric(14) NOT NULL DEFAULT 0,
  snr_imprv numeric(14) NOT NULL DEFAULT 0, snr_land numeric(14) NOT NULL DEFAULT 0,
  snr_new_val numeric(14) NOT NULL DEFAULT 0, snr_qualify_yr numeric(14) NOT NULL DEFAULT 0,
  snr_qualify_yr_override bit NOT NULL DEFAULT 0,
  snr_frz_imprv_hs numeric(14) NOT NULL DEFAULT 0,
  snr_frz_land_hs numeric(14) NOT NULL DEFAULT 0,
  snr_frz_imprv_hs_override bit NOT NULL DEFAULT 0,
  snr_frz_land_hs_override bit NOT NULL DEFAULT 0,
  snr_taxable_portion numeric(14) NOT NULL DEFAULT 0,
  snr_exempt_loss numeric(14) NOT NULL DEFAULT 0,
  snr_portion_applied numeric(14) NOT NULL DEFAULT 0,
  tsRowVersion rowversion NOT NULL DEFAULT (x'0000000000000000'), snr_imprv_hs numeric(14),
  snr_land_hs numeric(14), snr_imprv_hs_override bit NOT NULL DEFAULT 0,
  snr_land_hs_override bit NOT NULL DEFAULT 0, snr_ag_hs_override bit NOT NULL DEFAULT 0,
  snr_timber_hs_override bit NOT NULL DEFAULT 0, PRIMARY KEY (prop_val_yr, sup_num, prop_id)
) WITHOUT ROWID;

CREATE TABLE property_exemption (
  prop_id int NOT NULL, owner_id int NOT NULL, exmpt_tax_yr numeric(4) NOT NULL,
  owner_tax_yr numeric(4) NOT NULL, prop_type_cd char(5) NOT NULL,
  exmpt_type_cd varchar(10) NOT NULL, effective_dt datetime, termination_dt datetime,
  apply_pct_owner numeric(5,2), sup_num int NOT NULL, effective_tax_yr numeric(4),
  qualify_yr numeric(4), sp_value_type char(1), sp_value_option char(1), absent_flag bit,
  exmpt_subtype_cd varchar(10), exemption_pct numeric(5,2), exempt_qualify_cd varchar(10),
  review_request_date datetime, review_status_cd varchar(10), review_last_year numeric(4),
  PRIMARY KEY (exmpt_tax_yr, owner_tax_yr, sup_num, prop_id, owner_id, exmpt_type_cd)
) WITHOUT ROWID;

CREATE TABLE wash_prop_owner_exemption (
  year numeric(4) NOT NULL, sup_num int NOT NULL, prop_id int NOT NULL,
  owner_id int NOT NULL, exmpt_type_cd varchar(10) NOT NULL,
  exempt_value numeric(14) NOT NULL DEFAULT 0, exempt_sub_type_cd varchar(10),
  exempt_qualify_cd varchar(10), PRIMARY KEY (year, sup_num, prop_id, owner_id, exmpt_type_cd)
) WITHOUT ROWID;
