/* Reads the configuration's files and hands their bytes to the pure loader. */
#include "flow/boot.h"

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
        if (r == -ENOENT)
                r = files_add(f, shipped, CONFIG_PRESET, name, true, diag);
        /* The loader knows where the name was written, and which one was meant. */
        return r == -ENOENT ? 0 : r;
}

static int add_presets(Files *f, const char *path, const char *share, Diag *diag) {
        char **names = NULL;
        size_t n = 0;
        int r = config_presets(f->items, f->n, &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                /* What is no name of a preset is refused by the loader, which knows where it stands. */
                if (!strchr(names[i], '/'))
                        r = add_preset(f, path, share, names[i], diag);
        }
        file_names_free(names, n);
        return r;
}

/* A file's bytes, given instead of read. */
static int files_add_text(Files *f, ConfigLayer layer, const char *path, const char *text) {
        int r = ARRAY_GROW(f->items, f->cap, f->n + 1);
        if (r < 0)
                return r;
        ConfigFile one = {
                .layer = layer, .path = strdup(path), .data = strdup(text), .size = strlen(text)};
        f->items[f->n++] = one;
        return one.path && one.data ? 0 : -ENOMEM;
}

const char *boot_share_dir(const char *share_dir) {
        const char *share = share_dir ? share_dir : getenv("CHISO_SHARE_DIR");
        return str_or(share, CHISO_SHARE_DIR);
}

static int load_files(const char *path, const char *text, const char *dropin, const char *share_dir,
                      int64_t now_ms, Diag *diag, Config **ret) {
        Files CLEANUP(files_done) f = {0};
        const char *share = boot_share_dir(share_dir);
        char CLEANUP_FREE *indicators = NULL, *rules = NULL;
        if (asprintf(&indicators, "%s/indicators-766.conf", share) < 0 ||
            asprintf(&rules, "%s/rules-766.conf", share) < 0)
                return -ENOMEM;
        int r = files_add(&f, indicators, CONFIG_BASE, NULL, false, diag);
        if (r >= 0)
                r = files_add(&f, rules, CONFIG_BASE, NULL, false, diag);
        if (r >= 0)
                r = text ? files_add_text(&f, CONFIG_MAIN, path, text)
                         : files_add(&f, path, CONFIG_MAIN, NULL, false, diag);
        if (r >= 0)
                r = add_dropins(&f, path, diag);
        if (r >= 0 && dropin)
                r = files_add_text(&f, CONFIG_DROPIN, "", dropin);
        if (r >= 0)
                r = add_presets(&f, path, share, diag);
        return r < 0 ? r : config_load(f.items, f.n, day_of_instant(now_ms), diag, ret);
}

int boot_config(const char *path, const char *share_dir, int64_t now_ms, Diag *diag, Config **ret) {
        return load_files(path, NULL, NULL, share_dir, now_ms, diag, ret);
}

int boot_config_with(const char *path, const char *share_dir, const char *dropin, int64_t now_ms,
                     Diag *diag, Config **ret) {
        return load_files(path, NULL, dropin, share_dir, now_ms, diag, ret);
}

int boot_config_text(const char *path, const char *text, int64_t now_ms, Diag *diag, Config **ret) {
        return load_files(path, text, NULL, NULL, now_ms, diag, ret);
}

typedef struct OwnFiles {
        NameValue *items; /* both strings on the heap */
        size_t n, cap;
} OwnFiles;

static void own_files_done(OwnFiles *f) {
        for (size_t i = 0; i < f->n; i++) {
                free((char *) f->items[i].name);
                free((char *) f->items[i].value);
        }
        free(f->items);
}

static int own_file_add(OwnFiles *f, const char *dir, const char *name, Diag *diag) {
        Buf CLEANUP(buf_done) b = BUF_INIT(CONFIG_FILE_MAX);
        char CLEANUP_FREE *path = file_join(dir, name);
        int r = path ? ARRAY_GROW(f->items, f->cap, f->n + 1) : -ENOMEM;
        if (r < 0)
                return r;
        r = file_read(path, CONFIG_FILE_MAX, &b);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                diag_error(diag, path, 0, NULL, "cannot be read (%s), using the built-in template",
                           strerror(-r));
                return 0;
        }
        char *text = buf_take(&b);
        if (!text)
                return -ENOMEM;
        f->items[f->n++] = (NameValue){TAKE_PTR(path), text};
        return 0;
}

static int own_files_load(OwnFiles *f, const char *template_dir, const char *language, Diag *diag) {
        static const char *const suffixes[] = {".txt", ".html", ".json"};
        char CLEANUP_FREE *dir = file_join(template_dir, language);
        int r = dir ? 0 : -ENOMEM;
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(suffixes); i++) {
                char **names = NULL;
                size_t n = 0;
                r = file_list(dir, suffixes[i], &names, &n);
                for (size_t k = 0; r >= 0 && k < n; k++)
                        r = own_file_add(f, dir, names[k], diag);
                file_names_free(names, n);
        }
        return r;
}

/* A recipient may name a template with or without ".json". */
int boot_webhook_template(const RenderTemplates *t, const char *name, char *ret, size_t size) {
        (void) snprintf(ret, size, "%s", name);
        if (render_templates_has(t, ret))
                return 0;
        (void) snprintf(ret, size, "%s.json", name);
        return render_templates_has(t, ret) ? 0 : -ENOENT;
}

static void check_recipients(const Config *config, const char *language, const RenderTemplates *t,
                             Diag *diag) {
        for (size_t i = 0; i < config->n_recipients; i++) {
                const RecipientDef *rec = &config->recipients[i];
                char name[256];
                if (rec->webhook_template && rec->language[0] == language[0] &&
                    boot_webhook_template(t, rec->webhook_template, name, sizeof name) < 0)
                        diag_error(diag, rec->file, rec->line, "recipient.webhook_template",
                                   "there is no template '%s', sending the published schema",
                                   rec->webhook_template);
        }
}

int boot_templates(const Config *config, const char *language, Diag *diag, RenderTemplates **ret) {
        OwnFiles CLEANUP(own_files_done) own = {0};
        int r = 0;
        if (config->daemon.template_dir)
                r = own_files_load(&own, config->daemon.template_dir, language, diag);
        if (r >= 0)
                r = render_templates_new(language, own.items, own.n, diag, ret);
        if (r >= 0)
                check_recipients(config, language, *ret, diag);
        return r;
}
