/* Reads the configuration's files and hands their bytes to the pure loader. */
#include "app/boot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "os/file.h"

#define CONFIG_FILE_MAX ((size_t) 1 << 20)

typedef struct Files {
        ConfigFile *items;
        size_t n, cap;
} Files;

static void files_done(Files *f) {
        for (size_t i = 0; i < f->n; i++) {
                free((char *) f->items[i].path);
                free((char *) f->items[i].name);
                free((char *) f->items[i].data);
        }
        free(f->items);
}

/* Reads one file; a missing one is -ENOENT without a message when it may be missing. */
static int files_add(Files *f, const char *path, ConfigLayer layer, const char *name, bool may_miss,
                     Diag *diag) {
        Buf CLEANUP(buf_done) b = BUF_INIT(CONFIG_FILE_MAX);
        int r = file_read(path, CONFIG_FILE_MAX, &b);
        if (r == -ENOENT && may_miss)
                return r;
        if (r < 0) {
                diag_error(diag, path, 0, NULL, "cannot be read: %s", strerror(-r));
                return -EINVAL;
        }
        r = ARRAY_GROW(f->items, f->cap, f->n + 1);
        if (r < 0)
                return r;
        ConfigFile one = {.layer = layer,
                          .path = strdup(path),
                          .name = name ? strdup(name) : NULL,
                          .size = b.len};
        one.data = buf_take(&b);
        f->items[f->n++] = one;
        return one.path && one.data && (!name || one.name) ? 0 : -ENOMEM;
}

static int add_dropins(Files *f, const char *path, Diag *diag) {
        char CLEANUP_FREE *dir = NULL;
        char **names = NULL;
        size_t n = 0;
        if (asprintf(&dir, "%s.d", path) < 0)
                return -ENOMEM;
        int r = file_list(dir, ".conf", &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                char CLEANUP_FREE *file = file_join(dir, names[i]);
                r = file ? files_add(f, file, CONFIG_DROPIN, NULL, false, diag) : -ENOMEM;
        }
        file_names_free(names, n);
        return r;
}

static int add_preset(Files *f, const char *path, const char *share, const char *name, Diag *diag) {
        char CLEANUP_FREE *own = NULL, *shipped = NULL;
        int dir = (int) (strrchr(path, '/') ? strrchr(path, '/') - path : 0);
        if (asprintf(&own, "%.*s/presets/%s.conf", dir ? dir : 1, dir ? path : ".", name) < 0)
                return -ENOMEM;
        if (asprintf(&shipped, "%s/presets/%s.conf", share, name) < 0)
                return -ENOMEM;
        int r = files_add(f, own, CONFIG_PRESET, name, true, diag);
        return r == -ENOENT ? files_add(f, shipped, CONFIG_PRESET, name, false, diag) : r;
}

static int add_presets(Files *f, const char *path, const char *share, Diag *diag) {
        char **names = NULL;
        size_t n = 0;
        int r = config_presets(f->items, f->n, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (strchr(names[i], '/')) {
                        diag_error(diag, path, 0, "source.preset",
                                   "'%s' is not the name of a preset", names[i]);
                        r = -EINVAL;
                } else {
                        r = add_preset(f, path, share, names[i], diag);
                }
        }
        file_names_free(names, n);
        return r;
}

int boot_config(const char *path, const char *share_dir, int64_t now_ms, Diag *diag, Config **ret) {
        Files CLEANUP(files_done) f = {0};
        const char *share = share_dir ? share_dir : getenv("CHISO_SHARE_DIR");
        char CLEANUP_FREE *indicators = NULL, *rules = NULL;
        if (!share)
                share = CHISO_SHARE_DIR;
        if (asprintf(&indicators, "%s/indicators-766.conf", share) < 0 ||
            asprintf(&rules, "%s/rules-766.conf", share) < 0)
                return -ENOMEM;
        int r = files_add(&f, indicators, CONFIG_BASE, NULL, false, diag);
        if (r >= 0)
                r = files_add(&f, rules, CONFIG_BASE, NULL, false, diag);
        if (r >= 0)
                r = files_add(&f, path, CONFIG_MAIN, NULL, false, diag);
        if (r >= 0)
                r = add_dropins(&f, path, diag);
        if (r >= 0)
                r = add_presets(&f, path, share, diag);
        return r < 0 ? r : config_load(f.items, f.n, day_of_instant(now_ms), diag, ret);
}

int boot_templates(const Config *config, const char *language, Diag *diag, RenderTemplates **ret) {
        static const char *const names[] = {"mail.txt", "mail.html"};
        NameValue overrides[ELEMENTSOF(names)];
        char *texts[ELEMENTSOF(names)] = {0};
        size_t n = 0;
        int r = 0;
        for (size_t i = 0; config->daemon.template_dir && r >= 0 && i < ELEMENTSOF(names); i++) {
                Buf CLEANUP(buf_done) b = BUF_INIT(CONFIG_FILE_MAX);
                char CLEANUP_FREE *path = NULL;
                if (asprintf(&path, "%s/%s/%s", config->daemon.template_dir, language, names[i]) <
                    0)
                        r = -ENOMEM;
                int error = r < 0 ? r : file_read(path, CONFIG_FILE_MAX, &b);
                if (error == 0) {
                        texts[n] = buf_take(&b);
                        overrides[n] = (NameValue){names[i], texts[n]};
                        n += texts[n] != NULL;
                } else if (error != -ENOENT && r >= 0) {
                        diag_warning(diag, path, 0, NULL,
                                     "cannot be read (%s), using the built-in template",
                                     strerror(-error));
                }
        }
        if (r >= 0)
                r = render_templates_new(language, overrides, n, diag, ret);
        for (size_t i = 0; i < n; i++)
                free(texts[i]);
        return r;
}
