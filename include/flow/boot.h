/* Finds and reads the configuration's files: indicators that ship, presets, the main file, FILE.d
 * drop-ins ("chisod.conf.d/NAME.conf"). */
#pragma once

#include "core/config.h"
#include "core/render.h"

/* share_dir holds indicators-766.conf and presets/ (default CHISO_SHARE_DIR, $CHISO_SHARE_DIR
 * wins: pass NULL). Presets of the same name beside the main file (DIR/presets/NAME.conf) win over
 * those that ship. Everything wrong goes to diag. Returns 0, -EINVAL (errors in diag), or another
 * negative errno. */
int boot_config(const char *path, const char *share_dir, int64_t now_ms, Diag *diag, Config **ret);
/* The same with the text of one more drop-in, after all others. */
int boot_config_with(const char *path, const char *share_dir, const char *dropin, int64_t now_ms,
                     Diag *diag, Config **ret);
/* The same with `text` in the place of the main file's bytes, which need not exist yet. */
int boot_config_text(const char *path, const char *text, int64_t now_ms, Diag *diag, Config **ret);
/* The folder of what ships, chosen as above. */
const char *boot_share_dir(const char *share_dir);

/* Templates: built-in, overridden by [daemon] template_dir/{vi,en}/NAME. What is broken is an error
 * in diag, and the built-in one is used. */
int boot_templates(const Config *config, const char *language, Diag *diag, RenderTemplates **ret);
/* The template that a recipient's webhook_template names, with or without ".json"; -ENOENT. */
int boot_webhook_template(const RenderTemplates *t, const char *name, char *ret, size_t size);
