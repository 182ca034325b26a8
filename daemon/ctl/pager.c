/* What is longer than the terminal goes through $PAGER, as with git and systemctl: less with -FRX
 * unless somebody set $LESS. Nobody reads a page of a pipe, so that scripts never meet it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl/ctl.h"

static size_t count_lines(const Buf *text) {
        size_t n = 0;

        for (size_t i = 0; i < text->len; i++)
                n += buf_text(text)[i] == '\n';
        return n;
}

unsigned terminal_columns(void) {
        struct winsize size = {0};

        return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col
                                                                                     : 0;
}

static bool is_long(const Buf *text) {
        struct winsize size = {0};

        return isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) &&
               ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 &&
               count_lines(text) >= size.ws_row;
}

bool pager_print(const Buf *text) {
        const char *program = getenv("PAGER");

        program = program ? program : "less";
        if (!is_long(text) || !*program || streq(program, "cat"))
                return false;
        (void) setenv("LESS", "FRX", /* replace= */ 0);
        (void) setenv("LESSCHARSET", "utf-8", /* replace= */ 0);
        void (*old)(int) = signal(SIGPIPE, SIG_IGN); /* who has read enough may leave */
        FILE *pipe = popen(program, "we");
        bool is_begun = pipe && (fwrite(buf_text(text), 1, text->len, pipe), fflush(pipe), true);
        int status = pipe ? pclose(pipe) : -1;

        (void) signal(SIGPIPE, old);
        /* 127: the shell found no such program */
        return is_begun && !(WIFEXITED(status) && WEXITSTATUS(status) == 127);
}
