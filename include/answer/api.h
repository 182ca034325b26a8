/* The HTTP API (interfaces, "Sockets"): routes and JSON. Reads use app->reader; masked on the
 * status socket. */
#pragma once

#include "flow/app.h"

/* A ServeHandler; userdata is the App. */
int api_handle(const ServeRequest *request, ServeReply *reply, void *userdata);
