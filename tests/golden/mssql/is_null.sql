SELECT source.prop_id AS prop_id 
FROM dbo.property_val AS source 
WHERE source.prop_val_yr IN (2025, 2026) AND source.prop_inactive_dt IS NULL ORDER BY source.prop_id
