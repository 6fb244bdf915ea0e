SELECT source.[Prop_ID] AS [Prop_ID] 
FROM sde.[PARCEL] AS source ORDER BY source.[OBJECTID]
