/* A configuration from outside: four files parted by bytes 0x1e, of the layers base, preset "p",
 * main and drop-in. */
#include "core/config.h"

#define N_LAYERS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const ConfigLayer layers[N_LAYERS] = {CONFIG_BASE, CONFIG_PRESET, CONFIG_MAIN,
                                                     CONFIG_DROPIN};
        ConfigFile files[N_LAYERS];
        const char *at = (const char *) data;
        size_t left = size, n = 0;
        for (; n < N_LAYERS; n++) {
                const char *cut = left > 0 ? memchr(at, 0x1e, left) : NULL;
                size_t length = cut ? (size_t) (cut - at) : left;
                files[n] = (ConfigFile){layers[n], "f", layers[n] == CONFIG_PRESET ? "p" : NULL, at,
                                        length};
                at += cut ? length + 1 : length;
                left -= cut ? length + 1 : length;
        }
        char **names = NULL;
        size_t n_names = 0;
        if (config_presets(files, n, &names, &n_names) == 0) {
                for (size_t i = 0; i < n_names; i++)
                        free(names[i]);
                free(names);
        }
        Diag diag = DIAG_INIT;
        CLEANUP(config_freep) Config *config = NULL;
        int r = config_load(files, n, /* today= */ 20780, &diag, &config);
        if ((r == 0) != (diag.n_errors == 0) && !diag.is_truncated)
                abort();
        diag_done(&diag);
        return 0;
}
