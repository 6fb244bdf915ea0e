SELECT source."Prop_ID" AS "Prop_ID" 
FROM "PARCEL" AS source ORDER BY source."OBJECTID"
