#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>

#include "core/unit.h"

/* ---- names -------------------------------------------------------------------------------------
 */

static void names_are_taken_apart(void **state UNUSED) {
        static const struct {
                const char *name, *bare, *kind;
        } table[] = {
                {"UBND xã Thủ Sỹ", "Thủ Sỹ", "commune"},
                {"UBND TT Vương", "Vương", "commune"},
                {"UBND TT. Vương", "Vương", "commune"},
                {"TT.Vương", "Vương", "commune"},
                {"thị trấn Vương", "Vương", "commune"},
                {"Phường Long Phú", "Long Phú", "commune"},
                {"PHƯỜNG Long Phú", "Long Phú", "commune"},
                {"UBND Xã Nhơn Hội - tỉnh An Giang", "Nhơn Hội", "commune"},
                {"UBND Đặc khu Phú Quốc - tỉnh An Giang", "Phú Quốc", "commune"},
                {"ỦY BAN NHÂN DÂN XÃ Hy Cương", "Hy Cương", "commune"},
                {"Uỷ ban nhân dân xã Hy Cương", "Hy Cương", "commune"},
                {"X. Lệ Xá", "Lệ Xá", "commune"},
                {"P.Bến Đá", "Bến Đá", "commune"},
                {"UBND tỉnh Hưng Yên", "Hưng Yên", "province"},
                {"UBND Thành phố Hà Nội", "Hà Nội", "province"},
                {"TP. Huế", "Huế", "province"},
                {"TP Huế", "Huế", "province"},
                {"UBND huyện Tiên Lữ", "Tiên Lữ", "district"},
                {"Thị xã Mỹ Hào", "Mỹ Hào", "district"},
                {"Sở Nội vụ - tỉnh An Giang", "Sở Nội vụ", "department"},
                {"Ban Quản lý Khu kinh tế Phú Quốc - tỉnh An Giang",
                 "Ban Quản lý Khu kinh tế Phú Quốc", "department"},
                {"Thanh tra tỉnh An Giang", "Thanh tra tỉnh An Giang", "department"},
                {"Văn phòng UBND Tỉnh - Tỉnh Phú Thọ", "Văn phòng UBND Tỉnh", "department"},
                {"Phường Hải Châu - Thành phố Đà Nẵng", "Hải Châu", "commune"},
                /* Only a province is cut off, and only at the end. */
                {"Phường Văn Miếu - Quốc Tử Giám", "Văn Miếu - Quốc Tử Giám", "commune"},
                {"Phường Văn Miếu - Quốc Tử Giám - Thành phố Hà Nội", "Văn Miếu - Quốc Tử Giám",
                 "commune"},
                {"Xã A - tỉnh", "A - tỉnh", "commune"},
                {"Xã A - tỉnh B - C", "A - tỉnh B - C", "commune"},
                {"Thủ Sỹ", "Thủ Sỹ", ""},
                {"Xãm Tân", "Xãm Tân", ""},
                {"TTVương", "TTVương", ""},
                {"xã", "xã", ""},
                {"UBND", "UBND", ""},
                {"", "", ""},
                /* NFD, NBSP and blanks; the tone's place is kept. */
                {" UBND\xc2\xa0xa\xcc\x83  Thu\xcc\x89 Sy\xcc\x83 ", "Thủ Sỹ", "commune"},
                {"xã Hoà Bình", "Hoà Bình", "commune"},
                {"xã Quý Sơn", "Quý Sơn", "commune"},
        };
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                CLEANUP_FREE char *bare = NULL;
                const char *kind = NULL;
                assert_int_equal(unit_name_split(table[i].name, &bare, &kind), 0);
                if (!streq(bare, table[i].bare) || !streq(kind, table[i].kind))
                        fail_msg("%s: '%s' %s", table[i].name, bare, kind);
        }
        CLEANUP_FREE char *bare = NULL;
        const char *kind = NULL;
        assert_int_equal(unit_name_split("x\xff", &bare, &kind), -EILSEQ);
        assert_null(bare);
}

/* ---- a registry ------------------------------------------------------------------------------ */

#define REFORM 1000 /* a day */

enum {
        HUNG_YEN = 1,
        PHU_THO,
        HAI_TRIEU,
        TIEN_LU,
        TIEN_LU_PT,
        VAN_LANG,
        MINH_PHUONG,
        OFFICE,
        VUONG
};

static void build(UnitRegistry *r) {
        static const struct {
                UnitId id;
                const char *key, *kind;
                UnitId parent;
                Day from, until;
                const char *name, *code;
        } units[] = {
                {HUNG_YEN, "H31", "province", 0, DAY_EVER, DAY_OPEN, "UBND tỉnh Hưng Yên", "33"},
                {PHU_THO, "H44", "province", 0, DAY_EVER, DAY_OPEN, "UBND tỉnh Phú Thọ", "25"},
                {HAI_TRIEU, "HAITRIEU", "commune", HUNG_YEN, DAY_EVER, REFORM, "UBND xã Hải Triều",
                 "12364"},
                {TIEN_LU, "TIENLU", "commune", HUNG_YEN, REFORM, DAY_OPEN, "UBND xã Tiên Lữ",
                 "12364"},
                {TIEN_LU_PT, "TIENLU-PT", "commune", PHU_THO, REFORM, DAY_OPEN, "xã Tiên Lữ",
                 "08842"},
                {VAN_LANG, "VANLANG", "commune", PHU_THO, DAY_EVER, DAY_OPEN, "UBND xã Văn Lang",
                 "1"},
                {MINH_PHUONG, "MP", "commune", HUNG_YEN, DAY_EVER, DAY_OPEN, "UBND xã Minh Phượng",
                 "12379"},
                {OFFICE, "OFFICE", "department", HUNG_YEN, DAY_EVER, DAY_OPEN, "Sở Nội vụ",
                 "H31.01"},
                {VUONG, "VUONG", "commune", HUNG_YEN, DAY_EVER, DAY_OPEN, "UBND TT Vương", "12337"},
        };
        for (size_t i = 0; i < ELEMENTSOF(units); i++) {
                Unit *u = NULL;
                assert_int_equal(unit_add(r, units[i].id, units[i].key, units[i].kind,
                                          units[i].parent, units[i].from, units[i].until, &u),
                                 0);
                assert_int_equal(u->id, units[i].id);
                assert_int_equal(unit_add_name(r, units[i].id, units[i].name, units[i].from,
                                               units[i].until, false),
                                 0);
                assert_int_equal(unit_add_code(r, units[i].id, "gso", units[i].code, units[i].from,
                                               units[i].until),
                                 0);
        }
        assert_int_equal(unit_add_name(r, MINH_PHUONG, "Minh Phương", 0, 500, true), 0);
}

static void units_are_added_and_shown(void **state UNUSED) {
        CLEANUP(unit_registry_done) UnitRegistry r = {0};
        assert_null(unit_get(&r, 1));
        build(&r);
        assert_int_equal(unit_add(&r, 20, "H31", "province", 0, 0, DAY_OPEN, NULL), -EEXIST);
        assert_int_equal(unit_add(&r, VUONG, "NEW", "commune", 0, 0, DAY_OPEN, NULL), -EINVAL);
        assert_int_equal(unit_add(&r, 0, "NEW", "commune", 0, 0, DAY_OPEN, NULL), -EINVAL);
        assert_int_equal(unit_add_name(&r, 77, "x", 0, 1, false), -ENOENT);
        assert_int_equal(unit_add_code(&r, 77, "x", "x", 0, 1), -ENOENT);
        assert_int_equal(unit_add_contact(&r, 77, "x", NULL), -ENOENT);
        assert_int_equal(r.n, 9);
        assert_null(unit_get(&r, 77));
        assert_string_equal(unit_get(&r, VUONG)->key, "VUONG");
        assert_string_equal(unit_get(&r, VUONG)->names[0].bare, "Vương");

        assert_string_equal(unit_name_on(&r, HAI_TRIEU, REFORM - 1), "UBND xã Hải Triều");
        assert_string_equal(unit_name_on(&r, HAI_TRIEU, REFORM), "");
        assert_string_equal(unit_name_on(&r, MINH_PHUONG, 100),
                            "UBND xã Minh Phượng"); /* no alias */
        assert_string_equal(unit_name_on(&r, 77, 0), "");
        assert_string_equal(unit_code_on(&r, TIEN_LU, REFORM), "12364");
        assert_string_equal(unit_code_on(&r, TIEN_LU, REFORM - 1), "TIENLU");
        assert_string_equal(unit_code_on(&r, 77, 0), "");

        /* A rename: the later of two that hold. */
        assert_int_equal(unit_add_name(&r, VUONG, "UBND phường Vương", 50, DAY_OPEN, false), 0);
        assert_string_equal(unit_name_on(&r, VUONG, 49), "UBND TT Vương");
        assert_string_equal(unit_name_on(&r, VUONG, 50), "UBND phường Vương");

        assert_int_equal(unit_add_contact(&r, VUONG, "a@x.vn", NULL), 0);
        assert_int_equal(unit_add_contact(&r, VUONG, "b@x.vn", "https://h/1"), 0);
        assert_int_equal(unit_add_contact(&r, VUONG, NULL, "https://h/2"), 0);
        const Unit *u = unit_get(&r, VUONG);
        assert_int_equal(u->n_emails, 2);
        assert_string_equal(u->emails[1], "b@x.vn");
        assert_string_equal(u->webhook, "https://h/2");
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void rows_find_their_unit(void **state UNUSED) {
        static const struct {
                const char *code, *name, *kind;
                UnitId parent;
                Day day;
                bool is_strict;
                UnitDecision decision;
                UnitId id;
                const char *reason;
        } table[] = {
                /* by code */
                {"12364", "UBND xã Hải Triều", "commune", HUNG_YEN, REFORM - 1, 0, UNIT_KNOWN,
                 HAI_TRIEU, "-"},
                {"12364", "UBND xã Tiên Lữ", "commune", HUNG_YEN, REFORM, 0, UNIT_KNOWN, TIEN_LU,
                 "-"},
                {"12364", "Tiên Lữ", "commune", HUNG_YEN, REFORM, 0, UNIT_KNOWN, TIEN_LU, "-"},
                {"12364", "Xã Tiên Lữ - tỉnh Hưng Yên", "commune", HUNG_YEN, REFORM, 0, UNIT_KNOWN,
                 TIEN_LU, "-"},
                {"12364", "", "commune", HUNG_YEN, REFORM, 0, UNIT_KNOWN, TIEN_LU, "-"},
                {"12364", "UBND phường Tiên Lữ", "commune", HUNG_YEN, REFORM, 0, UNIT_RENAMED,
                 TIEN_LU, "-"},
                {"25", "UBND thành phố Phú Thọ", "province", 0, REFORM, 0, UNIT_RENAMED, PHU_THO,
                 "-"},
                {"12337", "UBND thị trấn Vương", "commune", HUNG_YEN, 0, 0, UNIT_KNOWN, VUONG, "-"},
                {"12364", "UBND xã Hải Triều", "commune", HUNG_YEN, REFORM, 0, UNIT_QUARANTINED, 0,
                 "code gso:12364 is UBND xã Tiên Lữ in the registry and was published as UBND xã "
                 "Hải Triều: "
                 "`chisoctl units same|new gso:12364 --from DATE`"},
                {"12379", "UBND xã Minh Phương", "commune", HUNG_YEN, 100, 0, UNIT_KNOWN,
                 MINH_PHUONG, "-"},
                {"12379", "UBND xã Minh Phương", "commune", HUNG_YEN, 500, 0, UNIT_QUARANTINED, 0,
                 "code gso:12379 is UBND xã Minh Phượng in the registry and was published as UBND "
                 "xã Minh "
                 "Phương: `chisoctl units same|new gso:12379 --from DATE`"},
                /* by name within (parent, kind) */
                {"n1", "xã Tiên Lữ", "commune", PHU_THO, REFORM, 0, UNIT_KNOWN, TIEN_LU_PT, "-"},
                {"n1", "xã Tiên Lữ", "", HUNG_YEN, REFORM, 0, UNIT_KNOWN, TIEN_LU, "-"},
                {"n1", "Sở Nội vụ - tỉnh Hưng Yên", "department", HUNG_YEN, REFORM, 0, UNIT_KNOWN,
                 OFFICE, "-"},
                {"n1", "xã Tiên Lữ", "commune", HUNG_YEN, REFORM - 1, 0, UNIT_NEW, 0, "-"},
                {"n1", "xã Tiên Lữ", "department", HUNG_YEN, REFORM, 0, UNIT_NEW, 0, "-"},
                {"n1", "xã tiên lữ", "commune", HUNG_YEN, REFORM, 0, UNIT_NEW, 0, "-"},
                /* by alias, while it holds */
                {"n1", "xã Minh Phương", "commune", HUNG_YEN, 499, 0, UNIT_KNOWN, MINH_PHUONG, "-"},
                {"n1", "xã Minh Phương", "commune", HUNG_YEN, 500, 0, UNIT_NEW, 0, "-"},
                {"n1", "xã Minh Phương", "commune", PHU_THO, 499, 0, UNIT_NEW, 0, "-"},
                /* never by a similar one */
                {"n1", "xã Văn Lăng", "commune", PHU_THO, 0, 0, UNIT_NEW, 0, "-"},
                {"n1", "xã Văn Lăng", "commune", PHU_THO, 0, 1, UNIT_QUARANTINED, 0,
                 "gso:n1 xã Văn Lăng is not in the registry; similar: VANLANG UBND xã Văn Lang"},
                {"n1", "", "commune", PHU_THO, 0, 1, UNIT_QUARANTINED, 0,
                 "gso:n1  is not in the registry"},
                {"n1", "", "commune", PHU_THO, 0, 0, UNIT_NEW, 0, "-"},
        };
        CLEANUP(unit_registry_done) UnitRegistry r = {0};
        build(&r);
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                CLEANUP(diag_done) Diag diag = DIAG_INIT;
                UnitId id = 0;
                UnitDecision d =
                        unit_resolve(&r, "gso", table[i].code, table[i].name, table[i].kind,
                                     table[i].parent, table[i].day, table[i].is_strict, &id, &diag);
                if (d != table[i].decision || id != table[i].id)
                        fail_msg("%s %s on %d: decision %d, unit %u", table[i].code, table[i].name,
                                 table[i].day, d, id);
                assert_string_equal(diag_first_error(&diag, "-"), table[i].reason);
        }
}

static void another_namespace_is_another_code(void **state UNUSED) {
        CLEANUP(unit_registry_done) UnitRegistry r = {0};
        UnitId id = 0;
        assert_int_equal(unit_resolve(&r, "gso", "33", "x", "", 0, 0, false, &id, NULL), UNIT_NEW);
        build(&r);
        assert_int_equal(unit_resolve(&r, "portal", "33", "UBND tỉnh Lạ", "province", 0, 0, false,
                                      &id, NULL),
                         UNIT_NEW);
        assert_int_equal(unit_resolve(&r, "gso", "33", "", "province", 0, 0, false, &id, NULL),
                         UNIT_KNOWN);
        assert_int_equal(id, HUNG_YEN);
}

static void two_hits_are_quarantined(void **state UNUSED) {
        CLEANUP(unit_registry_done) UnitRegistry r = {0};
        CLEANUP(diag_done) Diag diag = DIAG_INIT;
        UnitId id = 0;
        build(&r);
        assert_int_equal(unit_add_code(&r, VUONG, "gso", "1", 0, 10), 0);
        assert_int_equal(unit_add_name(&r, VUONG, "UBND xã Minh Phượng", 0, 10, false), 0);
        assert_int_equal(unit_resolve(&r, "gso", "1", "x", "", 0, 5, false, &id, &diag),
                         UNIT_QUARANTINED);
        assert_int_equal(unit_resolve(&r, "gso", "n", "Minh Phượng", "commune", HUNG_YEN, 5, false,
                                      &id, &diag),
                         UNIT_QUARANTINED);
        assert_int_equal(id, 0);
        assert_string_equal(diag.items[0].text,
                            "code gso:1 belongs to several units: VANLANG UBND xã Văn Lang, "
                            "VUONG UBND xã Minh Phượng");
        assert_string_equal(diag.items[1].text,
                            "Minh Phượng (gso:n) could be several units: MP UBND xã Minh Phượng, "
                            "VUONG UBND xã Minh Phượng");
        assert_int_equal(unit_resolve(&r, "gso", "1", "Văn Lang", "", 0, 10, false, &id, NULL),
                         UNIT_KNOWN);
        assert_int_equal(id, VAN_LANG);
}

/* ---- what a person writes -------------------------------------------------------------------- */

static void people_find_units(void **state UNUSED) {
        static const struct {
                const char *text;
                Day day;
                int r;
                UnitId id;
                const char *reason;
        } table[] = {
                {"H31", 0, 0, HUNG_YEN, "-"},
                {"gso:12364", REFORM - 1, 0, HAI_TRIEU, "-"},
                {"gso:12364", REFORM, 0, TIEN_LU, "-"},
                {"12364", REFORM, 0, TIEN_LU, "-"},
                {"08842", REFORM, 0, TIEN_LU_PT, "-"},
                {"8842", REFORM, UNIT_E_NONE, 0, "no unit '8842' on 1972-09-27"},
                {"portal:12364", REFORM, UNIT_E_NONE, 0, "no unit 'portal:12364' on 1972-09-27"},
                {"Hải Triều", 0, 0, HAI_TRIEU, "-"},
                {"xã Hải Triều", 0, 0, HAI_TRIEU, "-"},
                {"thị trấn Hải Triều", 0, 0, HAI_TRIEU, "-"}, /* another word of the same kind */
                {"tỉnh Hải Triều", 0, UNIT_E_NONE, 0,
                 "no unit 'tỉnh Hải Triều' on 1970-01-01; similar: HAITRIEU UBND xã Hải Triều"},
                {"Hải Triều", REFORM, UNIT_E_NONE, 0, "no unit 'Hải Triều' on 1972-09-27"},
                {"Minh Phương", 0, 0, MINH_PHUONG, "-"},
                {"Van Lang", 0, UNIT_E_NONE, 0,
                 "no unit 'Van Lang' on 1970-01-01; similar: VANLANG UBND xã Văn Lang"},
                {"Tiên Lữ", REFORM, UNIT_E_AMBIGUOUS, 0,
                 "'Tiên Lữ' could be: TIENLU UBND xã Tiên Lữ, TIENLU-PT xã Tiên Lữ"},
                {"", 0, UNIT_E_NONE, 0, "no unit '' on 1970-01-01"},
        };
        CLEANUP(unit_registry_done) UnitRegistry r = {0};
        build(&r);
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                CLEANUP(diag_done) Diag diag = DIAG_INIT;
                UnitId id = 0;
                int e = unit_find(&r, table[i].text, table[i].day, &id, &diag);
                if (e != table[i].r || id != table[i].id)
                        fail_msg("%s: %d, unit %u", table[i].text, e, id);
                assert_string_equal(diag_first_error(&diag, "-"), table[i].reason);
        }
        /* The same type word decides between two of one name. */
        UnitId id = 0;
        assert_int_equal(unit_add(&r, 30, "VP", "commune", PHU_THO, DAY_EVER, DAY_OPEN, NULL), 0);
        assert_int_equal(unit_add_name(&r, 30, "phường Vương", DAY_EVER, DAY_OPEN, false), 0);
        assert_int_equal(unit_find(&r, "Phường Vương", 0, &id, NULL), 0);
        assert_int_equal(id, 30);
        assert_int_equal(unit_find(&r, "TT Vương", 0, &id, NULL), 0);
        assert_int_equal(id, VUONG);
        assert_int_equal(unit_find(&r, "Vương", 0, &id, NULL), UNIT_E_AMBIGUOUS);
}

static void selectors_select(void **state UNUSED) {
        static const char *communes[] = {"commune", "department"}, *parents[] = {"nobody", "H31"},
                          *gone[] = {"nobody"}, *units[] = {"gso:12337", "Minh Phượng"};
        static const struct {
                UnitSelector s;
                UnitId in[4];
        } table[] = {
                {{0}, {HUNG_YEN, VUONG, OFFICE, VAN_LANG}},
                {{.kinds = communes, .n_kinds = 1, .is_set = true}, {VUONG, MINH_PHUONG, VAN_LANG}},
                {{.parents = parents, .n_parents = 2, .is_set = true},
                 {VUONG, MINH_PHUONG, OFFICE}},
                {{.kinds = communes, .n_kinds = 1, .parents = parents, .n_parents = 2},
                 {VUONG, MINH_PHUONG}},
                {{.kinds = communes, .n_kinds = 2, .parents = parents, .n_parents = 2},
                 {VUONG, MINH_PHUONG, OFFICE}},
                {{.units = units, .n_units = 2, .is_set = true}, {VUONG, MINH_PHUONG}},
                {{.units = units, .n_units = 1, .parents = gone, .n_parents = 1}, {0}},
        };
        static const UnitId all[] = {HUNG_YEN, VUONG, OFFICE, VAN_LANG, MINH_PHUONG};
        CLEANUP(unit_registry_done) UnitRegistry r = {0};
        build(&r);
        for (size_t i = 0; i < ELEMENTSOF(table); i++)
                for (size_t j = 0; j < ELEMENTSOF(all); j++) {
                        bool is_in = i == 0;
                        for (size_t k = 0; k < 4; k++)
                                is_in |= table[i].in[k] == all[j];
                        if (unit_selected(&r, &table[i].s, all[j], 0) != is_in)
                                fail_msg("selector %zu, unit %u", i, all[j]);
                }
        assert_false(unit_selected(&r, &table[0].s, 77, 0));

        /* At any height, and a ring of parents ends. */
        assert_int_equal(unit_add(&r, 40, "VILLAGE", "village", VUONG, DAY_EVER, DAY_OPEN, NULL),
                         0);
        assert_true(unit_selected(&r, &(UnitSelector){.parents = parents, .n_parents = 2}, 40, 0));
        assert_int_equal(unit_add(&r, 41, "RING", "village", 41, DAY_EVER, DAY_OPEN, NULL), 0);
        assert_false(unit_selected(&r, &(UnitSelector){.parents = parents, .n_parents = 2}, 41, 0));
}

static void what_was_taken_back_is_found_by_code_alone(void **state UNUSED) {
        UnitRegistry CLEANUP(unit_registry_done) r = {0};
        UnitId id = 0;
        Unit *u;
        assert_int_equal(unit_add(&r, 1, "portal:1", "commune", 0, DAY_EVER, DAY_OPEN, &u), 0);
        assert_int_equal(unit_add_name(&r, 1, "Xã Sai", DAY_EVER, DAY_OPEN, false), 0);
        assert_int_equal(unit_add_code(&r, 1, "portal", "1", DAY_EVER, DAY_OPEN), 0);
        u->taken_back = 5;
        assert_false(unit_counts(u, 0) || unit_counts(u, 5) || unit_counts(u, 6));
        assert_true(unit_counts(u, 4));

        /* its code is its, whatever it is called by now; where nothing is registered it is unknown */
        assert_int_equal(unit_resolve(&r, "portal", "1", "Xã Sai", "", 0, 0, false, &id, NULL),
                         UNIT_KNOWN);
        assert_int_equal(id, 1);
        assert_int_equal(unit_resolve(&r, "portal", "1", "Xã Đúng", "", 0, 0, false, &id, NULL),
                         UNIT_RENAMED);
        assert_int_equal(unit_resolve(&r, "portal", "1", "Xã Sai", "", 0, 0, true, &id, NULL),
                         UNIT_QUARANTINED);
        /* its name is anybody's */
        assert_int_equal(unit_resolve(&r, "portal", "2", "Xã Sai", "", 0, 0, false, &id, NULL),
                         UNIT_NEW);
        assert_int_equal(unit_find(&r, "Xã Sai", 0, &id, NULL), UNIT_E_NONE);
        assert_int_equal(unit_find(&r, "portal:1", 0, &id, NULL), 0);
        u->taken_back = 0;
        assert_int_equal(unit_find(&r, "Xã Sai", 0, &id, NULL), 0);
        assert_int_equal(unit_resolve(&r, "portal", "1", "Xã Đúng", "", 0, 0, false, &id, NULL),
                         UNIT_QUARANTINED);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_are_taken_apart),
                cmocka_unit_test(units_are_added_and_shown),
                cmocka_unit_test(rows_find_their_unit),
                cmocka_unit_test(another_namespace_is_another_code),
                cmocka_unit_test(two_hits_are_quarantined),
                cmocka_unit_test(people_find_units),
                cmocka_unit_test(selectors_select),
                cmocka_unit_test(what_was_taken_back_is_found_by_code_alone),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
