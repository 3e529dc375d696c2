/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DEMO_ROUTES_H
#define DEMO_ROUTES_H

#include "http.h"
#include "work.h"

enum { BODY_MAX_BYTES = 512 };

/* Serve one request: write the answer's body, JSON and a NUL, and return its status. */
int routes_serve(struct work *work, struct scratch *scratch, const struct http_request *request, char body[BODY_MAX_BYTES]);

/* The body of an answer that only says what went wrong. Returns status. */
int routes_refuse(int status, const char *why, char body[BODY_MAX_BYTES]);

#endif
