CREATE TABLE property (
  prop_id int NOT NULL, prop_type_cd char(5) NOT NULL, prop_create_dt datetime,
  ref_id1 varchar(50), ref_id2 varchar(50), geo_id varchar(50), prop_cmnt varchar(3000),
  dba_name varchar(50), utilities varchar(50), topography varchar(50),
  road_access varchar(50), zoning varchar(50), remarks varchar(3000), state_cd char(5),
  simple_geo_id varchar(50), reference_flag char(1), reference_desc varchar(64),
  col_owner_override bit NOT NULL DEFAULT 0, col_agent_override bit NOT NULL DEFAULT 0,
  PRIMARY KEY (prop_id)
) WITHOUT ROWID;

CREATE TABLE property_val (
  prop_id int NOT NULL, prop_val_yr numeric(4) NOT NULL, sup_num int NOT NULL,
  prev_sup_num int, sup_cd varchar(10), sup_desc varchar(500), sup_dt datetime,
  sup_action char(1), prop_inactive_dt datetime, land_hstd_val numeric(14),
  land_non_hstd_val numeric(14), imprv_hstd_val numeric(14),
  imprv_non_hstd_val numeric(14), imprv_val numeric(14), ag_use_val numeric(14),
  ag_market numeric(14), ag_loss numeric(14), ag_hs_use_val numeric(14),
  ag_hs_mkt_val numeric(14), timber_market numeric(14), timber_use numeric(14),
  timber_hs_mkt_val numeric(14), timber_hs_use_val numeric(14), market numeric(14),
  appraised_val numeric(14), assessed_val numeric(14), new_val numeric(14),
  new_val_hs numeric(14), new_val_nhs numeric(14), new_val_p numeric(14),
  cost_value numeric(14), income_value numeric(14), non_taxed_mkt_val numeric(14),
  legal_desc varchar(255), legal_desc_2 varchar(255), legal_acreage numeric(14,4),
  eff_size_acres numeric(14,4), abs_subdv_cd varchar(10), block varchar(50),
  tract_or_lot varchar(50), hood_cd varchar(10), rgn_cd varchar(5), subset_cd varchar(5),
  map_id varchar(20), township_code varchar(20), township_section varchar(20),
  township_q_section varchar(20), range_code varchar(20), mbl_hm_park varchar(50),
  mbl_hm_space varchar(50), gis_real_coord_x numeric(17,9), gis_real_coord_y numeric(17,9),
  urban_growth_cd varchar(10), property_use_cd varchar(10), secondary_use_cd varchar(10),
  assessment_use_cd varchar(10), sub_type varchar(5), appr_method char(5), cycle int,
  prop_state char(1), last_appraiser_id int, last_appraisal_dt datetime,
  last_appraisal_yr numeric(4), next_appraisal_dt datetime, next_appraiser_id int,
  recalc_dt datetime, recalc_flag char(1), chg_dt datetime, last_pacs_user_id int,
  tsRowVersion rowversion NOT NULL DEFAULT (x'0000000000000000'), udi_parent char(1),
  udi_parent_prop_id int, PRIMARY KEY (prop_val_yr, sup_num, prop_id)
) WITHOUT ROWID;

CREATE TABLE prop_supp_assoc (
  prop_id int NOT NULL, owner_tax_yr numeric(4) NOT NULL, sup_num int NOT NULL,
  PRIMARY KEY (owner_tax_yr, sup_num, prop_id)
) WITHOUT ROWID;

CREATE TABLE situs (
  prop_id int NOT NULL, situs_id int NOT NULL, primary_situs char(1),
  situs_num varchar(15), situs_street_prefx varchar(10), situs_street varchar(50),
  situs_street_sufix varchar(10), situs_unit varchar(5), situs_city varchar(30),
  situs_state char(2), situs_zip varchar(10), situs_display varchar(200),
  building_num varchar(15), sub_num varchar(15), PRIMARY KEY (prop_id, situs_id)
) WITHOUT ROWID;

CREATE TABLE property_profile (
  prop_id int NOT NULL, prop_val_yr numeric(4) NOT NULL, sup_num int NOT NULL DEFAULT 0,
  update_dt datetime, state_cd varchar(10), class_cd varchar(10),
  land_type_cd varchar(10), yr_blt numeric(4), living_area numeric(14),
  imprv_unit_price numeric(14,2), land_sqft numeric(18,2), land_acres numeric(18,4),
  region varchar(5), abs_subdv varchar(10), neighborhood varchar(10), subset varchar(5),
  map_id varchar(20), appraised_val numeric(14), land_total_sqft numeric(18,2),
  eff_yr_blt numeric(4), condition_cd char(5), percent_complete numeric(5,2),
  heat_ac_code varchar(75), land_total_acres numeric(18,4), zoning varchar(50),
  sub_market_cd varchar(10), property_use_cd varchar(10), last_appraisal_dt datetime,
  num_imprv int, imprv_type_cd char(5), imprv_det_sub_class_cd varchar(10),
  actual_year_built numeric(4), characteristic_zoning1 varchar(20),
  characteristic_view varchar(20), actual_age int, PRIMARY KEY (prop_val_yr, prop_id)
) WITHOUT ROWID;

CREATE TABLE property_tax_area (
  year numeric(4) NOT NULL, sup_num int NOT NULL, prop_id int NOT NULL,
  tax_area_id int NOT NULL DEFAULT 0, tax_area_id_pending int, effective_date datetime,
  is_annex_value bit NOT NULL DEFAULT 0, PRIMARY KEY (year, sup_num, prop_id)
) WITHOUT ROWID;

CREATE TABLE land_detail (
  prop_id int NOT NULL, prop_val_yr numeric(4) NOT NULL, land_seg_id int NOT NULL,
  sup_num int NOT NULL, sale_id int NOT NULL, ls_mkt_id int, ls_ag_id int,
  land_type_cd char(10) NOT NULL, land_seg_desc varchar(50),
  land_seg_sl_lock char(1) NOT NULL DEFAULT 'F', state_cd char(5) NOT NULL,
  land_seg_homesite char(1), size_acres numeric(18,4), size_square_feet numeric(18,2),
  effective_front numeric(18,2), effective_depth numeric(18,2),
  mkt_unit_price numeric(14,2), land_seg_mkt_val numeric(14), mkt_calc_val numeric(14),
  mkt_adj_val numeric(14), mkt_flat_val numeric(14), ag_loss numeric(14),
  mkt_val_source varchar(1), ag_use_cd char(5), ag_unit_price numeric(14,2),
  ag_apply char(1), ag_val numeric(14), ag_calc_val numeric(14), ag_val_type varchar(5),
  ag_eff_tax_year numeric(4), ag_apply_yr numeric(4), land_adj_factor numeric(8,6),
  land_mass_adj_factor numeric(8,6), num_lots numeric(9,2), land_class_code char(3),
  land_influence_code varchar(10), dist_val numeric(14) NOT NULL DEFAULT 0,
  tsRowVersion rowversion NOT NULL DEFAULT (x'0000000000000000'),
  hs_pct_override bit NOT NULL DEFAULT 0, new_construction_flag bit,
  assessment_yr_qualified numeric(4), primary_use_cd varchar(10), sub_use_cd varchar(10),
  waterfront_footage numeric(14) NOT NULL DEFAULT 0,
  ag_pbrs_pct numeric(5,2) NOT NULL DEFAULT 0,
  PRIMARY KEY (prop_val_yr, sup_num, sale_id, prop_id, land_seg_id)
) WITHOUT ROWID;
