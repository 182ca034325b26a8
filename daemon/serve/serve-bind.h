/* Sockets that listen, for serve.c. Each function gives a descriptor (close-on-exec, not blocking), or a
 * negative errno. */
#pragma once

#include <sys/types.h>

#include "base/macro.h"

/* The file of a UNIX socket that we made: removed by serve_socket_done(), unless another one is there
 * by then. */
typedef struct ServeSocket {
        char *path; /* NULL: none, or no memory to know it by */
        dev_t dev;
        ino_t ino;
} ServeSocket;
#define SERVE_SOCKET_NONE ((ServeSocket){0})

void serve_socket_done(ServeSocket *s);

/* An old socket file is replaced. */
int serve_bind_unix(const char *path, unsigned mode, ServeSocket *ret);
/* "127.0.0.1:8766", "[::1]:8766"; -EINVAL: no numeric address. */
int serve_bind_tcp(const char *address);
