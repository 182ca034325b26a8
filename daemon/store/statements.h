/* The statement table: X(NAME, SQL). Arguments are ?1 ... in order; columns are read by position
 * beside their use. */
#pragma once

/* Everything of an episode, now and as of a step: the same columns in the same order. */
#define SQL_EPISODE_NOW                                                                            \
        "SELECT e.id, e.rule, ifnull(e.unit, 0), e.subject, e.first, e.opened, e.last, e.length,"  \
        " e.state, e.end_reason, e.severity, e.value, e.previous, e.limit_value, e.delta, "        \
        "e.place,"                                                                                 \
        " e.of_count, e.is_late, e.is_held, e.tell_from, e.step FROM episode e"
/* ?1 is the step */
#define SQL_EPISODE_AS_OF                                                                          \
        "SELECT e.id, e.rule, ifnull(e.unit, 0), e.subject, t.after_first, t.after_opened,"        \
        " t.after_last, t.after_length, t.after_state, t.after_end_reason, t.after_severity,"      \
        " t.after_value, t.after_previous, t.after_limit_value, t.after_delta, t.after_place,"     \
        " t.after_of_count, t.after_is_late, t.after_is_held, t.after_tell_from, t.step"           \
        " FROM episode e CROSS JOIN transition t ON t.id = (SELECT id FROM transition"             \
        " WHERE episode = e.id AND step <= ?1 ORDER BY step DESC, id DESC LIMIT 1)"
#define SQL_MESSAGE_COLUMNS                                                                        \
        "id, target, uuid, state, subject, content_type, created_ms, next_ms, started_ms,"         \
        " settled_ms, released, ifnull(settled, 0), attempts, maybe, open_starts, outcome,"        \
        " response, is_drill"
#define SQL_SNAPSHOT_COLUMNS                                                                       \
        "id, source, scope, period, step, at_ms, state, reason, n_units, n_values, n_bad"
/* Its state at step ?3. What was ended before ended_step was written is ended always. */
#define SQL_STATE_THEN                                                                             \
        "CASE WHEN ended_step <= ?3 OR (state = 3 AND ended_step IS NULL) THEN 3"                  \
        " WHEN known_step <= ?3 THEN 1 ELSE 2 END"
#define SQL_TOLD_COLUMNS                                                                           \
        "episode, said, value, last, severity, ifnull(message, 0), said_ms, gave_up"
/* What was known of (period ?1, indicator ?2) at step ?3 and ended later, of the units from `first`
 * to `last`: found by seeking the steps at which some of the period did. Keys as in store/key.h. */
#define SQL_KNOWN_THEN(first, last)                                                                \
        "FROM change_step c CROSS JOIN known_before v"                                             \
        " ON v.id BETWEEN (((c.id << 12) + ?2) << 18) + " first                                    \
        " AND (((c.id << 12) + ?2) << 18) + " last                                                 \
        " WHERE c.period = ?1 AND c.step > ?3 AND c.step - v.lasted <= ?3"

/* Of a vintage that began at a step: its time, its snapshot, the body ?3 of that. One row, but for a step
 * with several snapshots of the period ?1. */
#define SQL_ORIGIN(began, from)                                                                    \
        ", ifnull(n.known_ms, (SELECT at_ms FROM step WHERE id = " began                           \
        ")), ifnull(n.id, 0),"                                                                     \
        " p.name, p.page, p.hash FROM " from                                                       \
        " LEFT JOIN snapshot n ON n.period = ?1 AND n.known_step = " began                         \
        " LEFT JOIN snapshot_part p ON p.snapshot = n.id AND p.n = ?3"

#define STATEMENTS(X)                                                                              \
        STATEMENTS_STORE(X)                                                                        \
        STATEMENTS_REGISTRY(X)                                                                     \
        STATEMENTS_FETCH(X)                                                                        \
        STATEMENTS_FIGURE(X)                                                                       \
        STATEMENTS_ALERT(X)                                                                        \
        STATEMENTS_OUTBOX(X)                                                                       \
        STATEMENTS_HISTORY(X)

/* clang-format off */

#define STATEMENTS_HISTORY(X) \
X(HISTORY_FIGURES, "SELECT f.from_step, p.at_ms, f.period, f.indicator, f.unit, f.value, f.why FROM (" \
        "SELECT from_step, period, indicator, unit, value, why FROM figure WHERE indicator IN (?1, ?2)" \
        " UNION ALL SELECT from_step, period, indicator, unit, value, why FROM vintage WHERE indicator IN (?1, ?2)" \
        ") f JOIN step p ON p.id = f.from_step ORDER BY 1, 3, 4, 5 LIMIT ?3") \
X(HISTORY_SIGHTS, "SELECT p.at_ms, n.known_step, n.period, n.scope, 0 FROM snapshot n JOIN step p ON p.id = n.known_step" \
        " WHERE n.source = ?1 UNION ALL SELECT at_ms, 0, period, scope, 1 FROM attempt" \
        " WHERE source = ?1 AND outcome IN (2, 3) ORDER BY 1, 5, 2, 3, 4 LIMIT ?2") \
X(HISTORY_UNITS, "SELECT id, step FROM unit ORDER BY id") \
X(HISTORY_BEGIN, "SELECT at_ms FROM step ORDER BY id LIMIT 1")

#define STATEMENTS_STORE(X) \
X(BEGIN, "BEGIN IMMEDIATE") \
X(LOOK, "BEGIN") \
X(COMMIT, "COMMIT") \
X(ROLLBACK, "ROLLBACK") \
X(DATA_VERSION, "PRAGMA data_version") \
X(STEP_ADD, "INSERT INTO step(at_ms, cause, is_backward) VALUES(?1, ?2," \
        " ?1 < ifnull((SELECT at_ms FROM step ORDER BY id DESC LIMIT 1), ?1))") \
X(STEP_AT, "SELECT id FROM step WHERE at_ms <= ?1 ORDER BY at_ms DESC, id DESC LIMIT 1") \
X(STEP_IS_ODD, "SELECT 1 FROM step WHERE is_backward = 1 AND at_ms <= ?1 AND id > ?2 LIMIT 1") \
X(STEP_AT_ODD, "SELECT id FROM step NOT INDEXED WHERE at_ms <= ?1 ORDER BY id DESC LIMIT 1") \
X(STEP_LAST, "SELECT id, at_ms FROM step ORDER BY id DESC LIMIT 1") \
X(STEP_CAUSE, "SELECT cause FROM step WHERE id = ?1") \
X(STEP_MS, "SELECT at_ms FROM step WHERE id = ?1") \
X(META_GET, "SELECT value FROM meta WHERE name = ?1") \
X(META_PUT, "INSERT INTO meta(name, value) VALUES(?1, ?2)" \
        " ON CONFLICT(name) DO UPDATE SET value = excluded.value WHERE value <> excluded.value") \
X(RETAIN_ATTEMPTS, "DELETE FROM attempt WHERE id IN (SELECT id FROM attempt WHERE at_ms < ?1 LIMIT ?2)") \
X(RETAIN_MESSAGES, "UPDATE message SET body = NULL WHERE id IN (SELECT id FROM message" \
        " WHERE body IS NOT NULL AND state IN (3, 4, 5) AND settled_ms < ?1 LIMIT ?2)") \
X(RETAIN_BODIES, "UPDATE body SET packed = NULL WHERE id IN (SELECT id FROM body WHERE packed IS NOT NULL" \
        " AND hash NOT IN (SELECT hash FROM snapshot_part WHERE at_ms >= ?1) LIMIT ?2)")

#define STATEMENTS_REGISTRY(X) \
X(UNITS, "SELECT id, key, kind, ifnull(parent, 0), valid_from, valid_until FROM unit ORDER BY id") \
/* Registered by an import that was undone, at which step, where no person and no other import has named, dated or addressed it since. */ \
X(UNITS_UNDONE, "WITH undone(step, ended) AS (SELECT known_step, ended_step FROM snapshot" \
        " WHERE ended_step > 0 AND known_step > 0)" \
        " SELECT u.id, n.ended FROM undone n CROSS JOIN unit u ON u.step = n.step" \
        " WHERE u.valid_from IS NULL AND u.valid_until IS NULL" \
        " AND NOT EXISTS(SELECT 1 FROM unit_contact WHERE unit = u.id AND (email IS NOT NULL OR webhook IS NOT NULL))" \
        " AND NOT EXISTS(SELECT 1 FROM unit_successor WHERE unit = u.id)" \
        " AND NOT EXISTS(SELECT 1 FROM unit_successor WHERE successor = u.id)" \
        " AND NOT EXISTS(SELECT 1 FROM unit_name WHERE unit = u.id AND step NOT IN (SELECT step FROM undone))" \
        " AND NOT EXISTS(SELECT 1 FROM unit_code WHERE unit = u.id AND step NOT IN (SELECT step FROM undone))" \
        " AND u.id NOT IN (SELECT unit FROM scope WHERE unit IS NOT NULL)" \
        " AND u.id NOT IN (SELECT unit FROM episode WHERE state IN (1, 2) AND state = 2 AND unit IS NOT NULL)" \
        " ORDER BY u.id") \
/* Of the units from ?1 to ?2 those of which a figure stands. */ \
X(UNITS_STANDING, "SELECT f.unit FROM series s CROSS JOIN known f ON f.id BETWEEN (s.id << 18) + ?1 AND (s.id << 18) + ?2" \
        " WHERE f.value <> 'gone'") \
X(UNIT_STEP, "UPDATE unit SET step = ?2 WHERE id = ?1") \
X(UNIT_NAMES, "SELECT unit, name, valid_from, valid_until, is_alias FROM unit_name ORDER BY unit, id") \
X(UNIT_CODES, "SELECT unit, namespace, code, valid_from, valid_until FROM unit_code ORDER BY unit, id") \
X(UNIT_CONTACTS, "SELECT unit, email, webhook FROM unit_contact ORDER BY unit") \
X(UNIT_ADD, "INSERT INTO unit(key, kind, parent, valid_from, valid_until, step) VALUES(?1, ?2, ?3, ?4, ?5, ?6)") \
X(UNIT_END, "UPDATE unit SET valid_until = ?2 WHERE id = ?1") \
X(UNIT_ADOPT, "UPDATE unit SET kind = ?2, parent = ?3 WHERE id = ?1") \
X(UNIT_SET, "UPDATE unit SET kind = ?2, parent = ?3, valid_from = ?4, valid_until = ?5 WHERE id = ?1") \
X(UNIT_NAME_ADD, "INSERT INTO unit_name(unit, name, valid_from, valid_until, is_alias, step)" \
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6)") \
X(UNIT_NAME_END, "UPDATE unit_name SET valid_until = ?2 WHERE unit = ?1 AND is_alias = 0" \
        " AND ifnull(valid_from <= ?2, 1) AND ifnull(valid_until > ?2, 1)") \
X(UNIT_CODE_ADD, "INSERT INTO unit_code(unit, namespace, code, valid_from, valid_until, step)" \
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6)") \
X(UNIT_CODE_END, "UPDATE unit_code SET valid_until = ?4 WHERE unit = ?1 AND namespace = ?2 AND code = ?3" \
        " AND ifnull(valid_from < ?4, 1) AND ifnull(valid_until > ?4, 1)") \
/* What begins or ends with the unit, from the day that it did so on to another one. */ \
X(UNIT_CODES_BEGIN, "UPDATE unit_code SET valid_from = ?3 WHERE unit = ?1 AND valid_from IS ?2") \
X(UNIT_CODES_END, "UPDATE unit_code SET valid_until = ?3 WHERE unit = ?1" \
        " AND (valid_until IS ?2 OR ifnull(valid_until > ?3, 1))") \
X(SUCCESSORS_BEGIN, "UPDATE unit_successor SET from_day = ?3, step = ?4 WHERE unit = ?1 AND from_day = ?2") \
X(UNIT_CONTACT_PUT, "INSERT INTO unit_contact(unit, email, webhook) VALUES(?1, ?2, ?3)" \
        " ON CONFLICT(unit) DO UPDATE SET email = excluded.email, webhook = excluded.webhook") \
X(SUCCESSOR_ADD, "INSERT INTO unit_successor(unit, successor, from_day, step) VALUES(?1, ?2, ?3, ?4)" \
        " ON CONFLICT(unit, successor) DO UPDATE SET from_day = excluded.from_day, step = excluded.step") \
X(SUCCESSORS, "SELECT unit, successor, from_day FROM unit_successor ORDER BY unit, successor") \
X(QUARANTINE_ADD, "INSERT INTO quarantine(source, namespace, code, name, reason, first_step, last_step)" \
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT(namespace, code, name) DO UPDATE SET" \
        " source = excluded.source, reason = excluded.reason, last_step = excluded.last_step, done_step = NULL") \
X(CODE_SEEN, "SELECT EXISTS(SELECT 1 FROM quarantine WHERE namespace = ?1 AND code = ?2)" \
        " OR EXISTS(SELECT 1 FROM unit_code WHERE namespace = ?1 AND code = ?2)") \
X(QUARANTINE_COUNT, "SELECT count(*) FROM quarantine WHERE done_step IS NULL") \
X(QUARANTINE_OPEN, "SELECT count(*) FROM quarantine WHERE source = ?1 AND done_step IS NULL") \
X(QUARANTINE_MATCHED, "UPDATE quarantine SET done_step = ?4 WHERE namespace = ?1 AND code = ?2 AND name = ?3" \
        " AND done_step IS NULL AND ?5 >= ifnull((SELECT max(n.period) FROM snapshot n WHERE n.step = quarantine.last_step" \
        "  AND n.source = quarantine.source), 0)") \
X(QUARANTINE_DONE, "UPDATE quarantine SET done_step = ?4 WHERE namespace = ?1 AND code = ?2" \
        " AND (?3 IS NULL OR name = ?3) AND done_step IS NULL") \
X(QUARANTINE_LIST, "SELECT q.source, q.namespace, q.code, q.name, q.reason, a.at_ms, z.at_ms FROM quarantine q" \
        " JOIN step a ON a.id = q.first_step JOIN step z ON z.id = q.last_step" \
        " WHERE q.done_step IS NULL ORDER BY q.namespace, q.code, q.name") \
X(INDICATOR_GET, "SELECT id, decimals, unit, direction, source FROM indicator WHERE name = ?1") \
X(INDICATOR_ADD, "INSERT INTO indicator(name, label, unit, decimals, direction, source)" \
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6)") \
X(INDICATOR_USED, "SELECT 1 FROM series WHERE indicator = ?1 LIMIT 1") \
X(INDICATOR_SET, "UPDATE indicator SET label = ?2, unit = ?3, decimals = ?4, direction = ?5, source = ?6 WHERE id = ?1") \
X(INDICATOR_LABEL, "UPDATE indicator SET label = ?2 WHERE id = ?1 AND label <> ?2") \
X(SCOPE_GET, "SELECT ifnull(unit, 0) FROM scope WHERE source = ?1 AND scope = ?2") \
X(SCOPE_PUT, "INSERT INTO scope(source, scope, unit) VALUES(?1, ?2, ?3)" \
        " ON CONFLICT(source, scope) DO UPDATE SET unit = excluded.unit WHERE unit IS NOT excluded.unit")

#define STATEMENTS_FETCH(X) \
X(BODY_PUT, "INSERT INTO body(hash, size, packed) VALUES(?1, ?2, ?3)" \
        " ON CONFLICT(hash) DO UPDATE SET packed = excluded.packed WHERE packed IS NULL") \
X(BODY_HAS, "SELECT 1 FROM body WHERE hash = ?1 AND packed IS NOT NULL") \
X(BODY_GET, "SELECT hash, size, packed FROM body WHERE hash = ?1") \
X(BODY_ALL, "SELECT hash, size, packed, id FROM body") \
X(ATTEMPT_ADD, "INSERT INTO attempt(source, scope, period, at_ms, duration_ms, http_status, bytes, outcome," \
        " reason, snapshot) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)") \
X(JOB_PUT, "INSERT INTO job(source, scope, period, at_ms, outcome, reason, good_ms)" \
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(source, period, scope) DO UPDATE SET" \
        " at_ms = excluded.at_ms, outcome = excluded.outcome, reason = excluded.reason," \
        " good_ms = CASE WHEN excluded.good_ms > 0 THEN excluded.good_ms ELSE good_ms END") \
X(ATTEMPT_OUTCOMES, "SELECT outcome FROM attempt WHERE source = ?1 AND scope = ?2 AND period >= ?3" \
        " AND period / 100 % 10 = ?3 / 100 % 10 ORDER BY id DESC LIMIT 1000") \
X(JOB_GET, "SELECT at_ms, outcome, reason, good_ms FROM job WHERE source = ?1 AND scope = ?2 AND period = ?3") \
X(JOB_NEWEST, "SELECT at_ms, outcome, reason, (SELECT max(good_ms) FROM job WHERE source = ?1) FROM job" \
        " WHERE source = ?1 ORDER BY at_ms DESC LIMIT 1") \
X(JOB_SEEN, "SELECT max(good_ms) FROM job WHERE source = ?1 AND period = ?2 AND (?3 IS NULL OR scope = ?3)") \
X(SNAPSHOT_SEEN, "SELECT max(at_ms), min(at_ms) FROM snapshot" \
        " WHERE source = ?1 AND period = ?2 AND scope = ?3 AND state = 1") \
/* Of all scopes: the two ends of the index, not a row for each day and scope. */ \
X(SNAPSHOT_SEEN_ANY, "SELECT (SELECT at_ms FROM snapshot INDEXED BY snapshot_known" \
        " WHERE period = ?2 AND known_step > 0 AND source = ?1 AND state = 1 ORDER BY known_step DESC LIMIT 1)," \
        " (SELECT at_ms FROM snapshot INDEXED BY snapshot_known" \
        " WHERE period = ?2 AND known_step > 0 AND source = ?1 AND state = 1 ORDER BY known_step LIMIT 1)") \
/* As of step ?3. */ \
X(SNAPSHOT_SEEN_THEN, "SELECT at_ms FROM snapshot INDEXED BY snapshot_known" \
        " WHERE period = ?2 AND known_step > 0 AND known_step <= ?3 AND source = ?1" \
        " AND (state = 1 OR ended_step > ?3) ORDER BY known_step DESC LIMIT 1") \
X(ATTEMPT_SEEN_THEN, "SELECT at_ms FROM attempt INDEXED BY attempt_at WHERE at_ms > ?3 AND at_ms <= ?4" \
        " AND source = ?1 AND period = ?2 AND outcome <= 3 AND at_ms + duration_ms <= ?4" \
        " ORDER BY at_ms DESC LIMIT 1") \
X(SNAPSHOT_ADD, "INSERT INTO snapshot(source, scope, period, step, known_step, known_ms, at_ms, state, reason," \
        " n_units, n_values, n_bad) VALUES(?1, ?2, ?3, ?4, ?5, (SELECT at_ms FROM step WHERE id = ?5), ?6, ?7, ?8," \
        " ?9, ?10, ?11)") \
X(SNAPSHOT_PART_ADD, "INSERT INTO snapshot_part(snapshot, n, name, page, hash, http_status, url, etag," \
        " last_modified, at_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)") \
X(SNAPSHOT_PARTS, "SELECT name, page, hash, http_status, url, etag, last_modified, at_ms" \
        " FROM snapshot_part WHERE snapshot = ?1 ORDER BY n") \
/* The first page of the part of that name, else the first body of all. */ \
X(SNAPSHOT_PART_OF, "SELECT n, name, page, hash FROM snapshot_part WHERE snapshot = ?1 ORDER BY name IS NOT ?2, n" \
        " LIMIT 1") \
X(SNAPSHOT_LAST, "SELECT " SQL_SNAPSHOT_COLUMNS " FROM snapshot" \
        " WHERE source = ?1 AND scope = ?2 AND period = ?3 AND (?4 OR state = 1) ORDER BY id DESC LIMIT 1") \
X(SNAPSHOT_UNITS, "SELECT n.n_units FROM snapshot n JOIN step t ON t.id = n.known_step" \
        " WHERE n.source = ?1 AND n.scope = ?2 AND n.period = ?3 AND n.state = 1 AND t.cause <> 2" \
        " ORDER BY n.id DESC LIMIT 1") \
X(SNAPSHOT_GET, "SELECT " SQL_SNAPSHOT_COLUMNS " FROM snapshot WHERE id = ?1") \
/* A file may name units of any scope; of other scopes the newest answer says what all before it could. */ \
X(SNAPSHOTS_STANDING, "SELECT id, cause FROM (SELECT n.id, t.cause, n.scope, n.known_step," \
        " row_number() OVER (PARTITION BY n.scope, t.cause = 2 ORDER BY n.known_step DESC, n.id DESC) AS nth" \
        " FROM snapshot n JOIN step t ON t.id = n.known_step" \
        " WHERE n.source = ?1 AND n.period = ?3 AND n.known_step < ?4" \
        " AND (n.ended_step IS NULL OR n.ended_step > ?4))" \
        " WHERE scope = ?2 OR cause = 2 OR nth = 1 ORDER BY known_step DESC, id DESC") \
X(SNAPSHOT_THEN, "SELECT " SQL_STATE_THEN " FROM snapshot WHERE id = ?1 AND step <= ?3") \
X(SNAPSHOT_LIST, "SELECT id, source, scope, period, step, at_ms," \
        " " SQL_STATE_THEN ", reason, n_units, n_values, n_bad" \
        " FROM snapshot WHERE (?1 IS NULL OR source = ?1) AND (?2 IS NULL OR period = ?2) AND step <= ?3" \
        " ORDER BY id DESC LIMIT ?4 OFFSET ?5") \
X(SNAPSHOT_DECIDE, "UPDATE snapshot SET state = ?2, known_step = CASE WHEN ?2 = 1 THEN ?3 END," \
        " known_ms = CASE WHEN ?2 = 1 THEN (SELECT at_ms FROM step WHERE id = ?3) END," \
        " ended_step = CASE WHEN ?2 = 3 THEN ?3 END" \
        " WHERE id = ?1 AND state = 2") \
X(SNAPSHOT_UNDO, "UPDATE snapshot SET state = 3, ended_step = ?2 WHERE id = ?1 AND state = 1") \
X(SNAPSHOT_SUSPECTS, "SELECT count(*) FROM snapshot WHERE source = ?1 AND scope = ?2 AND period = ?3 AND state = 2" \
        " AND id > ifnull((SELECT max(id) FROM snapshot WHERE source = ?1 AND scope = ?2 AND period = ?3" \
        " AND state = 1), 0) AND at_ms > ifnull((SELECT good_ms FROM job WHERE source = ?1 AND scope = ?2" \
        " AND period = ?3), 0)") \
X(NOTE_ADD, "INSERT INTO note(step, snapshot, period, unit, indicator, kind, text)" \
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)") \
X(NOTES, "SELECT id, step, ifnull(snapshot, 0), period, ifnull(unit, 0), ifnull(indicator, 0), kind, text" \
        " FROM note WHERE ?1 IS NULL OR snapshot = ?1 ORDER BY id DESC LIMIT ?2") \
X(NOTES_COUNT, "SELECT count(*), ifnull(max(n.snapshot), 0) FROM note n WHERE n.snapshot IN" \
        " (SELECT max(id) FROM snapshot WHERE source = ?1 AND state = 1 AND period =" \
        " (SELECT period FROM snapshot WHERE source = ?1 AND state = 1 ORDER BY id DESC LIMIT 1)" \
        " GROUP BY scope)") \
X(POLITE_GET, "SELECT next_ms, failures, refused_days, refused_day, backoff_ms, is_stopped, last" \
        " FROM polite WHERE source = ?1") \
X(POLITE_PUT, "INSERT INTO polite(source, next_ms, failures, refused_days, refused_day, backoff_ms, is_stopped," \
        " last) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(source) DO UPDATE SET" \
        " next_ms = excluded.next_ms, failures = excluded.failures, refused_days = excluded.refused_days," \
        " refused_day = excluded.refused_day, backoff_ms = excluded.backoff_ms," \
        " is_stopped = excluded.is_stopped, last = excluded.last")

#define STATEMENTS_FIGURE(X) \
X(SERIES_GET, "SELECT id FROM series WHERE period = ?1 AND indicator = ?2") \
X(SERIES_ADD, "INSERT INTO series(period, indicator) VALUES(?1, ?2)") \
X(CHANGE_GET, "SELECT id FROM change_step WHERE period = ?1 AND step = ?2") \
X(CHANGE_ADD, "INSERT INTO change_step(period, step) VALUES(?1, ?2)") \
X(FIGURE_ADD, "INSERT INTO known(id, value, from_step) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING") \
X(FIGURE_SET, "UPDATE known SET value = ?2, from_step = ?3 WHERE id = ?1") \
X(VINTAGE_ADD, "INSERT INTO known_before(id, value, lasted) SELECT ?2, value, ?3 - from_step FROM known WHERE id = ?1") \
X(FIGURES_ALL, "SELECT ?3, unit, value FROM known WHERE id BETWEEN ?1 AND ?2 ORDER BY id") \
X(UNITS_BELOW, "SELECT id FROM unit WHERE parent = ?1 OR id = ?1 ORDER BY id") \
X(FIGURE_GET, "SELECT value, from_step FROM known WHERE id = ?1 AND from_step <= ?2") \
X(VINTAGE_GET, "SELECT v.value, c.step - v.lasted " SQL_KNOWN_THEN("?4", "?4") " LIMIT 1") \
X(PANEL_FIGURES, "SELECT unit, value, from_step FROM known WHERE id BETWEEN ?1 AND ?2") \
X(PANEL_VINTAGES, "SELECT v.unit, v.value " SQL_KNOWN_THEN("?4", "?5") " ORDER BY c.step") \
/* Standing from the import known at ?2, from one undone before ?3 (others had said the same), or put back by such an undoing. */ \
X(FIGURES_UNDONE, "SELECT s.indicator, f.unit, f.value, f.id FROM series s" \
        " CROSS JOIN known f ON f.id BETWEEN s.id << 18 AND (s.id << 18) + 262143" \
        " WHERE s.period = ?1 AND (f.from_step = ?2 OR f.from_step IN (SELECT n.ended_step FROM snapshot n" \
        " WHERE n.period = ?1 AND n.known_step > 0 AND n.ended_step < ?3 UNION ALL SELECT n.known_step FROM snapshot n" \
        " WHERE n.period = ?1 AND n.known_step > 0 AND n.ended_step < ?3)) ORDER BY s.indicator, f.unit") \
/* Backwards from the row ?4 of `known`: did ?5 say it, and what was there that no import undone up to ?6 had brought. */ \
X(FIGURE_WITHOUT, "WITH RECURSIVE back(value, began) AS (" \
        "SELECT value, from_step FROM known WHERE id = ?4" \
        " UNION ALL SELECT v.value, c.step - v.lasted FROM back" \
        " CROSS JOIN change_step c ON c.period = ?1 AND c.step = back.began" \
        " CROSS JOIN known_before v ON v.id = (((c.id << 12) + ?2) << 18) + ?3)" \
        " SELECT EXISTS(SELECT 1 FROM back WHERE began = ?5)," \
        " (SELECT value FROM back WHERE NOT EXISTS(SELECT 1 FROM snapshot n WHERE n.period = ?1" \
        " AND n.known_step > 0 AND n.ended_step <= ?6 AND back.began IN (n.known_step, n.ended_step)) LIMIT 1)") \
X(REVISIONS, "SELECT c.period, v.indicator, v.unit, c.step, t.at_ms, t.cause, v.value FROM change_step c" \
        " CROSS JOIN step t ON t.id = c.step" \
        " CROSS JOIN known_before v ON v.id BETWEEN c.id << 30 AND (c.id << 30) + 1073741823" \
        " WHERE c.step <= ?4 AND (?1 IS NULL OR c.period = ?1) AND (?2 IS NULL OR v.indicator = ?2)" \
        " AND (?3 IS NULL OR v.unit = ?3) ORDER BY c.step DESC, c.period, v.id LIMIT ?5 OFFSET ?6") \
X(UNITS_NOW, "SELECT unit FROM known WHERE id BETWEEN ?1 AND ?2 ORDER BY id") \
X(UNITS_OF, "SELECT unit FROM known WHERE id BETWEEN ?4 AND ?5 AND from_step <= ?3" \
        " UNION ALL SELECT v.unit " SQL_KNOWN_THEN("0", "262143") " ORDER BY 1") \
X(PERIOD_BELOW, "SELECT max(period) FROM series WHERE period < ?1") \
X(PERIOD_ABOVE, "SELECT min(period) FROM series WHERE period > ?1") \
X(PERIOD_HAS_SOURCE, "SELECT 1 FROM series s CROSS JOIN indicator i ON i.id = s.indicator" \
        " WHERE s.period = ?1 AND i.source = ?2 LIMIT 1") \
X(SERIES_STANDS, "SELECT 1 FROM known WHERE id BETWEEN ?4 AND ?5 AND from_step <= ?3 AND value <> 'gone'" \
        " UNION ALL SELECT 1 " SQL_KNOWN_THEN("0", "262143") " AND v.value <> 'gone' LIMIT 1") \
/* What stands (its row ?2), and what ended at step ?2. */ \
X(VINTAGE_NOW, "SELECT k.value, k.from_step" SQL_ORIGIN("k.from_step", "known k") " WHERE k.id = ?2") \
X(VINTAGE_ENDED, "SELECT v.value, c.step - v.lasted" SQL_ORIGIN("c.step - v.lasted", \
        "change_step c CROSS JOIN known_before v ON v.id = (((c.id << 12) + ?4) << 18) + ?5") \
        " WHERE c.period = ?1 AND c.step = ?2")

#define STATEMENTS_ALERT(X) \
X(RULE_TEXTS, "SELECT from_period, text, step FROM rule_version WHERE rule = ?1 ORDER BY from_period") \
X(RULE_TEXT_PUT, "INSERT INTO rule_version(rule, from_period, text, step) VALUES(?1, ?2, ?3, ?4)" \
        " ON CONFLICT(rule, from_period) DO UPDATE SET text = excluded.text, step = excluded.step" \
        " WHERE text <> excluded.text") \
X(RULE_RENAME_TEXTS, "UPDATE rule_version SET rule = ?2 WHERE rule = ?1") \
X(RULE_RENAME_EPISODES, "UPDATE episode SET rule = ?2 WHERE rule = ?1") \
X(RULE_RENAME_HOLDS, "UPDATE episode SET subject = 'hold:' || ?2 || substr(subject, 6 + length(?1))" \
        " WHERE substr(subject, 1, 6 + length(?1)) = 'hold:' || ?1 || '/'") \
X(RULE_RENAME_RELEASES, "UPDATE hold_release SET subject = 'hold:' || ?2 || substr(subject, 6 + length(?1))" \
        " WHERE substr(subject, 1, 6 + length(?1)) = 'hold:' || ?1 || '/'") \
X(FIGURES_CHANGED, "SELECT st.at_ms FROM step st WHERE st.id = (SELECT max(f.from_step) FROM indicator i" \
        " CROSS JOIN series s ON s.period = ?2 AND s.indicator = i.id" \
        " CROSS JOIN known f ON f.id BETWEEN s.id << 18 AND (s.id << 18) + 262143 WHERE i.source = ?1)") \
X(EPISODES, SQL_EPISODE_NOW) \
X(EPISODES_LIVE, SQL_EPISODE_NOW " WHERE e.state IN (1, 2)") \
X(EPISODES_OPEN, "SELECT rule, count(*), sum(severity = 2), sum(is_held) FROM episode" \
        " WHERE state IN (1, 2) AND state = 2 AND unit IS NOT NULL GROUP BY rule") \
X(EPISODES_SUBJECTS, SQL_EPISODE_NOW " WHERE e.subject IS NOT NULL") \
X(EPISODES_ID, SQL_EPISODE_NOW " WHERE e.id = ?1") \
X(EPISODES_RULE, SQL_EPISODE_NOW " WHERE e.rule = ?1") \
X(EPISODES_UNITS, SQL_EPISODE_NOW " WHERE e.rule = ?1 AND ifnull(e.unit, 0) BETWEEN ?2 AND ?3") \
X(EPISODES_SUBJECT, SQL_EPISODE_NOW " WHERE e.subject = ?1") \
X(EPISODES_AS_OF, SQL_EPISODE_AS_OF) \
X(EPISODES_AS_OF_ID, SQL_EPISODE_AS_OF " WHERE e.id = ?2") \
X(EPISODES_AS_OF_RULE, SQL_EPISODE_AS_OF " WHERE e.rule = ?2") \
X(EPISODES_AS_OF_UNITS, SQL_EPISODE_AS_OF " WHERE e.rule = ?2 AND ifnull(e.unit, 0) BETWEEN ?3 AND ?4") \
X(EPISODE_ADD, "INSERT INTO episode(rule, unit, subject, first, opened, last, length, state, end_reason, severity," \
        " value, previous, limit_value, delta, place, of_count, is_late, is_held, tell_from, step)" \
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)") \
X(EPISODE_SET, "UPDATE episode SET opened = ?2, last = ?3, length = ?4, end_reason = ?6, severity = ?7, value = ?8," \
        " previous = ?9, limit_value = ?10, delta = ?11, place = ?12, of_count = ?13, is_late = ?14, is_held = ?15," \
        " tell_from = ?16, step = ?17 WHERE id = ?18 AND first = ?1 AND state = ?5") \
X(EPISODE_MOVE, "UPDATE episode SET first = ?1, opened = ?2, last = ?3, length = ?4, state = ?5, end_reason = ?6," \
        " severity = ?7, value = ?8, previous = ?9, limit_value = ?10, delta = ?11, place = ?12, of_count = ?13," \
        " is_late = ?14, is_held = ?15, tell_from = ?16, step = ?17 WHERE id = ?18") \
X(TRANSITION_ADD, "INSERT INTO transition(after_first, after_opened, after_last, after_length, after_state," \
        " after_end_reason, after_severity, after_value, after_previous, after_limit_value, after_delta," \
        " after_place, after_of_count, after_is_late, after_is_held, after_tell_from, step, episode, at_ms, kind," \
        " period, value, previous_value, limit_value, place, of_count, severity, reason) VALUES(?1, ?2, ?3, ?4, ?5," \
        " ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27," \
        " ?28)") \
X(TRANSITIONS, "SELECT id, episode, step, at_ms, kind, period, value, previous_value, limit_value, place, of_count," \
        " severity, reason FROM transition WHERE episode = ?1 ORDER BY id") \
X(HOLD_RELEASED, "SELECT 1 FROM hold_release h WHERE h.subject = ?1 AND NOT EXISTS" \
        " (SELECT 1 FROM episode e WHERE e.subject = ?1 AND e.state > 2 AND e.step > h.step)") \
X(HOLD_RELEASE, "INSERT INTO hold_release(subject, step) VALUES(?1, ?2)" \
        " ON CONFLICT(subject) DO UPDATE SET step = excluded.step") \
X(SILENCES, "SELECT s.id, s.rule, ifnull(s.unit, 0), ifnull(s.parent, 0), s.severity, s.from_ms," \
        " min(s.until_ms, ifnull(e.at_ms, s.until_ms)), s.author, s.note, s.step" \
        " FROM silence s LEFT JOIN silence_end e ON e.silence = s.id" \
        " WHERE s.from_ms <= ?1 AND s.until_ms > ?1 AND (e.at_ms IS NULL OR e.at_ms > ?1) ORDER BY s.id") \
X(SILENCES_ALL, "SELECT s.id, s.rule, ifnull(s.unit, 0), ifnull(s.parent, 0), s.severity, s.from_ms," \
        " min(s.until_ms, ifnull(e.at_ms, s.until_ms)), s.author, s.note, s.step" \
        " FROM silence s LEFT JOIN silence_end e ON e.silence = s.id ORDER BY s.id DESC") \
X(SILENCE_ADD, "INSERT INTO silence(rule, unit, parent, severity, from_ms, until_ms, author, note, step)" \
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)") \
X(SILENCE_END, "INSERT INTO silence_end(silence, step, at_ms) SELECT id, ?2, ?3 FROM silence WHERE id = ?1" \
        " ON CONFLICT DO NOTHING") \
X(ACK_ADD, "INSERT INTO ack(episode, step, author, note, until_ms, severity)" \
        " SELECT id, ?2, ?3, ?4, ?5, severity FROM episode WHERE id = ?1") \
X(ACKS, "SELECT a.episode, a.severity FROM ack a JOIN episode e ON e.id = a.episode" \
        " WHERE e.state IN (1, 2) AND (a.until_ms = 0 OR a.until_ms > ?1)" \
        " AND a.id = (SELECT max(id) FROM ack WHERE episode = a.episode) ORDER BY a.episode") \
X(ACKS_THEN, "SELECT a.episode, a.severity FROM ack a WHERE a.step <= ?2 AND (a.until_ms = 0 OR a.until_ms > ?1)" \
        " AND a.id = (SELECT max(id) FROM ack WHERE episode = a.episode AND step <= ?2) ORDER BY a.episode") \
X(ACK_STORY, "SELECT a.step, s.at_ms, a.until_ms, a.author, a.note FROM ack a JOIN step s ON s.id = a.step" \
        " WHERE a.episode = ?1 AND a.step <= ?2 ORDER BY a.id") \
X(ACK_END, "SELECT ifnull(min(until_ms), 0) FROM ack WHERE until_ms > ?1")

#define STATEMENTS_OUTBOX(X) \
X(TARGETS, "SELECT id, key, recipient, ifnull(unit, 0), channel, address, state, reason, last_release_ms" \
        " FROM target WHERE state <> 3 ORDER BY id") \
X(TARGET_GET, "SELECT id, key, recipient, ifnull(unit, 0), channel, address, state, reason, last_release_ms" \
        " FROM target WHERE id = ?1") \
X(TARGETS_MARKED, "SELECT id, key, recipient, ifnull(unit, 0), channel, address, state, reason, last_release_ms" \
        " FROM target WHERE state IN (1, 2) ORDER BY id") \
X(TARGETS_BUSY, "SELECT id, key, recipient, ifnull(unit, 0), channel, address, state, reason, last_release_ms" \
        " FROM target WHERE id IN (SELECT target FROM message WHERE state IN (1, 2)) ORDER BY id") \
X(TARGET_PUT, "INSERT INTO target(key, recipient, unit, channel, address, state, reason, last_release_ms, step)" \
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT(key) DO UPDATE SET" \
        " recipient = excluded.recipient, unit = excluded.unit, channel = excluded.channel," \
        " address = excluded.address, step = excluded.step," \
        " state = CASE WHEN state = 3 OR address <> excluded.address THEN 0 ELSE state END," \
        " reason = CASE WHEN state = 3 OR address <> excluded.address THEN NULL ELSE reason END" \
        " WHERE state = 3 OR address <> excluded.address OR recipient <> excluded.recipient" \
        " OR channel <> excluded.channel OR unit IS NOT excluded.unit") \
X(TARGET_ID, "SELECT id FROM target WHERE key = ?1") \
X(TARGET_STATE, "UPDATE target SET state = ?2, reason = ?3 WHERE id = ?1") \
X(TARGET_OK, "UPDATE target SET state = 0, reason = NULL WHERE id = ?1 AND state IN (1, 2)") \
X(TARGET_RELEASED, "UPDATE target SET last_release_ms = ?2 WHERE id = ?1") \
X(TARGET_VOID, "UPDATE message SET state = 5, settled = ?2, settled_ms = (SELECT at_ms FROM step WHERE id = ?2)" \
        " WHERE target = ?1 AND state IN (1, 2)") \
X(TOLD_END, "DELETE FROM told WHERE target = ?1") \
X(TOLD_FIGURE_END, "DELETE FROM told_figure WHERE target = ?1") \
X(TOLD, "SELECT " SQL_TOLD_COLUMNS " FROM told WHERE target = ?1 ORDER BY episode") \
X(TOLD_GET, "SELECT " SQL_TOLD_COLUMNS " FROM told WHERE target = ?1 AND episode = ?2") \
X(TOLD_STORY, "SELECT t.key, x.* FROM (" \
        " SELECT ?1 AS episode, i.say, i.value, i.period, i.severity, m.id AS message, m.settled_ms AS at_ms, 0," \
        "  m.target, m.subject, i.n, ifnull(i.corrects, 0) FROM message_item i CROSS JOIN message m ON m.id = i.message WHERE i.episode = ?1" \
        "  AND m.settled <= ?2 AND (m.state = 3 OR (m.state = 4 AND m.maybe > 0)) AND m.is_drill = 0" \
        " UNION ALL SELECT episode, said, value, last, severity, 0, said_ms, 0, target, NULL, 0, 0 FROM told" \
        "  WHERE target IN (SELECT id FROM target) AND episode = ?1 AND message IS NULL AND said <> 0 AND step <= ?2) x" \
        " JOIN target t ON t.id = x.target ORDER BY t.id, x.at_ms, x.message, x.n") \
X(TOLD_PUT, "INSERT INTO told(target, episode, said, value, last, severity, message, said_ms, gave_up, step)" \
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT(target, episode) DO UPDATE SET" \
        " said = excluded.said, value = excluded.value, last = excluded.last, severity = excluded.severity," \
        " message = excluded.message, said_ms = excluded.said_ms, gave_up = excluded.gave_up, step = excluded.step") \
X(TOLD_GAVE_UP_CLEAR, "UPDATE told SET gave_up = 0, step = ?2 WHERE target = ?1 AND gave_up <> 0") \
X(TOLD_FIGURES, "SELECT t.indicator, t.period, t.unit, t.value, ifnull(t.message, 0)," \
        " CASE typeof(f.value) WHEN 'integer' THEN f.value END FROM told_figure t" \
        " LEFT JOIN series s ON s.period = t.period AND s.indicator = t.indicator" \
        " LEFT JOIN known f ON f.id = (s.id << 18) + t.unit" \
        " WHERE t.target = ?1 ORDER BY t.indicator, t.period, t.unit") \
X(TOLD_FIGURE_GET, "SELECT indicator, period, unit, value, ifnull(message, 0) FROM told_figure" \
        " WHERE target = ?1 AND indicator = ?2 AND period = ?3 AND unit = ?4") \
X(TOLD_FIGURE_PUT, "INSERT INTO told_figure(target, indicator, period, unit, value, message, step)" \
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(target, indicator, period, unit) DO UPDATE SET" \
        " value = excluded.value, message = excluded.message, step = excluded.step") \
X(MESSAGE_ADD, "INSERT INTO message(target, uuid, state, subject, content_type, body, created_ms, next_ms," \
        " started_ms, settled_ms, released, attempts, maybe, open_starts, is_drill)" \
        " VALUES(?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, 0, 0, ?8, 0, 0, 0, ?9)") \
X(MESSAGE_REMAKE, "UPDATE message SET subject = ?2, content_type = ?3, body = ?4, remade = ?5" \
        " WHERE id = ?1 AND state = 1 AND maybe = 0") \
X(MESSAGE_ITEM_ADD, "INSERT INTO message_item(message, n, say, episode, indicator, period, unit, value, old_value," \
        " corrects, severity) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)") \
X(TARGET_RECENT, "SELECT count(*), ifnull(min(created_ms), 0) FROM message WHERE target = ?1" \
        " AND created_ms > ?2 AND is_drill = 0") \
X(MESSAGE_OPENING, "SELECT m.uuid FROM message m JOIN message_item i ON i.message = m.id" \
        " WHERE m.target = ?1 AND i.episode = ?2 AND i.say = 1 AND (m.state = 3 OR m.maybe > 0)" \
        " ORDER BY m.id LIMIT 1") \
X(MESSAGE_LETTER, "SELECT 1 FROM message m JOIN message_item i ON i.message = m.id" \
        " WHERE m.target = ?1 AND i.period = ?2 AND i.say = 9 AND m.state <> 5 AND m.retried IS NULL LIMIT 1") \
X(MESSAGE_IS_LETTER, "SELECT 1 FROM message_item WHERE message = ?1 AND say = 9 LIMIT 1") \
X(MESSAGE_ITEMS_END, "DELETE FROM message_item WHERE message = ?1") \
X(MESSAGE_ITEMS, "SELECT say, ifnull(episode, 0), ifnull(indicator, 0), period, ifnull(unit, 0), value, old_value," \
        " ifnull(corrects, 0), severity FROM message_item WHERE message = ?1 ORDER BY n") \
X(MESSAGES_DUE, "SELECT " SQL_MESSAGE_COLUMNS " FROM message WHERE state = 1 AND next_ms <= ?1" \
        " ORDER BY next_ms, id LIMIT ?2") \
X(MESSAGES_DUE_APART, "SELECT " SQL_MESSAGE_COLUMNS " FROM message WHERE state = 1 AND next_ms <= ?1" \
        " AND (SELECT channel FROM target t WHERE t.id = message.target) <> 'email'" \
        " ORDER BY next_ms, id LIMIT ?2") \
X(MESSAGE_GET, "SELECT " SQL_MESSAGE_COLUMNS ", body FROM message WHERE id = ?1") \
X(MESSAGE_HEAD, "SELECT " SQL_MESSAGE_COLUMNS " FROM message WHERE id = ?1") \
X(MESSAGE_MAYBE, "SELECT maybe FROM message WHERE id = ?1") \
X(MESSAGES_STARTED, "SELECT " SQL_MESSAGE_COLUMNS " FROM message WHERE state = 2 ORDER BY id") \
X(MESSAGE_BUSY, "SELECT 1 FROM message WHERE target = ?1 AND state IN (1, 2)") \
X(MESSAGE_NEXT, "SELECT min(next_ms) FROM message WHERE state = 1") \
X(MESSAGE_NEXT_AFTER, "SELECT min(next_ms) FROM message WHERE state = 1 AND next_ms > ?1") \
X(MESSAGE_START, "UPDATE message SET state = 2, attempts = attempts + 1, started_ms = ?2 WHERE id = ?1 AND state = 1") \
X(MESSAGE_SETTLE, "UPDATE message SET state = ?2, next_ms = ?3, maybe = ?4, open_starts = ?5, outcome = ?6," \
        " response = ?7, attempts = ?10, settled = CASE WHEN ?2 > 2 THEN ?8 END, settled_ms = CASE WHEN ?2 > 2 THEN ?9 ELSE 0 END" \
        " WHERE id = ?1 AND state <> 3 AND NOT (state = 5 AND ?2 <= 2)") \
X(MESSAGE_RETRIED, "UPDATE message SET retried = ?2 WHERE id = ?1 AND state = 4") \
X(MESSAGE_TARGET, "SELECT target FROM message WHERE id = ?1") \
X(OUTBOX_COUNTS, "SELECT (SELECT count(*) FROM message WHERE state = 1)," \
        " (SELECT count(*) FROM message WHERE state = 2)," \
        " (SELECT count(*) FROM message m JOIN target t ON t.id = m.target" \
        "  WHERE m.state = 4 AND m.retried IS NULL AND t.state <> 3" \
        "  AND NOT EXISTS (SELECT 1 FROM message n WHERE n.target = m.target AND n.id > m.id AND n.state = 3))") \
X(MESSAGES_LIST, "SELECT id, target, uuid, was, subject, content_type, created_ms, next_ms, started_ms," \
        " CASE WHEN was > 2 THEN settled_ms ELSE 0 END, released, CASE WHEN was > 2 THEN settled ELSE 0 END," \
        " attempts, maybe, open_starts, outcome, response, is_drill" \
        " FROM (SELECT *, CASE WHEN state > 2 AND settled > ?2 THEN 1 ELSE state END AS was" \
        "  FROM message WHERE released <= ?2) WHERE ?1 = 0 OR was = ?1 ORDER BY id DESC LIMIT ?3 OFFSET ?4") \
X(CHANNEL_GET, "SELECT name, paused_ms, probe_ms, reason FROM channel WHERE name = ?1") \
X(CHANNEL_PUT, "INSERT INTO channel(name, paused_ms, probe_ms, reason) VALUES(?1, ?2, ?3, ?4)" \
        " ON CONFLICT(name) DO UPDATE SET paused_ms = excluded.paused_ms, probe_ms = excluded.probe_ms," \
        " reason = excluded.reason") \
X(CHANNEL_END, "DELETE FROM channel WHERE name = ?1") \
X(CHANNELS_PROBE, "UPDATE channel SET probe_ms = ?1 WHERE probe_ms > ?1") \
X(MESSAGES_PROBE, "UPDATE message SET next_ms = ?1 WHERE state = 1 AND next_ms > ?1 AND outcome = ?2") \
X(CHANNELS, "SELECT name, paused_ms, probe_ms, reason FROM channel WHERE paused_ms > 0 ORDER BY name")

/* clang-format on */
