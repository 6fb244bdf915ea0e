CREATE TABLE imprv (
  prop_id int NOT NULL, prop_val_yr numeric(4) NOT NULL, imprv_id int NOT NULL,
  sup_num int NOT NULL, sale_id int NOT NULL, imprv_type_cd char(5) NOT NULL,
  imprv_sl_locked char(1) NOT NULL DEFAULT 'F', primary_imprv char(1),
  imprv_state_cd char(5) NOT NULL, imprv_homesite char(1), imprv_desc varchar(255),
  imprv_val numeric(14), imp_new_yr numeric(4), imp_new_val numeric(14),
  original_val numeric(14), base_val numeric(14), calc_val numeric(14),
  adjusted_val numeric(14), flat_val numeric(14), mbl_hm_make varchar(100),
  mbl_hm_model varchar(100), mbl_hm_sn varchar(100), imprv_adj_factor numeric(8,6),
  imprv_mass_adj_factor numeric(8,6), imprv_val_source char(1), economic_pct numeric(5,2),
  physical_pct numeric(5,2), functional_pct numeric(5,2), effective_yr_blt numeric(4),
  percent_complete numeric(5,2), num_imprv int, stories varchar(5) NOT NULL,
  arb_val numeric(14), dep_pct numeric(5,2), dist_val numeric(14) NOT NULL DEFAULT 0,
  tsRowVersion rowversion NOT NULL DEFAULT (x'0000000000000000'),
  hs_pct_override bit NOT NULL DEFAULT 0, primary_use_cd varchar(10),
  primary_use_override bit NOT NULL DEFAULT 0, secondary_use_override bit NOT NULL DEFAULT 0,
  actual_year_built numeric(4), building_name varchar(50),
  permanent_crop_land_acres_override bit NOT NULL DEFAULT 0,
  permanent_crop_planted_acres_override bit NOT NULL DEFAULT 0, mbl_hm_year numeric(4),
  PRIMARY KEY (prop_val_yr, sup_num, sale_id, prop_id, imprv_id)
) WITHOUT ROWID;

CREATE TABLE imprv_detail (
  prop_id int NOT NULL, prop_val_yr numeric(4) NOT NULL, imprv_id int NOT NULL,
  imprv_det_id int NOT NULL, sup_num int NOT NULL, sale_id int NOT NULL,
  imprv_det_class_cd char(10) NOT NULL, imprv_det_meth_cd char(5) NOT NULL,
  imprv_det_type_cd char(10) NOT NULL, seq_num int, imprv_det_val numeric(18),
  imprv_det_val_source char(1), imprv_det_desc varchar(100), imprv_det_area numeric(18,1),
  imprv_det_area_type char(1), condition_cd char(5), calc_area numeric(18,1),
  sketch_area numeric(18,1), unit_price numeric(14,2), yr_new numeric(4),
  yr_built numeric(4), depreciation_yr numeric(4), imprv_det_calc_val numeric(14),
  imprv_det_adj_val numeric(14), economic_pct numeric(5,2), physical_pct numeric(5,2),
  functional_pct numeric(5,2), percent_complete numeric(5,2), new_value_flag char(1),
  dep_pct numeric(5,2), imprv_det_sub_class_cd varchar(10), num_units int,
  num_stories int, tsRowVersion rowversion NOT NULL DEFAULT (x'0000000000000000'),
  actual_year_built_override bit NOT NULL DEFAULT 0,
  PRIMARY KEY (prop_val_yr, sup_num, sale_id, prop_id, imprv_id, imprv_det_id)
) WITHOUT ROWID;

CREATE TABLE imprv_attr (
  imprv_id int NOT NULL, prop_id int NOT NULL, imprv_det_id int NOT NULL,
  imprv_attr_id int NOT NULL, prop_val_yr numeric(4) NOT NULL, sup_num int NOT NULL,
  sale_id int NOT NULL, i_attr_val_id int NOT NULL, i_attr_val_cd varchar(75) NOT NULL,
  imprv_attr_val numeric(14), i_attr_unit numeric(10,2), i_attr_up numeric(14,2),
  i_attr_factor numeric(5,2),
  PRIMARY KEY (prop_val_yr, sup_num, sale_id, prop_id, imprv_id, imprv_det_id, imprv_attr_id, i_attr_val_id)
) WITHOUT ROWID;
