CREATE TABLE imprv_type (
  imprv_type_cd char(5) NOT NULL, imprv_type_desc varchar(50), sys_flag char(1),
  mobile_home char(1), bAllowDetailUseBase bit NOT NULL DEFAULT 0,
  bMultiplyStoriesSQFT bit, bMultiSalePrimary bit NOT NULL DEFAULT 0,
  is_permanent_crop bit NOT NULL DEFAULT 0, ms_type char(1) NOT NULL DEFAULT 'F',
  rc_type char(1), PRIMARY KEY (imprv_type_cd)
) WITHOUT ROWID;

CREATE TABLE imprv_det_type (
  imprv_det_type_cd char(10) NOT NULL, imprv_det_typ_desc varchar(50), main_area char(1),
  sys_flag char(1), comp_sales_main_area_flag char(1) NOT NULL DEFAULT 'F',
  comp_sales_the_main_area_flag char(1) NOT NULL DEFAULT 'F',
  bUseBaseMAMethod bit NOT NULL DEFAULT 0, bUseBaseMAClass bit NOT NULL DEFAULT 0,
  bUseBaseMASubclass bit NOT NULL DEFAULT 0, sketch_area_fill_color int,
  is_permanent_crop_detail bit NOT NULL DEFAULT 0,
  is_irrigation_detail bit NOT NULL DEFAULT 0, is_mchy_n_equip bit, rc_type char(1),
  bPool bit, PRIMARY KEY (imprv_det_type_cd)
) WITHOUT ROWID;

CREATE TABLE imprv_det_class (
  imprv_det_class_cd char(10) NOT NULL, imprv_det_cls_desc varchar(50),
  sys_flag varchar(1), is_permanent_crop_detail bit NOT NULL DEFAULT 0, rc_type char(1),
  PRIMARY KEY (imprv_det_class_cd)
) WITHOUT ROWID;

CREATE TABLE attribute (
  imprv_attr_id int NOT NULL, imprv_attr_desc varchar(50), sys_flag char(1),
  cCompSalesAdjust char(1) NOT NULL DEFAULT 'F', bModifierFactor bit NOT NULL DEFAULT 0,
  bStoriesMultiplier bit, web_export bit NOT NULL DEFAULT 0, rc_type char(1),
  inactive_flag bit, PRIMARY KEY (imprv_attr_id)
) WITHOUT ROWID;

CREATE TABLE attribute_val (
  imprv_attr_id int NOT NULL, imprv_attr_val_cd varchar(75) NOT NULL, sys_flag char(1),
  cach_flag char(1), PRIMARY KEY (imprv_attr_id, imprv_attr_val_cd)
) WITHOUT ROWID;

CREATE TABLE land_type (
  land_type_cd char(10) NOT NULL, land_type_desc varchar(50), sys_flag char(1),
  ag_or_wild_or_timber char(1), state_land_type_desc varchar(30),
  is_permanent_crop bit NOT NULL DEFAULT 0, rc_type char(1), PRIMARY KEY (land_type_cd)
) WITHOUT ROWID;

CREATE TABLE sale_ratio_type (
  sl_ratio_type_cd char(5) NOT NULL, sl_ratio_desc varchar(30), invalid_sale bit,
  requires_reason bit, PRIMARY KEY (sl_ratio_type_cd)
) WITHOUT ROWID;

CREATE TABLE county_ratio_code (
  ratio_cd varchar(10) NOT NULL, ratio_desc varchar(30) NOT NULL, PRIMARY KEY (ratio_cd)
) WITHOUT ROWID;

CREATE TABLE sale_type (
  sl_type_cd char(5) NOT NULL, sl_type_desc varchar(50), sys_flag char(1),
  sl_ptd_arms_length char(1), PRIMARY KEY (sl_type_cd)
) WITHOUT ROWID;

CREATE TABLE deed_type (
  deed_type_cd char(10) NOT NULL, deed_type_desc varchar(50), sys_flag char(1),
  county_cd varchar(10), sales_ratio_type_cd varchar(5), PRIMARY KEY (deed_type_cd)
) WITHOUT ROWID;

CREATE TABLE reet_wac_code (
  wac_cd varchar(32) NOT NULL, wac_desc varchar(100) NOT NULL, sys_flag char(1),
  inactive bit NOT NULL DEFAULT 0, PRIMARY KEY (wac_cd)
) WITHOUT ROWID;

CREATE TABLE exmpt_type (
  exmpt_type_cd varchar(10) NOT NULL, exmpt_desc varchar(50), federal_amt numeric(14,2),
  plus_oa65_amt numeric(14,2), spl_exmpt char(1) NOT NULL DEFAULT 'F',
  freeze_flag bit NOT NULL DEFAULT 0, PRIMARY KEY (exmpt_type_cd)
) WITHOUT ROWID;

CREATE TABLE exmpt_sub_type (
  exmpt_sub_type_cd varchar(10) NOT NULL, exmpt_sub_type_desc varchar(30) NOT NULL,
  exmpt_type_cd varchar(10), disability bit NOT NULL DEFAULT 0,
  PRIMARY KEY (exmpt_sub_type_cd)
) WITHOUT ROWID;

CREATE TABLE tax_area (
  tax_area_id int NOT NULL, tax_area_number varchar(23) NOT NULL,
  tax_area_state varchar(50), tax_area_description varchar(255) NOT NULL,
  comment varchar(2048), is_inactive_after_year bit NOT NULL DEFAULT 0,
  inactive_after_year numeric(4), PRIMARY KEY (tax_area_id)
) WITHOUT ROWID;

CREATE TABLE neighborhood (
  hood_cd varchar(10) NOT NULL, hood_yr numeric(4) NOT NULL, hood_name varchar(100),
  hood_land_pct numeric(5,2) NOT NULL DEFAULT 0,
  hood_imprv_pct numeric(5,2) NOT NULL DEFAULT 0, sys_flag char(1),
  reappraisal_status varchar(20), life_cycle varchar(20), inactive bit NOT NULL DEFAULT 0,
  inactive_date datetime, created_date datetime, cycle int, nbhd_descr varchar(5000),
  ls_id int, appraiser_id int NOT NULL DEFAULT 0, comments varchar(500),
  PRIMARY KEY (hood_cd, hood_yr)
) WITHOUT ROWID;

CREATE TABLE abs_subdv (
  abs_subdv_cd varchar(10) NOT NULL, abs_subdv_yr numeric(4) NOT NULL,
  abs_subdv_desc varchar(60), abs_land_pct numeric(5,2) NOT NULL DEFAULT 0,
  abs_imprv_pct numeric(5,2) NOT NULL DEFAULT 0, abs_subdv_ind char(1), sys_flag char(1),
  changed_flag char(1), cInCounty char(1) NOT NULL DEFAULT 'F', bActive bit, ls_id int,
  active_year numeric(4), create_date datetime, comments varchar(500),
  PRIMARY KEY (abs_subdv_cd, abs_subdv_yr)
) WITHOUT ROWID;

CREATE TABLE property_use (
  property_use_cd varchar(10) NOT NULL, property_use_desc varchar(50) NOT NULL,
  dor_use_code varchar(10), PRIMARY KEY (property_use_cd)
) WITHOUT ROWID;

CREATE TABLE dor_use_code (
  sub_cd varchar(10) NOT NULL, sub_desc varchar(40) NOT NULL,
  land_use_cd varchar(10) NOT NULL, land_use_desc varchar(200) NOT NULL, residential bit,
  multifamily bit, commercial bit, industrial bit, current_use bit, other bit,
  mh_park bit, PRIMARY KEY (sub_cd)
) WITHOUT ROWID;

CREATE TABLE dor_land_use_code (
  code varchar(10) NOT NULL, dor_report_category varchar(3) NOT NULL, PRIMARY KEY (code)
) WITHOUT ROWID;

CREATE TABLE property_type (
  prop_type_cd char(5) NOT NULL, prop_type_desc varchar(50), PRIMARY KEY (prop_type_cd)
) WITHOUT ROWID;

CREATE TABLE property_sub_type (
  property_sub_cd varchar(5) NOT NULL, property_sub_desc varchar(20) NOT NULL,
  residential bit, commercial bit, state_assessed_utility bit,
  local_assessed_utility bit, farm bit, leased bit, industrial bit, prop_type char(5),
  boat bit, state_bid_timber bit, imp_leased_land bit NOT NULL DEFAULT 0,
  facility_type char(1), PRIMARY KEY (property_sub_cd)
) WITHOUT ROWID;

CREATE TABLE ag_use (
  ag_use_cd char(5) NOT NULL, ag_use_desc varchar(50) NOT NULL, sys_flag char(1),
  dfl bit, timber bit, reforestation bit, ag bit, osp bit,
  pbrs bit NOT NULL DEFAULT 0, PRIMARY KEY (ag_use_cd)
) WITHOUT ROWID;

CREATE TABLE condition (
  condition_cd char(5) NOT NULL, condition_desc varchar(50), sys_flag char(1),
  rc_type char(1), PRIMARY KEY (condition_cd)
) WITHOUT ROWID;

CREATE TABLE appraiser (
  appraiser_id int NOT NULL, appraiser_nm varchar(40) NOT NULL,
  appraiser_full_name varchar(75), inactive varchar(1), sys_flag bit NOT NULL DEFAULT 0,
  pacs_user_id int, PRIMARY KEY (appraiser_id)
) WITHOUT ROWID;
