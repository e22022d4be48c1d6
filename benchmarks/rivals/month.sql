-- November 2026 of 青禾县 (990101) by the list of 陆良, written by hand from the printed list as one script for psql:
-- freeze facts, decide, gate, store, count, open visits. Tables named rival_* stand beside those of the portal.
-- 低保标准 700 元; 老年人 60, 高龄 80 周岁; 失能 from level 2, for visits from level 1; 重残 up to level 2;
-- an assessment counts for 12 months.

BEGIN;
SET LOCAL work_mem = '256MB';
SET LOCAL max_parallel_workers_per_gather = 2;

CREATE TABLE rival_facts (LIKE eldercare_monthlyfacts INCLUDING DEFAULTS);
CREATE TABLE rival_entitlement (LIKE subsidies_entitlement INCLUDING DEFAULTS);
CREATE TABLE rival_count (item_id bigint NOT NULL, area_code varchar(12) NOT NULL, persons integer NOT NULL);

-- Whose facts may differ between the 1st and the 30th.
CREATE TEMP TABLE changed ON COMMIT DROP AS
SELECT elder_id FROM eldercare_circumstance
WHERE lower(valid) BETWEEN '2026-11-02' AND '2026-11-30'
   OR upper(valid) BETWEEN '2026-11-02' AND '2026-11-30'
   OR kind = 'ability_level' AND lower(valid) BETWEEN '2025-11-02' AND '2025-11-30'
UNION
SELECT id FROM eldercare_elder WHERE extract(month FROM birth_date) = 11;
CREATE UNIQUE INDEX ON changed (elder_id);
ANALYZE changed;

-- 期初: circumstances on 1 November, age on 31 October. Holds for 期末 too unless something changed.
INSERT INTO rival_facts (
    month, county_code, rev_from, opening, closing, elder_id, birth_date, sex, age, area_code, hukou_code, residence_code,
    hukou_here, resident_here, death_date, moved_out_date, destitute, self_care, low_income_allowance,
    low_income_marginal, low_income, ability_level, disability_type, disability_level, long_term_care, lives_alone,
    empty_nest, left_behind, family_planning, veteran_category, no_supporter, regular_pension, institution, homeless,
    dementia, pension, pension_in_pay, care_insurance)
SELECT '2026-11-01', '990101000000', 1, true,
       c.death_date IS NULL AND c.moved_out_date IS NULL AND NOT EXISTS (SELECT FROM changed WHERE elder_id = e.id),
       e.id, e.birth_date, e.sex, extract(year FROM age(date '2026-10-31', e.birth_date)),
       CASE WHEN c.hukou LIKE '990101%' THEN c.hukou ELSE coalesce(c.residence, c.hukou) END,
       c.hukou, coalesce(c.residence, c.hukou), coalesce(c.hukou LIKE '990101%', false),
       coalesce(c.residence, c.hukou) LIKE '990101%', c.death_date, c.moved_out_date,
       coalesce(c.destitute, '无'), c.self_care, c.low_income_allowance IS NOT NULL, c.low_income_marginal IS NOT NULL,
       c.low_income IS NOT NULL, c.ability_level::smallint, coalesce(c.disability_type, '无'),
       c.disability_level::smallint, c.long_term_care IS NOT NULL, c.lives_alone IS NOT NULL, c.empty_nest IS NOT NULL,
       c.left_behind IS NOT NULL, coalesce(c.family_planning, '无'), coalesce(c.veteran_category, '无'),
       c.no_supporter IS NOT NULL, c.regular_pension IS NOT NULL, coalesce(c.institution, '无'),
       c.homeless IS NOT NULL, c.dementia IS NOT NULL, coalesce(c.pension, '无'), c.pension_in_pay IS NOT NULL,
       c.care_insurance IS NOT NULL
FROM eldercare_elder e JOIN (
    SELECT elder_id,
           max(value) FILTER (WHERE kind = 'hukou') AS hukou,
           max(value) FILTER (WHERE kind = 'residence') AS residence,
           min(lower(valid)) FILTER (WHERE kind = 'death') AS death_date,
           min(lower(valid)) FILTER (WHERE kind = 'moved_out') AS moved_out_date,
           max(value) FILTER (WHERE kind = 'destitute') AS destitute,
           max(value) FILTER (WHERE kind = 'self_care') AS self_care,
           max(value) FILTER (WHERE kind = 'low_income_allowance') AS low_income_allowance,
           max(value) FILTER (WHERE kind = 'low_income_marginal') AS low_income_marginal,
           max(value) FILTER (WHERE kind = 'low_income') AS low_income,
           max(value) FILTER (WHERE kind = 'ability_level' AND lower(valid) > '2025-11-01') AS ability_level,
           max(value) FILTER (WHERE kind = 'disability_type') AS disability_type,
           max(value) FILTER (WHERE kind = 'disability_level') AS disability_level,
           max(value) FILTER (WHERE kind = 'long_term_care') AS long_term_care,
           max(value) FILTER (WHERE kind = 'lives_alone') AS lives_alone,
           max(value) FILTER (WHERE kind = 'empty_nest') AS empty_nest,
           max(value) FILTER (WHERE kind = 'left_behind') AS left_behind,
           max(value) FILTER (WHERE kind = 'family_planning') AS family_planning,
           max(value) FILTER (WHERE kind = 'veteran_category') AS veteran_category,
           max(value) FILTER (WHERE kind = 'no_supporter') AS no_supporter,
           max(value) FILTER (WHERE kind = 'regular_pension') AS regular_pension,
           max(value) FILTER (WHERE kind = 'institution') AS institution,
           max(value) FILTER (WHERE kind = 'homeless') AS homeless,
           max(value) FILTER (WHERE kind = 'dementia') AS dementia,
           max(value) FILTER (WHERE kind = 'pension') AS pension,
           max(value) FILTER (WHERE kind = 'pension_in_pay') AS pension_in_pay,
           max(value) FILTER (WHERE kind = 'care_insurance') AS care_insurance
    FROM eldercare_circumstance
    WHERE lower(valid) <= '2026-11-01' AND (upper(valid) IS NULL OR upper(valid) > '2026-11-01')
    GROUP BY elder_id
) c ON c.elder_id = e.id
WHERE (c.hukou LIKE '990101%' OR coalesce(c.residence, c.hukou) LIKE '990101%')
  AND (c.death_date IS NULL OR c.death_date >= '2026-11-01')
  AND (c.moved_out_date IS NULL OR c.moved_out_date >= '2026-11-01');

-- 期末: everything on 30 November, for who is still there.
INSERT INTO rival_facts (
    month, county_code, rev_from, opening, closing, elder_id, birth_date, sex, age, area_code, hukou_code, residence_code,
    hukou_here, resident_here, death_date, moved_out_date, destitute, self_care, low_income_allowance,
    low_income_marginal, low_income, ability_level, disability_type, disability_level, long_term_care, lives_alone,
    empty_nest, left_behind, family_planning, veteran_category, no_supporter, regular_pension, institution, homeless,
    dementia, pension, pension_in_pay, care_insurance)
SELECT '2026-11-01', '990101000000', 1, false, true,
       e.id, e.birth_date, e.sex, extract(year FROM age(date '2026-11-30', e.birth_date)),
       CASE WHEN c.hukou LIKE '990101%' THEN c.hukou ELSE coalesce(c.residence, c.hukou) END,
       c.hukou, coalesce(c.residence, c.hukou), coalesce(c.hukou LIKE '990101%', false),
       coalesce(c.residence, c.hukou) LIKE '990101%', NULL, NULL,
       coalesce(c.destitute, '无'), c.self_care, c.low_income_allowance IS NOT NULL, c.low_income_marginal IS NOT NULL,
       c.low_income IS NOT NULL, c.ability_level::smallint, coalesce(c.disability_type, '无'),
       c.disability_level::smallint, c.long_term_care IS NOT NULL, c.lives_alone IS NOT NULL, c.empty_nest IS NOT NULL,
       c.left_behind IS NOT NULL, coalesce(c.family_planning, '无'), coalesce(c.veteran_category, '无'),
       c.no_supporter IS NOT NULL, c.regular_pension IS NOT NULL, coalesce(c.institution, '无'),
       c.homeless IS NOT NULL, c.dementia IS NOT NULL, coalesce(c.pension, '无'), c.pension_in_pay IS NOT NULL,
       c.care_insurance IS NOT NULL
FROM eldercare_elder e JOIN (
    SELECT elder_id,
           max(value) FILTER (WHERE kind = 'hukou') AS hukou,
           max(value) FILTER (WHERE kind = 'residence') AS residence,
           bool_or(kind IN ('death', 'moved_out')) AS gone,
           max(value) FILTER (WHERE kind = 'destitute') AS destitute,
           max(value) FILTER (WHERE kind = 'self_care') AS self_care,
           max(value) FILTER (WHERE kind = 'low_income_allowance') AS low_income_allowance,
           max(value) FILTER (WHERE kind = 'low_income_marginal') AS low_income_marginal,
           max(value) FILTER (WHERE kind = 'low_income') AS low_income,
           max(value) FILTER (WHERE kind = 'ability_level' AND lower(valid) > '2025-11-30') AS ability_level,
           max(value) FILTER (WHERE kind = 'disability_type') AS disability_type,
           max(value) FILTER (WHERE kind = 'disability_level') AS disability_level,
           max(value) FILTER (WHERE kind = 'long_term_care') AS long_term_care,
           max(value) FILTER (WHERE kind = 'lives_alone') AS lives_alone,
           max(value) FILTER (WHERE kind = 'empty_nest') AS empty_nest,
           max(value) FILTER (WHERE kind = 'left_behind') AS left_behind,
           max(value) FILTER (WHERE kind = 'family_planning') AS family_planning,
           max(value) FILTER (WHERE kind = 'veteran_category') AS veteran_category,
           max(value) FILTER (WHERE kind = 'no_supporter') AS no_supporter,
           max(value) FILTER (WHERE kind = 'regular_pension') AS regular_pension,
           max(value) FILTER (WHERE kind = 'institution') AS institution,
           max(value) FILTER (WHERE kind = 'homeless') AS homeless,
           max(value) FILTER (WHERE kind = 'dementia') AS dementia,
           max(value) FILTER (WHERE kind = 'pension') AS pension,
           max(value) FILTER (WHERE kind = 'pension_in_pay') AS pension_in_pay,
           max(value) FILTER (WHERE kind = 'care_insurance') AS care_insurance
    FROM eldercare_circumstance JOIN changed USING (elder_id)
    WHERE lower(valid) <= '2026-11-30' AND (upper(valid) IS NULL OR upper(valid) > '2026-11-30')
    GROUP BY elder_id
) c ON c.elder_id = e.id
WHERE NOT c.gone AND (c.hukou LIKE '990101%' OR coalesce(c.residence, c.hukou) LIKE '990101%');

CREATE INDEX ON rival_facts (elder_id);
ANALYZE rival_facts;

-- What the list is called in the database, and who is enrolled this month.
CREATE TEMP TABLE listed ON COMMIT DROP AS
SELECT i.code, i.id AS item_id, v.id AS version_id, v.application = '申请' AS applied_for
FROM catalog_item i JOIN catalog_document d ON d.id = i.document_id JOIN catalog_itemversion v ON v.item_id = i.id
WHERE d.area_id = '990101000000' AND v.valid @> date '2026-11-30';
CREATE TEMP TABLE enrolled ON COMMIT DROP AS
SELECT elder_id, item_id, bool_or(state <> '暂停') AS receiving, bool_or(state = '暂停') AS suspended
FROM subsidies_enrolment
WHERE first_month <= '2026-11-01' AND (last_month IS NULL OR last_month >= '2026-11-01')
GROUP BY elder_id, item_id;
ANALYZE listed;
ANALYZE enrolled;

-- Decide item by item: a scan each is cheaper than a list of items per elder. 次月 items look at 期初, 当月 items at
-- 期末 and, where that gives nothing, at 期初.
INSERT INTO rival_entitlement (month, county_code, rev_from, elder_id, item_id, item_version_id, area_code, amount, outcome)
SELECT '2026-11-01', '990101000000', 1, d.elder_id, l.item_id, l.version_id, d.area_code, d.amount,
       CASE WHEN n.suspended THEN '暂停'
            WHEN n.receiving OR NOT l.applied_for THEN '应发'
            ELSE '未申请' END
FROM (
    SELECT elder_id, area_code, 'L03a' AS code, 50.00::numeric AS amount FROM rival_facts
    WHERE opening AND hukou_here AND age BETWEEN 80 AND 99
    UNION ALL
    SELECT elder_id, area_code, 'L03b', 300.00 FROM rival_facts
    WHERE opening AND hukou_here AND age >= 100
    UNION ALL
    SELECT elder_id, area_code, 'L16', 1.3 * 700 FROM rival_facts
    WHERE opening AND age >= 60 AND destitute = '分散'
    UNION ALL
    SELECT elder_id, area_code, 'L17', 1.3 * 700 FROM rival_facts
    WHERE opening AND age >= 60 AND destitute = '集中'
    UNION ALL
    SELECT elder_id, area_code, 'L18', NULL FROM rival_facts
    WHERE opening AND age >= 60 AND low_income_allowance
    UNION ALL
    SELECT elder_id, area_code, 'L19', 50.00 FROM rival_facts
    WHERE opening AND age >= 80 AND (low_income_allowance OR destitute = '分散')
    UNION ALL
    SELECT elder_id, area_code, 'L20', NULL FROM rival_facts
    WHERE opening AND age >= 60 AND destitute <> '无' AND ability_level >= 2
    UNION ALL
    SELECT elder_id, area_code, 'L23a', 590.00 FROM rival_facts
    WHERE opening AND age >= 60 AND family_planning = '独生子女死亡'
    UNION ALL
    SELECT elder_id, area_code, 'L23b', 460.00 FROM rival_facts
    WHERE opening AND age >= 60 AND family_planning = '独生子女伤残'
    UNION ALL
    SELECT elder_id, area_code, 'L27', NULL FROM rival_facts
    WHERE opening AND age >= 60 AND institution = '无' AND (lives_alone OR empty_nest OR left_behind OR ability_level >= 1
          OR disability_level <= 2 OR destitute <> '无' OR low_income_allowance OR low_income_marginal
          OR family_planning <> '无')
    UNION ALL
    (SELECT DISTINCT ON (elder_id) elder_id, area_code, 'L15', NULL::numeric FROM rival_facts
     WHERE age >= 60 AND veteran_category <> '无' AND no_supporter AND regular_pension
     ORDER BY elder_id, closing DESC)
    UNION ALL
    (SELECT DISTINCT ON (elder_id) elder_id, area_code, 'L21', CASE disability_level WHEN 1 THEN 100.00 ELSE 90.00 END FROM rival_facts
     WHERE age >= 60 AND destitute = '无' AND disability_level <= 2 AND long_term_care
     ORDER BY elder_id, closing DESC)
    UNION ALL
    (SELECT DISTINCT ON (elder_id) elder_id, area_code, 'L22', 90.00 FROM rival_facts
     WHERE age >= 60 AND destitute = '无' AND disability_level >= 1
           AND (low_income_allowance OR low_income_marginal)
     ORDER BY elder_id, closing DESC)
    UNION ALL
    (SELECT DISTINCT ON (elder_id) elder_id, area_code, 'L26', NULL::numeric FROM rival_facts
     WHERE age >= 60 AND family_planning <> '无'
     ORDER BY elder_id, closing DESC)
    UNION ALL
    (SELECT DISTINCT ON (elder_id) elder_id, area_code, 'L28', NULL::numeric FROM rival_facts
     WHERE age >= 60 AND homeless
     ORDER BY elder_id, closing DESC)
) d
JOIN listed l ON l.code = d.code
LEFT JOIN enrolled n ON n.elder_id = d.elder_id AND n.item_id = l.item_id;

-- 第24项 goes to households: one line for the eldest who is eligible; anyone's enrolment counts for all.
INSERT INTO rival_entitlement (month, county_code, rev_from, elder_id, item_id, item_version_id, area_code, outcome)
SELECT '2026-11-01', '990101000000', 1, h.elder_id, l.item_id, l.version_id, h.area_code,
       CASE WHEN n.suspended THEN '暂停' WHEN n.receiving THEN '应发' ELSE '未申请' END
FROM (
    SELECT DISTINCT ON (e.household_key) e.household_key, f.elder_id, f.area_code
    FROM (
        SELECT DISTINCT ON (elder_id) elder_id, area_code, birth_date
        FROM rival_facts
        WHERE age >= 60 AND (destitute = '分散'
              OR low_income_allowance AND (age >= 80 OR ability_level >= 2 OR disability_level <= 2))
        ORDER BY elder_id, closing DESC
    ) f JOIN eldercare_elder e ON e.id = f.elder_id
    ORDER BY e.household_key, f.birth_date, f.elder_id
) h
JOIN listed l ON l.code = 'L24'
LEFT JOIN (
    SELECT e.household_key, bool_or(receiving) AS receiving, bool_or(suspended) AS suspended
    FROM enrolled JOIN listed USING (item_id) JOIN eldercare_elder e ON e.id = enrolled.elder_id
    WHERE code = 'L24' GROUP BY e.household_key
) n ON n.household_key = h.household_key;

-- The list has no exclusion groups this month: nothing is drawn instead of something else.
CREATE INDEX ON rival_entitlement (elder_id);
CREATE INDEX ON rival_entitlement (item_id, area_code);
ANALYZE rival_entitlement;

-- Persons per village of what everybody of an age has: all of them 当月 items.
INSERT INTO rival_count (item_id, area_code, persons)
SELECT l.item_id, t.area_code, sum(v.persons)
FROM (
    SELECT area_code, count(*) FILTER (WHERE worker) AS worker, count(*) FILTER (WHERE resident) AS resident,
           count(*) FILTER (WHERE sixty) AS sixty, count(*) FILTER (WHERE sixty_five) AS sixty_five,
           count(*) FILTER (WHERE needy) AS needy
    FROM (
        SELECT area_code, pension = '职工' AND pension_in_pay AS worker, pension = '城乡居民' AND pension_in_pay AS resident,
               age >= 60 AS sixty, age >= 65 AS sixty_five,
               age >= 60 AND (lives_alone OR empty_nest OR left_behind OR ability_level >= 1 OR disability_level <= 2
               OR destitute <> '无' OR low_income_allowance OR low_income_marginal OR family_planning <> '无') AS needy
        FROM rival_facts WHERE closing
        UNION ALL
        SELECT o.area_code, o.worker AND c.worker IS NOT TRUE, o.resident AND c.resident IS NOT TRUE,
               o.sixty AND c.sixty IS NOT TRUE, o.sixty_five AND c.sixty_five IS NOT TRUE, o.needy AND c.needy IS NOT TRUE
        FROM (
            SELECT elder_id, area_code, pension = '职工' AND pension_in_pay AS worker,
                   pension = '城乡居民' AND pension_in_pay AS resident, age >= 60 AS sixty, age >= 65 AS sixty_five,
                   age >= 60 AND (lives_alone OR empty_nest OR left_behind OR ability_level >= 1 OR disability_level <= 2
                   OR destitute <> '无' OR low_income_allowance OR low_income_marginal OR family_planning <> '无') AS needy
            FROM rival_facts WHERE NOT closing
        ) o LEFT JOIN (
            SELECT elder_id, pension = '职工' AND pension_in_pay AS worker,
                   pension = '城乡居民' AND pension_in_pay AS resident, age >= 60 AS sixty, age >= 65 AS sixty_five,
                   age >= 60 AND (lives_alone OR empty_nest OR left_behind OR ability_level >= 1 OR disability_level <= 2
                   OR destitute <> '无' OR low_income_allowance OR low_income_marginal OR family_planning <> '无') AS needy
            FROM rival_facts WHERE NOT opening
        ) c ON c.elder_id = o.elder_id
    ) persons
    GROUP BY area_code
) t
CROSS JOIN LATERAL (VALUES ('L01', worker), ('L02', resident), ('L04', sixty), ('L05', sixty), ('L06', sixty),
    ('L07', sixty), ('L08', sixty), ('L09', sixty), ('L10', sixty), ('L11', sixty_five), ('L12', sixty_five),
    ('L13', needy), ('L14', sixty)) AS v (code, persons)
JOIN listed l ON l.code = v.code
WHERE v.persons > 0
GROUP BY l.item_id, t.area_code;

-- 每月探访: one visit each; who dies, moves away or enters an institution before being visited is excused.
INSERT INTO rival_obligation (month, county_code, elder_id, tier_id, area_code, due, done, met, in_institution,
                              exempt_from, exempt_reason)
SELECT '2026-11-01', '990101000000', f.elder_id, tier.id, f.residence_code, 1, (v.day IS NOT NULL)::int,
       v.day IS NOT NULL AND (gone.day IS NULL OR v.day <= gone.day), f.institution <> '无' AND f.institution <> '医院',
       CASE WHEN v.day <= gone.day THEN NULL ELSE gone.day END,
       CASE WHEN gone.day IS NULL OR v.day <= gone.day THEN '' ELSE gone.reason END
FROM rival_facts f
CROSS JOIN (
    SELECT t.id FROM catalog_visittier t JOIN catalog_document d ON d.id = t.document_id
    WHERE d.area_id = '990101000000' AND t.code = 'month' AND t.valid @> date '2026-11-30'
) tier
LEFT JOIN (
    SELECT DISTINCT ON (elder_id) elder_id, greatest(lower(valid), '2026-11-01') AS day,
           CASE kind WHEN 'death' THEN '死亡' WHEN 'moved_out' THEN '迁出' ELSE '入住机构' END AS reason
    FROM eldercare_circumstance
    WHERE lower(valid) <= '2026-11-30' AND (upper(valid) IS NULL OR upper(valid) > '2026-11-01')
      AND (kind IN ('death', 'moved_out')
           OR kind = 'institution' AND value <> '医院' AND (upper(valid) IS NULL OR upper(valid) > '2026-11-02'))
    ORDER BY elder_id, day, array_position('{death,moved_out,institution}', kind::text)
) gone ON gone.elder_id = f.elder_id
LEFT JOIN (
    SELECT elder_id, min((at AT TIME ZONE 'Asia/Shanghai')::date) AS day
    FROM visits_visit v
    WHERE at >= '2026-11-01 00:00+08' AND at < '2026-12-01 00:00+08' AND mode IN ('上门', '电话', '视频')
      AND result IN ('见到本人', '联系到本人')
      AND NOT EXISTS (SELECT FROM visits_visit w WHERE w.corrects_id = v.id)
    GROUP BY elder_id
) v ON v.elder_id = f.elder_id
WHERE f.opening AND f.death_date IS NULL AND f.moved_out_date IS NULL AND age >= 60 AND resident_here
  AND institution IN ('无', '医院')
  AND (lives_alone OR empty_nest OR left_behind OR ability_level >= 1 OR disability_level <= 2 OR destitute <> '无'
       OR low_income_allowance OR low_income_marginal OR family_planning <> '无');

COMMIT;
