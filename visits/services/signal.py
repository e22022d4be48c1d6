"""Looking for what seems padded (docs/guide/16): a signal makes a call back likelier and refuses nothing.

Signals follow from the records that stand, whatever came in first: those of a recorder's month, and of the records
that share a photo, are found anew whenever one of them comes in, is corrected or is returned.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db import connection

from catalog.choices import VisitMode
from visits.choices import SignalKind
from visits.counting import ZONE
from visits.distance import metres_sql
from visits.phone_record import CLOCK_SECONDS
from visits.standing import standing

#: Two homes further apart than this (metres) within this time (seconds) are too far for one person.
FAR: Final = 1_000
SOON: Final = 300
#: As many records of a month with the same words, spaces and punctuation aside; shorter notes say too little.
ALIKE: Final = 10
LEAST_LETTERS: Final = 5
#: At least so many records of a month on its last day, and more than half of the month's.
CROWD: Final = 10
PUNCTUATION: Final = r"[\s[:punct:]，。、；：！？（）“”‘’…—]+"


def signals_find(*, visit_ids: Sequence[UUID]) -> None:
    """Bring the signals in line for the months of these visits' recorders and for visits that share their photos.

    Runs in the caller's transaction; who records or photographs the same at the same time is waited for. Only
    records with a recorder are compared with one another; one recorder's records for another visitor (papers
    keyed in) stand apart.
    """
    given = {"ids": list(visit_ids)}
    with connection.cursor() as cursor:
        cursor.execute(LOCK, given)
        cursor.execute(FIND, given)


#: The given visits, those that they correct and other corrections of these.
TOUCHED: Final = """
    touched AS MATERIALIZED (
        SELECT v.id, v.recorder_id, v.at FROM visits_visit v WHERE v.id = ANY (%(ids)s)
        UNION
        SELECT old.id, old.recorder_id, old.at
        FROM visits_visit old JOIN visits_visit v ON v.corrects_id = old.id WHERE v.id = ANY (%(ids)s)
        UNION
        SELECT other.id, other.recorder_id, other.at
        FROM visits_visit other JOIN visits_visit v USING (corrects_id) WHERE v.id = ANY (%(ids)s)
    )"""

LOCK: Final = f"""
    WITH {TOUCHED}
    SELECT pg_advisory_xact_lock(hashtext('visits_signal'), key)
    FROM (
        SELECT hashtext('recorder ' || recorder_id) AS key FROM touched WHERE recorder_id IS NOT NULL
        UNION
        SELECT hashtext('photo ' || p.fingerprint)
        FROM touched JOIN visits_visitphoto p ON p.visit_id = touched.id
        ORDER BY key
    ) keys"""

FIND: Final = f"""
    WITH {TOUCHED},
    -- a month also of a visit within five minutes of its edge: the home before it may lie across midnight
    months AS (
        SELECT DISTINCT recorder_id, date_trunc('month', (at + near) AT TIME ZONE '{ZONE}') AS month
        FROM touched, unnest(ARRAY[interval '-{SOON} s', interval '0', interval '{SOON} s']) AS near
        WHERE recorder_id IS NOT NULL
    ), own AS MATERIALIZED (
        SELECT v.id, v.elder_id, v.recorder_id, v.visitor, v.at, v.mode, v.latitude, v.longitude, v.accuracy,
               v.clock_offset, months.month, (v.at AT TIME ZONE '{ZONE}')::date AS day,
               regexp_replace(v.note, '{PUNCTUATION}', '', 'g') AS words, {standing("v")} AS stands
        FROM months JOIN visits_visit v ON v.recorder_id = months.recorder_id
            AND v.at >= months.month AT TIME ZONE '{ZONE}'
            AND v.at < (months.month + interval '1 month') AT TIME ZONE '{ZONE}'
    ), counted AS (
        SELECT own.*,
               count(*) OVER (PARTITION BY recorder_id, visitor, month, words) AS alike,
               count(*) OVER (PARTITION BY recorder_id, visitor, month) AS whole,
               count(*) FILTER (WHERE day = (month + interval '1 month')::date - 1)
                   OVER (PARTITION BY recorder_id, visitor, month) AS on_last_day
        FROM own WHERE stands
    ), shared AS MATERIALIZED (
        SELECT v.id, v.elder_id, (v.at AT TIME ZONE '{ZONE}')::date AS day, p.fingerprint, {standing("v")} AS stands
        FROM visits_visitphoto p JOIN visits_visit v ON v.id = p.visit_id
        WHERE p.fingerprint IN (
            SELECT q.fingerprint FROM visits_visitphoto q JOIN touched ON touched.id = q.visit_id)
    ), affected AS (
        SELECT id, kind FROM own, unnest(ARRAY['{SignalKind.FAR_APART}', '{SignalKind.SAME_TEXT}',
            '{SignalKind.LAST_DAY}', '{SignalKind.MOCK_PLACE}', '{SignalKind.CLOCK}']) AS kind
        UNION SELECT id, '{SignalKind.SAME_PHOTO}' FROM shared
        UNION SELECT id, '{SignalKind.SAME_PHOTO}' FROM touched
    ), found AS (
        (SELECT DISTINCT ON (one.id) one.id, '{SignalKind.FAR_APART}' AS kind,
                format('%%s 分 %%s 秒内与另一户相距 %%s 公里',
                       trunc(abs(extract(epoch FROM other.at - one.at)) / 60),
                       trunc(abs(extract(epoch FROM other.at - one.at)))::int %% 60,
                       to_char(floor(far.metres / 100) / 10, 'FM999990.0')) AS detail
         FROM counted one
         JOIN visits_visit other ON other.recorder_id = one.recorder_id AND other.visitor = one.visitor
             AND other.at BETWEEN one.at - interval '{SOON} s' AND one.at + interval '{SOON} s'
             AND other.elder_id <> one.elder_id AND other.mode = '{VisitMode.HOME}'
             AND other.latitude IS NOT NULL AND other.longitude IS NOT NULL AND {standing("other")}
         CROSS JOIN LATERAL (SELECT {metres_sql("one", "other")} AS metres) far
         WHERE one.mode = '{VisitMode.HOME}' AND one.latitude IS NOT NULL AND one.longitude IS NOT NULL
             AND far.metres > {FAR}
         ORDER BY one.id, abs(extract(epoch FROM other.at - one.at)), other.id)
        UNION ALL
        SELECT one.id, '{SignalKind.SAME_PHOTO}', format('与另外 %%s 条记录的照片相同', count(DISTINCT other.id))
        FROM shared one JOIN shared other ON other.fingerprint = one.fingerprint AND other.stands
            AND (other.elder_id, other.day) <> (one.elder_id, one.day)
        WHERE one.stands GROUP BY one.id
        UNION ALL
        SELECT id, '{SignalKind.SAME_TEXT}', format('本月有 %%s 条备注相同', alike)
        FROM counted WHERE alike >= {ALIKE} AND length(words) >= {LEAST_LETTERS}
        UNION ALL
        SELECT id, '{SignalKind.LAST_DAY}', format('本月 %%s 条中有 %%s 条在最后一天', whole, on_last_day)
        FROM counted
        WHERE day = (month + interval '1 month')::date - 1 AND on_last_day >= {CROWD} AND on_last_day * 2 > whole
        UNION ALL
        SELECT id, '{SignalKind.MOCK_PLACE}', '手机报告的定位精度为 0 米' FROM counted WHERE accuracy = 0
        UNION ALL
        SELECT id, '{SignalKind.CLOCK}', format('手机时钟%%s约 %%s 分钟',
            CASE WHEN clock_offset > 0 THEN '慢' ELSE '快' END, abs(clock_offset) / 60)
        FROM counted WHERE abs(clock_offset) > {CLOCK_SECONDS}
    ), gone AS (
        DELETE FROM visits_signal s USING affected a
        WHERE s.visit_id = a.id AND s.kind = a.kind
            AND NOT EXISTS (SELECT FROM found f WHERE f.id = s.visit_id AND f.kind = s.kind)
    )
    INSERT INTO visits_signal (visit_id, kind, detail, found_at)
    SELECT id, kind, detail, now() FROM found
    ON CONFLICT (visit_id, kind) DO UPDATE SET detail = excluded.detail
    WHERE visits_signal.detail <> excluded.detail"""
