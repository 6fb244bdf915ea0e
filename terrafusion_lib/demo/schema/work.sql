CREATE TABLE building_permit (
  bldg_permit_id int NOT NULL, bldg_permit_status varchar(5),
  bldg_permit_cad_status varchar(5), bldg_permit_type_cd varchar(10),
  bldg_permit_sub_type_cd varchar(5), bldg_permit_num varchar(30),
  bldg_permit_issuer varchar(5), bldg_permit_issue_dt datetime,
  bldg_permit_dt_complete datetime, bldg_permit_val numeric(18),
  bldg_permit_area numeric(18), bldg_permit_num_floors numeric(18),
  bldg_permit_num_units numeric(18), bldg_permit_appraiser_id int,
  bldg_permit_dt_worked datetime, bldg_permit_pct_complete numeric(5,2),
  bldg_permit_active char(1), bldg_permit_last_chg datetime, bldg_permit_cmnt varchar(512),
  bldg_permit_res_com char(1), bldg_permit_street_num varchar(10),
  bldg_permit_street_name varchar(50), bldg_permit_city varchar(30),
  bldg_permit_pct_complete_override bit NOT NULL DEFAULT 0, bldg_permit_desc varchar(255),
  bldg_permit_county_percent_complete numeric(5,2), active_bit bit,
  PRIMARY KEY (bldg_permit_id)
) WITHOUT ROWID;

CREATE TABLE prop_building_permit_assoc (
  bldg_permit_id int NOT NULL, prop_id int NOT NULL,
  primary_property bit NOT NULL DEFAULT 0, PRIMARY KEY (prop_id, bldg_permit_id)
) WITHOUT ROWID;

CREATE TABLE supplement (
  sup_tax_yr numeric(4) NOT NULL, sup_num int NOT NULL, sup_group_id int NOT NULL,
  levy_cert_run_id int, PRIMARY KEY (sup_tax_yr, sup_num, sup_group_id)
) WITHOUT ROWID;

CREATE TABLE sup_group (
  sup_group_id int NOT NULL, sup_group_desc varchar(50), sup_create_dt datetime,
  sup_arb_ready_dt datetime, sup_accept_dt datetime, sup_bill_create_dt datetime,
  status_cd char(5), sup_group_comment varchar(255), PRIMARY KEY (sup_group_id)
) WITHOUT ROWID;

CREATE TABLE pacs_system (
  id int NOT NULL, tax_yr numeric(4), appr_yr numeric(4) NOT NULL DEFAULT 0,
  future_yr numeric(4), system_type char(1), client_name varchar(50),
  version varchar(20), first_yr_to_supp numeric(4), num_bedrooms_code_attribute_id int,
  num_bathrooms_code_attribute_id int, heat_ac_code_attribute_id int,
  sl_ratio_type char(5), sl_type char(5), sl_finance_type char(5), PRIMARY KEY (id)
) WITHOUT ROWID;

CREATE TABLE pacs_year (
  tax_yr numeric(4) NOT NULL, certification_dt datetime, notice_dt datetime,
  prev_reappraised_yr numeric(4), assessment_certification_date datetime,
  PRIMARY KEY (tax_yr)
) WITHOUT ROWID;
