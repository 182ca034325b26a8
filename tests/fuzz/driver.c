/* Runs a fuzz target over its seed corpus as a plain test (idea after libgit2's standalone
 * driver): every file of the folders given, and in addition each file cut in the middle, doubled,
 * and with one byte flipped. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_variants(const uint8_t *data, size_t size) {
        LLVMFuzzerTestOneInput(data, size);
        LLVMFuzzerTestOneInput(data, size / 2);
        uint8_t *copy = malloc(size * 2 + 1);
        if (!copy)
                abort();
        memcpy(copy, data, size);
        memcpy(copy + size, data, size);
        LLVMFuzzerTestOneInput(copy, size * 2);
        for (size_t i = 0; i < size; i += 1 + size / 64) {
                copy[i] ^= 0x15;
                LLVMFuzzerTestOneInput(copy, size);
                copy[i] ^= 0x15;
        }
        free(copy);
}

static void run_file(const char *path) {
        FILE *f = fopen(path, "rb");
        if (!f) {
                perror(path);
                exit(1);
        }
        uint8_t *data = malloc(1 << 22);
        if (!data)
                abort();
        size_t size = fread(data, 1, 1 << 22, f);
        (void) fclose(f);
        run_variants(data, size);
        free(data);
}

int main(int argc, char **argv) {
        size_t n_files = 0;
        for (int i = 1; i < argc; i++) {
                DIR *d = opendir(argv[i]);
                if (!d) {
                        perror(argv[i]);
                        return 1;
                }
                struct dirent *e;
                while ((e = readdir(d))) {
                        char path[4096];
                        if (e->d_name[0] == '.')
                                continue;
                        (void) snprintf(path, sizeof path, "%s/%s", argv[i], e->d_name);
                        run_file(path);
                        n_files++;
                }
                (void) closedir(d);
        }
        printf("%zu seeds\n", n_files);
        return n_files == 0;
}
