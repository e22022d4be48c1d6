-- One elder in a hundred is found to live alone since 1 September, or no longer to from the middle of November.
MERGE INTO eldercare_circumstance c
USING (
    SELECT id AS elder_id FROM eldercare_elder
    WHERE (hashint8extended(id, %(seed)s) & 4611686018427387903) %% 100 = 0
) found ON c.elder_id = found.elder_id AND c.kind = 'lives_alone'
WHEN MATCHED THEN UPDATE SET valid = daterange(lower(c.valid), CASE WHEN upper_inf(c.valid) THEN greatest(lower(c.valid) + 1, date '2026-11-15') END)
WHEN NOT MATCHED THEN INSERT (elder_id, kind, value, valid, source, document, version)
    VALUES (found.elder_id, 'lives_alone', '是', daterange('2026-09-01', NULL), '演示数据', '', 0);
