CREATE TABLE chg_of_owner (
  chg_of_owner_id int NOT NULL, deed_type_cd char(10), deed_num varchar(50),
  deed_book_id char(20), deed_book_page char(20), deed_dt datetime, coo_sl_dt datetime,
  consideration char(20), comment varchar(500), ref_id1 varchar(20),
  grantor_cv varchar(30), grantee_cv varchar(30), recorded_dt datetime,
  excise_number int, override_excise bit NOT NULL DEFAULT 0, PRIMARY KEY (chg_of_owner_id)
) WITHOUT ROWID;

CREATE TABLE sale (
  chg_of_owner_id int NOT NULL, sl_ratio numeric(5,2), sl_financing_cd char(5),
  sl_ratio_type_cd char(5), sl_adj_cd char(5), sl_type_cd char(5), sl_state_cd char(5),
  sl_class_cd char(10), sl_land_type_cd char(10), sl_price numeric(14), sl_dt datetime,
  adjusted_sl_price numeric(14), sl_adj_sl_pct numeric(8,4), sl_adj_sl_amt numeric(14),
  sl_adj_rsn varchar(50), sl_comment varchar(500), sl_yr_blt numeric(4),
  sl_living_area numeric(14), sl_imprv_unit_price numeric(14,2),
  sl_land_sqft numeric(18,2), sl_land_acres numeric(18,4),
  sl_land_unit_price numeric(14,2), sl_qualifier varchar(10), sl_ratio_cd char(5),
  import_dt datetime, sl_sub_class_cd varchar(10), sl_imprv_type_cd varchar(5),
  confidential_sale char(1), frozen_characteristics char(1), num_days_on_market numeric(4),
  land_only_sale bit, sl_ratio_cd_reason varchar(100), continue_current_use bit,
  sl_county_ratio_cd varchar(10), primary_use_cd varchar(10), secondary_use_cd varchar(10),
  listing_price numeric(14), listing_dt datetime, pers_prop_val numeric(14),
  exemption_amount numeric(14), wac_cd varchar(32), PRIMARY KEY (chg_of_owner_id)
) WITHOUT ROWID;

CREATE TABLE chg_of_owner_prop_assoc (
  chg_of_owner_id int NOT NULL, prop_id int NOT NULL, seq_num int NOT NULL DEFAULT 0,
  sup_tax_yr numeric(4) NOT NULL DEFAULT 0, imprv_hstd_val numeric(14),
  imprv_non_hstd_val numeric(14), land_hstd_val numeric(14), land_non_hstd_val numeric(14),
  ag_use_val numeric(14), ag_market numeric(14), ag_loss numeric(14),
  timber_use numeric(14), timber_market numeric(14), timber_loss numeric(14),
  appraised_val numeric(14), assessed_val numeric(14), market numeric(14), bPrimary bit,
  continue_current_use bit, PRIMARY KEY (chg_of_owner_id, prop_id)
) WITHOUT ROWID;

