-- What happens in a county around November 2026, in fixed shares of the elders, so that both readings of the month differ:
-- deaths, moves, benefits that begin and end, admissions; and enrolments in the items that must be applied for.
-- draw(elder, subject) is a number from 0 to 9999 that stays the same from run to run.
CREATE FUNCTION pg_temp.draw(elder bigint, subject bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN (hashint8extended(elder, subject) & 4611686018427387903) % 10000;

INSERT INTO eldercare_circumstance (elder_id, kind, value, valid, source, document, version)
SELECT e.id, happened.kind, happened.value, daterange(happened.day, NULL), '演示数据', '', 0
FROM eldercare_elder e CROSS JOIN LATERAL (
    SELECT pg_temp.draw(e.id, 1) AS fate, pg_temp.draw(e.id, 2) % 30 AS day
) d CROSS JOIN LATERAL (VALUES
    ('death', '是', date '2026-10-01' + d.day::int, d.fate < 30),
    ('death', '是', date '2026-11-01' + d.day::int, d.fate BETWEEN 30 AND 59),
    ('moved_out', '是', date '2026-11-01' + d.day::int, d.fate BETWEEN 60 AND 69),
    ('lives_alone', '是', date '2026-11-01' + d.day::int, d.fate BETWEEN 70 AND 119),
    ('low_income_allowance', '是', date '2026-11-01' + d.day::int, d.fate BETWEEN 120 AND 149),
    ('institution', '养老机构', date '2026-11-01' + d.day::int, d.fate BETWEEN 150 AND 159),
    ('homeless', '是', date '2026-08-01' + d.day::int, d.fate BETWEEN 160 AND 161)
) AS happened (kind, value, day, happens)
WHERE happened.happens
  AND NOT EXISTS (SELECT FROM eldercare_circumstance c WHERE c.elder_id = e.id AND c.kind = happened.kind);

UPDATE eldercare_circumstance
SET valid = daterange(lower(valid), date '2026-11-02' + (pg_temp.draw(elder_id, 4) % 29)::int)
WHERE kind IN ('low_income_allowance', 'low_income_marginal', 'lives_alone', 'long_term_care', 'institution')
  AND upper_inf(valid) AND lower(valid) < '2026-11-01' AND pg_temp.draw(elder_id, 3) < 100;

INSERT INTO subsidies_enrolment (elder_id, item_id, first_month, last_month, state)
SELECT DISTINCT c.elder_id, i.id, date '2026-09-01', CASE WHEN share BETWEEN 8500 AND 8999 THEN date '2026-10-01' END,
       CASE WHEN share < 8000 THEN '享受中' WHEN share < 8500 THEN '暂停' ELSE '终止' END
FROM eldercare_circumstance c
JOIN (VALUES ('low_income_allowance', 'L18'), ('low_income_allowance', 'L24'), ('destitute', 'L24'),
             ('family_planning', 'L26'), ('regular_pension', 'L15')) AS wanted (kind, code) ON wanted.kind = c.kind
JOIN catalog_item i ON i.code = wanted.code JOIN catalog_document d ON d.id = i.document_id AND d.area_id = '990101000000'
CROSS JOIN LATERAL (SELECT pg_temp.draw(c.elder_id, i.id) AS share) drawn
WHERE share < 9000;
