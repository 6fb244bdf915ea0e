SELECT source.prop_id AS prop_id, source.imprv_det_area AS imprv_det_area 
FROM imprv_detail AS source 
WHERE source.sale_id = 0 AND rtrim(source.imprv_det_type_cd) = 'MA' ORDER BY source.prop_id
