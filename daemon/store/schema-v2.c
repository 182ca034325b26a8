/* Version 2: figures and vintages at 16 bytes each instead of 22 and 26.
 *
 * A figure is found by (period, indicator, unit), a vintage by (until_step, period, indicator,
 * unit): four integers in every row of which three repeat. They become one: the row's id, made of
 * the row of a small table of what repeats and the unit in the low 18 bits.
 *
 *   known.id        = series << 18 | unit                  series: (period, indicator)
 *   known_before.id = change << 30 | indicator << 18 | unit     change_step: (period, step)
 *
 * series, change, indicator and unit are columns nonetheless (generated, they take no byte), with
 * their foreign keys; `figure` and `vintage` are views with the columns of version 1, so that a
 * WHERE period = ... AND indicator = ... of a person seeks first the pair and then the range of its
 * rows. A value is its scaled integer or the word why there is none; how long a vintage lasted, in
 * steps, is mostly one byte where its first step would be two or three.
 *
 * What each measured, bytes a row on a made year (104 units x 26 indicators, and 3,321 units at one
 * step a day):
 *
 *   version 1: WITHOUT ROWID, plain columns, a column `why`         21.7 22.8 / 25.2 26.2
 *   the same with series, without `why`                             16.8 18.2 / 19.1 20.4
 *   vintage of (change, indicator, unit) WITHOUT ROWID              18.2 19.4
 *   one key, rowid tables                                           see docs/VERIFY.md
 *
 * Half of the last gain is that a rowid table which grows at its end has full pages, where an index
 * tree evens out with its neighbours and stays at 88 %. Larger pages changed nothing. */
#include "store/schema.h"

const char schema_v2[] =
        "CREATE TABLE series("
        " id INTEGER PRIMARY KEY, period INTEGER NOT NULL,"
        " indicator INTEGER NOT NULL REFERENCES indicator, UNIQUE(period, indicator)) STRICT;"
        "INSERT INTO series(period, indicator)"
        " SELECT DISTINCT period, indicator FROM figure ORDER BY period, indicator;"

        "CREATE TABLE known("
        " id INTEGER PRIMARY KEY,"
        " value ANY NOT NULL"
        "  CHECK(typeof(value) = 'integer' OR value IN ('missing', 'empty', 'bad', 'gone')),"
        " from_step INTEGER NOT NULL REFERENCES step,"
        " series INTEGER NOT NULL AS (id >> 18) REFERENCES series,"
        " unit INTEGER NOT NULL AS (id & 262143) REFERENCES unit) STRICT;"
        "INSERT INTO known(id, value, from_step)"
        " SELECT (s.id << 18) + f.unit, ifnull(f.value, CASE f.why"
        "  WHEN 1 THEN 'missing' WHEN 2 THEN 'empty' WHEN 3 THEN 'bad' ELSE 'gone' END), "
        "f.from_step"
        " FROM series s CROSS JOIN figure f ON f.period = s.period AND f.indicator = s.indicator"
        " ORDER BY s.id, f.unit;"

        "CREATE TABLE change_step_v2(" /* the steps at which vintages of a period ended */
        " id INTEGER PRIMARY KEY, period INTEGER NOT NULL,"
        " step INTEGER NOT NULL REFERENCES step, UNIQUE(period, step)) STRICT;"
        "INSERT INTO change_step_v2(period, step)"
        " SELECT period, step FROM change_step ORDER BY step, period;"
        "DROP TABLE change_step;"
        "ALTER TABLE change_step_v2 RENAME TO change_step;"
        "CREATE UNIQUE INDEX change_step_at ON change_step(step DESC, period);"

        /* Its references held when the row was a figure's; asking again cost an eighth of a revision. */
        "CREATE TABLE known_before("
        " id INTEGER PRIMARY KEY, value ANY NOT NULL,"
        " lasted INTEGER NOT NULL," /* steps: from_step is the step of its change less these */
        " change INTEGER NOT NULL AS (id >> 30),"
        " indicator INTEGER NOT NULL AS (id >> 18 & 4095),"
        " unit INTEGER NOT NULL AS (id & 262143)) STRICT;"
        "INSERT INTO known_before(id, value, lasted)"
        " SELECT (c.id << 30) + (v.indicator << 18) + v.unit, ifnull(v.value, CASE v.why"
        "  WHEN 1 THEN 'missing' WHEN 2 THEN 'empty' WHEN 3 THEN 'bad' ELSE 'gone' END),"
        " v.until_step - v.from_step"
        " FROM change_step c CROSS JOIN vintage v ON v.until_step = c.step AND v.period = c.period"
        " ORDER BY c.id, v.indicator, v.unit;"
        "CREATE TRIGGER known_before_fixed BEFORE UPDATE ON known_before"
        " BEGIN SELECT RAISE(ABORT, 'vintages are append-only'); END;"
        "CREATE TRIGGER known_before_kept BEFORE DELETE ON known_before"
        " BEGIN SELECT RAISE(ABORT, 'vintages are append-only'); END;"

        "DROP TABLE figure;"
        "DROP TABLE vintage;"
        "CREATE VIEW figure AS"
        " SELECT s.period, s.indicator, k.unit,"
        " CASE typeof(k.value) WHEN 'integer' THEN k.value END AS value,"
        " CASE k.value WHEN 'missing' THEN 1 WHEN 'empty' THEN 2 WHEN 'bad' THEN 3 WHEN 'gone' "
        "THEN 4"
        "  ELSE 0 END AS why, k.from_step"
        " FROM series s CROSS JOIN known k ON k.id BETWEEN s.id << 18 AND (s.id << 18) + 262143;"
        /* The indicator is joined, so that a WHERE on it seeks within each change. */
        "CREATE VIEW vintage AS"
        " SELECT c.step AS until_step, c.period, i.id AS indicator, k.unit,"
        " CASE typeof(k.value) WHEN 'integer' THEN k.value END AS value,"
        " CASE k.value WHEN 'missing' THEN 1 WHEN 'empty' THEN 2 WHEN 'bad' THEN 3 WHEN 'gone' "
        "THEN 4"
        "  ELSE 0 END AS why, c.step - k.lasted AS from_step"
        " FROM change_step c CROSS JOIN indicator i CROSS JOIN known_before k"
        " ON k.id BETWEEN (c.id << 30) + (i.id << 18) AND (c.id << 30) + (i.id << 18) + 262143;"
        /* when a snapshot was rejected or an import undone: states as of a step */
        "ALTER TABLE snapshot ADD COLUMN ended_step INTEGER REFERENCES step;"
        "PRAGMA user_version = 2;";
