/* The registry in memory and the road from a published row to its unit.
 *
 * Four tables find things: keys, (namespace, code), code alone, bare name. They hold positions and
 * never forget: a code or name that ended stays findable and is judged by its interval at each
 * look-up, which is what makes one registry answer for every day. Units only come, at the end and
 * with growing ids, so positions stay true; pointers do not.
 *
 * A row belongs to a unit when its code says so and its name does not contradict. A code alone is
 * not believed: the 2025 reform gave 2,162 codes to other territory, and figures of one commune
 * under the name of another are the worst fault this program can have. */
#include <errno.h>

#include "base/arena.h"
#include "base/text.h"
#include "core/hashindex.h"
#include "core/unit-name.h"
#include "core/unit.h"

#define LIST_MAX 5u /* candidates named in a message */

/* Texts and lists of names and codes of all units: made once and dropped together, with no memory of
 * its own for each. */
typedef struct Index {
        HashIndex keys, codes, bare_codes, names;
        Arena *arena;
} Index;

static bool holds(Day from, Day until, Day day) {
        return from <= day && day < until;
}

static uint64_t code_hash(const char *namespace_, const char *code) {
        return hash_text(hash_text(HASH_SEED, namespace_), code);
}

/* ---- building ----------------------------------------------------------------------------------
 */

void unit_registry_done(UnitRegistry *r) {
        free(r->units);
        Index *index = r->index;
        if (index) {
                hash_index_done(&index->keys);
                hash_index_done(&index->codes);
                hash_index_done(&index->bare_codes);
                hash_index_done(&index->names);
                arena_free(index->arena);
        }
        free(index);
        *r = (UnitRegistry){0};
}

static int index_ready(UnitRegistry *r) {
        Index *index = r->index ? r->index : calloc(1, sizeof *index);
        r->index = index;
        if (index && !index->arena)
                index->arena = arena_new();
        return index && index->arena ? 0 : -ENOMEM;
}

/* A copy that lives as long as the registry. Kinds and namespaces are few: the neighbour's is the same. */
static char *keep(const UnitRegistry *r, const char *text, char *neighbour) {
        const Index *index = r->index;
        return neighbour && streq(neighbour, text) ? neighbour
                                                   : arena_dup(index->arena, text, strlen(text));
}

static Unit *find_key(const UnitRegistry *r, const char *key) {
        const Index *index = r->index;
        const HashSlot *slot;
        size_t cursor = 0;
        while (index && (slot = hash_index_next(&index->keys, hash_text(HASH_SEED, key), &cursor)))
                if (streq(r->units[slot->a].key, key))
                        return &r->units[slot->a];
        return NULL;
}

int unit_add(UnitRegistry *r, UnitId id, const char *key, const char *kind, UnitId parent, Day from,
             Day until, Unit **ret) {
        if (id == 0 || (r->n > 0 && id <= r->units[r->n - 1].id))
                return -EINVAL;
        if (find_key(r, key))
                return -EEXIST;
        int e = index_ready(r);
        if (e == 0)
                e = ARRAY_GROW(r->units, r->cap, r->n + 1);
        if (e < 0)
                return e;
        Index *index = r->index;
        char *key_copy = keep(r, key, NULL);
        char *kind_copy = keep(r, kind, r->n > 0 ? r->units[r->n - 1].kind : NULL);
        if (!key_copy || !kind_copy)
                return -ENOMEM;
        e = hash_index_add(&index->keys, hash_text(HASH_SEED, key), (uint32_t) r->n, 0);
        if (e < 0)
                return e;
        Unit *u = &r->units[r->n++];
        *u = (Unit){.id = id,
                    .key = key_copy,
                    .kind = kind_copy,
                    .parent = parent,
                    .from = from,
                    .until = until};
        if (ret)
                *ret = u;
        return 0;
}

Unit *unit_get(const UnitRegistry *r, UnitId id) {
        /* Ids count up; only a database that was mended by hand has gaps. */
        if (id > 0 && id <= r->n && r->units[id - 1].id == id)
                return &r->units[id - 1];
        size_t lo = 0, hi = r->n;
        while (lo < hi) {
                size_t middle = lo + (hi - lo) / 2;
                if (r->units[middle].id == id)
                        return &r->units[middle];
                if (r->units[middle].id < id)
                        lo = middle + 1;
                else
                        hi = middle;
        }
        return NULL;
}

/* Nearly every unit has one name and one code for ever: a list is made anew when it grows. */
static int grow_by_one(const UnitRegistry *r, void *array_pp, size_t n, size_t size) {
        const Index *index = r->index;
        const void *old;
        memcpy(&old, array_pp, sizeof old);
        char *grown = arena_alloc(index->arena, n + 1, size);
        if (!grown)
                return -ENOMEM;
        if (n > 0)
                memcpy(grown, old, n * size);
        memcpy(array_pp, &grown, sizeof grown);
        return 0;
}
#define GROW_BY_ONE(r, array, n) grow_by_one((r), &(array), (n), sizeof((array)[0]))

int unit_add_name(UnitRegistry *r, UnitId id, const char *name, Day from, Day until,
                  bool is_alias) {
        Unit *u = unit_get(r, id);
        CLEANUP_FREE char *clean = NULL, *bare = NULL;
        const TypeWord *word;
        if (!u)
                return -ENOENT;
        int e = text_clean(name, strlen(name), &clean);
        if (e == 0)
                e = unit_name_parse(name, &bare, &word);
        if (e != 0)
                return e;
        UnitName added = {.name = keep(r, clean, NULL),
                          .bare = keep(r, bare, NULL),
                          .from = from,
                          .until = until,
                          .is_alias = is_alias};
        e = added.name && added.bare ? GROW_BY_ONE(r, u->names, u->n_names) : -ENOMEM;
        if (e < 0)
                return e;
        Index *index = r->index;
        e = hash_index_add(&index->names, hash_text(HASH_SEED, bare), (uint32_t) (u - r->units),
                           (uint32_t) u->n_names);
        if (e < 0)
                return e;
        u->names[u->n_names++] = added;
        return 0;
}

int unit_add_code(UnitRegistry *r, UnitId id, const char *namespace_, const char *code, Day from,
                  Day until) {
        Unit *u = unit_get(r, id);
        if (!u)
                return -ENOENT;
        const Unit *before = u > r->units ? u - 1 : u;
        UnitCode added = {.namespace_ = keep(r, namespace_,
                                             before->n_codes ? before->codes[0].namespace_ : NULL),
                          .code = keep(r, code, NULL),
                          .from = from,
                          .until = until};
        int e = added.namespace_ && added.code ? GROW_BY_ONE(r, u->codes, u->n_codes) : -ENOMEM;
        if (e < 0)
                return e;
        /* The place is written before it can be found, and counted only when both tables have it.
         */
        Index *index = r->index;
        uint32_t place = (uint32_t) (u - r->units), which = (uint32_t) u->n_codes;
        e = hash_index_add(&index->codes, code_hash(namespace_, code), place, which);
        if (e == 0)
                e = hash_index_add(&index->bare_codes, hash_text(HASH_SEED, code), place, which);
        if (e < 0)
                return e;
        u->codes[u->n_codes++] = added;
        return 0;
}

int unit_add_contact(UnitRegistry *r, UnitId id, const char *email, const char *webhook) {
        Unit *u = unit_get(r, id);
        if (!u)
                return -ENOENT;
        char *email_copy = email ? keep(r, email, NULL) : NULL;
        char *webhook_copy = webhook ? keep(r, webhook, NULL) : NULL;
        if ((email && !email_copy) || (webhook && !webhook_copy))
                return -ENOMEM;
        if (email) {
                int e = GROW_BY_ONE(r, u->emails, u->n_emails);
                if (e < 0)
                        return e;
                u->emails[u->n_emails++] = email_copy;
        }
        if (webhook)
                u->webhook = webhook_copy;
        return 0;
}

/* ---- what is shown --------------------------------------------------------------------------- */

static const char *name_of(const Unit *u, Day day) {
        const UnitName *best = NULL;
        for (size_t i = 0; i < u->n_names; i++) {
                const UnitName *name = &u->names[i];
                if (!name->is_alias && holds(name->from, name->until, day) &&
                    (!best || name->from > best->from))
                        best = name;
        }
        return best ? best->name : "";
}

const char *unit_name_on(const UnitRegistry *r, UnitId id, Day day) {
        const Unit *u = unit_get(r, id);
        return u ? name_of(u, day) : "";
}

const char *unit_code_on(const UnitRegistry *r, UnitId id, Day day) {
        const Unit *u = unit_get(r, id);
        if (!u)
                return "";
        for (size_t i = 0; i < u->n_codes; i++)
                if (holds(u->codes[i].from, u->codes[i].until, day))
                        return u->codes[i].code;
        return u->key;
}

/* ---- candidates ------------------------------------------------------------------------------ */

/* Distinct units, the first few of them remembered for the message. */
typedef struct Hits {
        const Unit *unit[LIST_MAX];
        size_t n;
} Hits;

static void hits_add(Hits *h, const Unit *u) {
        for (size_t i = 0; i < MIN(h->n, (size_t) LIST_MAX); i++)
                if (h->unit[i] == u)
                        return;
        if (h->n < LIST_MAX)
                h->unit[h->n] = u;
        h->n++;
}

/* "H31.07 UBND xã Hưng Đạo, H44.100 ..."; "" when memory runs out: the message is poorer then,
 * nothing else. */
static const char *hits_text(const Hits *h, Day day, Buf *text) {
        for (size_t i = 0; i < MIN(h->n, (size_t) LIST_MAX); i++) {
                const Unit *u = h->unit[i];
                if (buf_printf(text, "%s%s %s", i ? ", " : "", u->key, name_of(u, day)) < 0)
                        break;
        }
        if (h->n > LIST_MAX)
                (void) buf_str(text, ", ...");
        return buf_text(text);
}

static void find_code(const UnitRegistry *r, const char *namespace_, const char *code, Day day,
                      Hits *hits) {
        const Index *index = r->index;
        if (!index)
                return;
        const HashIndex *table = namespace_ ? &index->codes : &index->bare_codes;
        uint64_t hash = namespace_ ? code_hash(namespace_, code) : hash_text(HASH_SEED, code);
        const HashSlot *slot;
        size_t cursor = 0;
        while ((slot = hash_index_next(table, hash, &cursor))) {
                const Unit *u = &r->units[slot->a];
                if (slot->b >= u->n_codes || !holds(u->from, u->until, day))
                        continue;
                const UnitCode *c = &u->codes[slot->b];
                if (holds(c->from, c->until, day) && streq(c->code, code) &&
                    (!namespace_ || streq(c->namespace_, namespace_)))
                        hits_add(hits, u);
        }
}

/* What a name must meet besides being called so. */
typedef struct NameQuery {
        const char *bare;
        const char *kind; /* "" = any */
        const char *word; /* type word, NULL = any */
        UnitId parent;
        bool is_any_parent;
        bool wants_alias, wants_own;
        Day day;
} NameQuery;

static bool has_word(const char *name, const char *word) {
        CLEANUP_FREE char *bare = NULL;
        const TypeWord *found;
        return unit_name_parse(name, &bare, &found) == 0 && found && streq(found->word, word);
}

static void find_name(const UnitRegistry *r, const NameQuery *q, Hits *hits) {
        const Index *index = r->index;
        const HashSlot *slot;
        size_t cursor = 0;
        while (index &&
               (slot = hash_index_next(&index->names, hash_text(HASH_SEED, q->bare), &cursor))) {
                const Unit *u = &r->units[slot->a];
                if (slot->b >= u->n_names || !holds(u->from, u->until, q->day) ||
                    !unit_counts(u, 0))
                        continue;
                const UnitName *name = &u->names[slot->b];
                bool is_wanted = name->is_alias ? q->wants_alias : q->wants_own;
                if (is_wanted && holds(name->from, name->until, q->day) &&
                    streq(name->bare, q->bare) && (!*q->kind || streq(u->kind, q->kind)) &&
                    (q->is_any_parent || u->parent == q->parent) &&
                    (!q->word || has_word(name->name, q->word)))
                        hits_add(hits, u);
        }
}

/* ---- suggestions ----------------------------------------------------------------------------- */

/* Units whose name differs in diacritics and case only: shown to a person, never used. */
static void find_similar(const UnitRegistry *r, const NameQuery *q, Hits *hits) {
        CLEANUP_FREE char *wanted = NULL;
        if (text_fold(q->bare, &wanted) < 0)
                return;
        for (size_t i = 0; i < r->n && hits->n < LIST_MAX; i++) {
                const Unit *u = &r->units[i];
                if (!holds(u->from, u->until, q->day) || !unit_counts(u, 0) ||
                    (!q->is_any_parent && u->parent != q->parent))
                        continue;
                for (size_t j = 0; j < u->n_names; j++) {
                        CLEANUP_FREE char *folded = NULL;
                        if (holds(u->names[j].from, u->names[j].until, q->day) &&
                            text_fold(u->names[j].bare, &folded) == 0 && streq(folded, wanted))
                                hits_add(hits, u);
                }
        }
}

/* ---- rows ------------------------------------------------------------------------------------ */

typedef struct Row {
        const UnitRegistry *r;
        const char *namespace_, *code, *name;
        NameQuery query;      /* by name within (parent, kind) */
        const TypeWord *word; /* of the published name, or NULL */
        Diag *diag;
} Row;

/* Same name under the known code? A missing type word contradicts nothing; nor does a name that only
 * an undone import gave. */
static UnitDecision judge_name(const Row *row, const Unit *u) {
        bool has_name = false, has_bare = false;
        for (size_t i = 0; i < u->n_names; i++) {
                const UnitName *own = &u->names[i];
                CLEANUP_FREE char *bare = NULL;
                const TypeWord *word = NULL;
                if (!holds(own->from, own->until, row->query.day))
                        continue;
                has_name = true;
                if (!streq(own->bare, row->query.bare))
                        continue;
                has_bare = true;
                if (own->is_alias || unit_name_parse(own->name, &bare, &word) < 0 || !word ||
                    !row->word || streq(word->word, row->word->word))
                        return UNIT_KNOWN;
        }
        if (has_bare || !has_name || !unit_counts(u, 0))
                return UNIT_RENAMED;
        return UNIT_QUARANTINED;
}

static UnitDecision resolve_code(const Row *row, const Hits *hits, UnitId *ret_id) {
        CLEANUP(buf_done) Buf text = BUF_INIT(BUF_MAX_TEXT);
        if (hits->n > 1) {
                diag_error(row->diag, NULL, 0, NULL, "code %s:%s belongs to several units: %s",
                           row->namespace_, row->code, hits_text(hits, row->query.day, &text));
                return UNIT_QUARANTINED;
        }
        const Unit *u = hits->unit[0];
        UnitDecision decision = *row->name ? judge_name(row, u) : UNIT_KNOWN;
        if (decision != UNIT_QUARANTINED)
                *ret_id = u->id;
        else
                diag_error(row->diag, NULL, 0, NULL,
                           "code %s:%s is %s in the registry and was published as %s: "
                           "`chisoctl units same|new %s:%s --from DATE`",
                           row->namespace_, row->code, name_of(u, row->query.day), row->name,
                           row->namespace_, row->code);
        return decision;
}

/* True when the name decided: one unit is called so, or several are. */
static bool resolve_name(const Row *row, UnitId *ret_id, UnitDecision *ret) {
        Hits hits = {0};
        find_name(row->r, &row->query, &hits);
        if (hits.n == 0)
                return false;
        if (hits.n == 1) {
                *ret_id = hits.unit[0]->id;
                *ret = UNIT_KNOWN;
                return true;
        }
        CLEANUP(buf_done) Buf text = BUF_INIT(BUF_MAX_TEXT);
        diag_error(row->diag, NULL, 0, NULL, "%s (%s:%s) could be several units: %s", row->name,
                   row->namespace_, row->code, hits_text(&hits, row->query.day, &text));
        *ret = UNIT_QUARANTINED;
        return true;
}

static UnitDecision refuse_unknown(const Row *row) {
        CLEANUP(buf_done) Buf text = BUF_INIT(BUF_MAX_TEXT);
        Hits similar = {0};
        if (*row->query.bare)
                find_similar(row->r, &row->query, &similar);
        const char *list = hits_text(&similar, row->query.day, &text);
        diag_error(row->diag, NULL, 0, NULL, "%s:%s %s is not in the registry%s%s", row->namespace_,
                   row->code, row->name, *list ? "; similar: " : "", list);
        return UNIT_QUARANTINED;
}

/* Nearly every row of every day: the code and the very name that are in the registry. */
static bool is_as_known(const Unit *u, const char *name, Day day) {
        for (size_t i = 0; i < u->n_names; i++)
                if (holds(u->names[i].from, u->names[i].until, day) &&
                    streq(u->names[i].name, name))
                        return true;
        return false;
}

UnitDecision unit_resolve(const UnitRegistry *r, const char *namespace_, const char *code,
                          const char *name, const char *kind, UnitId parent, Day day,
                          bool is_strict, UnitId *ret_id, Diag *diag) {
        CLEANUP_FREE char *bare = NULL;
        Hits hits = {0};
        find_code(r, namespace_, code, day, &hits);
        if (is_strict && hits.n == 1 && !unit_counts(hits.unit[0], 0))
                hits.n = 0;
        if (hits.n == 1 && is_as_known(hits.unit[0], str_or(name, ""), day)) {
                *ret_id = hits.unit[0]->id;
                return UNIT_KNOWN;
        }
        Row row = {.r = r,
                   .namespace_ = namespace_,
                   .code = code,
                   .name = str_or(name, ""),
                   .diag = diag};
        if (unit_name_parse(row.name, &bare, &row.word) < 0) {
                diag_error(diag, NULL, 0, NULL, "%s:%s has an unreadable name", namespace_, code);
                return UNIT_QUARANTINED;
        }
        const char *own_kind = row.word ? row.word->kind : "";
        row.query = (NameQuery){.bare = bare,
                                .kind = kind && *kind ? kind : own_kind,
                                .parent = parent,
                                .wants_own = true,
                                .day = day};
        if (hits.n > 0)
                return resolve_code(&row, &hits, ret_id);

        UnitDecision decision;
        if (*bare && resolve_name(&row, ret_id, &decision))
                return decision;
        row.query.wants_own = false;
        row.query.wants_alias = true;
        if (*bare && resolve_name(&row, ret_id, &decision))
                return decision;
        return is_strict ? refuse_unknown(&row) : UNIT_NEW;
}

/* ---- what a person wrote --------------------------------------------------------------------- */

/* By name: of those called so, the ones of the same type word if there are any, else of the same
 * kind. */
static int find_written_name(const UnitRegistry *r, const char *text, Day day, Hits *hits,
                             char **ret_bare) {
        const TypeWord *word;
        int e = unit_name_parse(text, ret_bare, &word);
        if (e < 0)
                return e;
        NameQuery q = {.bare = *ret_bare,
                       .kind = word ? word->kind : "",
                       .word = word ? word->word : NULL,
                       .is_any_parent = true,
                       .wants_alias = true,
                       .wants_own = true,
                       .day = day};
        size_t before = hits->n;
        find_name(r, &q, hits);
        q.word = NULL;
        if (word && hits->n == before)
                find_name(r, &q, hits);
        return 0;
}

static int refuse_written(const UnitRegistry *r, const char *text, const char *bare, Day day,
                          const Hits *hits, Diag *diag) {
        CLEANUP(buf_done) Buf list = BUF_INIT(BUF_MAX_TEXT);
        char date[16];
        if (!diag) /* folding all names for nobody */
                return hits->n > 1 ? UNIT_E_AMBIGUOUS : UNIT_E_NONE;
        if (hits->n > 1) {
                diag_error(diag, NULL, 0, NULL, "'%s' could be: %s", text,
                           hits_text(hits, day, &list));
                return UNIT_E_AMBIGUOUS;
        }
        Hits similar = {0};
        find_similar(r, &(NameQuery){.bare = bare, .is_any_parent = true, .day = day}, &similar);
        const char *names = hits_text(&similar, day, &list);
        diag_error(diag, NULL, 0, NULL, "no unit '%s' on %s%s%s", text, day_format(date, day),
                   *names ? "; similar: " : "", names);
        return UNIT_E_NONE;
}

int unit_find(const UnitRegistry *r, const char *text, Day day, UnitId *ret_id, Diag *diag) {
        const Unit *u = find_key(r, text);
        if (u) {
                *ret_id = u->id;
                return 0;
        }
        Hits hits = {0};
        CLEANUP_FREE char *bare = NULL;
        const char *colon = strchr(text, ':');
        if (colon) {
                CLEANUP_FREE char *namespace_ = strndup(text, (size_t) (colon - text));
                if (!namespace_)
                        return -ENOMEM;
                find_code(r, namespace_, colon + 1, day, &hits);
        }
        find_code(r, /* namespace_= */ NULL, text, day, &hits);
        int e = find_written_name(r, text, day, &hits, &bare);
        if (e == -ENOMEM)
                return e;
        if (hits.n != 1)
                return refuse_written(r, text, str_or(bare, ""), day, &hits, diag);
        *ret_id = hits.unit[0]->id;
        return 0;
}
