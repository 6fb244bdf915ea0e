SELECT source.bldg_permit_id AS bldg_permit_id, source.bldg_permit_val AS bldg_permit_val 
FROM dbo.building_permit AS source ORDER BY source.bldg_permit_id
