SELECT source.prop_id AS prop_id, source.prop_val_yr AS prop_val_yr, source.sup_num AS sup_num, source.market AS market, source.legal_acreage AS legal_acreage, source.appr_method AS appr_method, source.legal_desc AS legal_desc, source.sup_dt AS sup_dt, source.inspected AS inspected, source.changed AS changed, source.flag AS flag, source.ratio AS ratio, source.account AS account, source.owner AS owner 
FROM property_val AS source 
WHERE source.prop_val_yr IN (2025, 2026) AND (EXISTS (SELECT 1 
FROM prop_supp_assoc AS current_supplement 
WHERE current_supplement.owner_tax_yr = source.prop_val_yr AND current_supplement.sup_num = source.sup_num AND current_supplement.prop_id = source.prop_id)) ORDER BY source.prop_val_yr, source.sup_num, source.prop_id
