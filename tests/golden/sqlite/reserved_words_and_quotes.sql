SELECT source."Row" AS "Row", source.year AS year, source."group" AS "group" 
FROM dor_report_stratification AS source 
WHERE source.year IN (2025, 2026) AND rtrim(source."group") = 'O''Neil; DROP TABLE property --' ORDER BY source.year, source."Row"
