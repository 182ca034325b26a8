/* A reply on its way out, for serve.c. */
#pragma once

#include <microhttpd.h>

#include "serve/serve.h"

/* Hands over the body or the file of the reply. is_last: the connection ends after it. MHD_NO (it could
 * not be made) ends the connection at once. */
enum MHD_Result serve_reply_queue(struct MHD_Connection *connection, ServeReply *reply,
                                  bool is_last);
