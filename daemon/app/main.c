/* chisod: command line. */
#include <getopt.h>
#include <stdio.h>

#include "app/manager.h"
#include "flow/boot.h"
#include "flow/precheck.h"
#include "os/clock.h"
#include "os/log.h"
#include "store/store.h"

static const char usage[] =
        "Usage: chisod [--config FILE] [--check-config | --once] [--verbose]\n"
        "\n"
        "Fetches published indicator figures, ranks units, and tells who falls behind.\n"
        "\n"
        "  --config FILE    configuration (default /etc/chisod/chisod.conf; then FILE.d/*.conf)\n"
        "  --check-config   print all errors and warnings, exit 1 if there is an error\n"
        "  --once           ask every job once, judge, deliver what is due, exit\n"
        "  --verbose        log what is done in detail\n"
        "  --version, --help\n";

static int check_config(const char *path) {
        Diag CLEANUP(diag_done) diag = DIAG_INIT;
        Config CLEANUP(config_freep) *config = NULL;
        int r = boot_config(str_or(path, "/etc/chisod/chisod.conf"), NULL, clock_now_ms(), &diag,
                            &config);
        static const char *const languages[] = {"vi", "en"};
        static const char *const prefix[] = {
                [DIAG_NOTE] = "note: ", [DIAG_WARNING] = "warning: ", [DIAG_ERROR] = ""};
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(languages); i++) {
                RenderTemplates CLEANUP(render_templates_freep) *t = NULL;
                r = boot_templates(config, languages[i], &diag, &t);
        }
        if (config) {
                precheck_secrets(config, &diag);
                precheck_machine(config, clock_now_ms(), &diag);
        }
        for (size_t i = 0; i < diag.n; i++) {
                char CLEANUP_FREE *text = diag_item_format(&diag.items[i]);
                printf("%s%s\n", prefix[diag.items[i].level], str_or(text, "out of memory"));
        }
        printf("%zu errors, %zu warnings\n", diag.n_errors, diag.n_warnings);
        return r < 0 || diag.n_errors ? 1 : 0;
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                {"config", required_argument, NULL, 'c'},
                {"check-config", no_argument, NULL, 'k'},
                {"once", no_argument, NULL, '1'},
                {"verbose", no_argument, NULL, 'v'},
                {"version", no_argument, NULL, 'V'},
                {"help", no_argument, NULL, 'h'},
                {0},
        };
        ManagerOptions manager = {0};
        bool is_check = false;
        int c;
        while ((c = getopt_long(argc, argv, "c:hv", options, NULL)) >= 0) {
                switch (c) {
                case 'c':
                        manager.config_path = optarg;
                        break;
                case 'k':
                        is_check = true;
                        break;
                case '1':
                        manager.is_once = true;
                        break;
                case 'v':
                        manager.is_verbose = true;
                        break;
                case 'V':
                        puts("chisod " CHISO_VERSION);
                        return 0;
                case 'h':
                        fputs(usage, stdout);
                        return 0;
                default:
                        fputs(usage, stderr);
                        return 2;
                }
        }
        if (optind < argc) {
                fprintf(stderr, "chisod: unexpected argument '%s'\n%s", argv[optind], usage);
                return 2;
        }
        log_init("chisod", manager.is_verbose);
        int r = store_setup();
        if (r < 0) {
                log_error("SQLite cannot be set up: %s", strerror(-r));
                return 1;
        }
        return is_check ? check_config(manager.config_path) : manager_run(&manager);
}
