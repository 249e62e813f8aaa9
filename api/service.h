/* SPDX-License-Identifier: Apache-2.0 */
/* What every handler works on: the running service's parts, borrowed from the daemon. */
#ifndef MUNKEY_API_SERVICE_H
#define MUNKEY_API_SERVICE_H

#include "api/quota.h"
#include "core/memory.h"
#include "core/model.h"
#include "storage/state.h"
#include "storage/tokens.h"

/* Limits on everything that a caller can make us allocate.  munkeyd.conf sets them. */
struct limits {
    size_t predict_body, json_body; /* bytes: /predict and batches; everything else */
    size_t batch;                   /* images in one request */
    uint32_t image_side;            /* pixels, before decoding */
    size_t image_pixels;
    unsigned queue;       /* waiting predictions; more are 503 */
    unsigned connections; /* in all */
    unsigned connections_per_ip;
    unsigned request_seconds; /* time to send a request; then 408 */
    unsigned idle_seconds;    /* a connection that says nothing */
    unsigned rate[POLICIES];  /* requests of one caller in rate_window; 0: no limit */
    unsigned rate_window;     /* seconds */
};

struct service {
    const struct model *model;
    uint8_t model_sha256[32]; /* of the model file */
    struct memory *bank;
    struct state *state;
    struct tokens *tokens;
    struct limits limits;
    const char *residual; /* JSON that munkey-eval audit wrote about the model; or NULL */
    bool public_log;      /* log, keys and receipts are readable without a token */
    const struct receivers *receivers; /* where callbacks may go */
    struct tls *tls;                   /* NULL: without */
    struct lanes *lanes;               /* set by http_start(), */
    struct quotas *quotas;             /* as are these */
    char *openapi;                     /* the interface as a document (api/openapi.h) */
    struct metrics *metrics;           /* and what it counts; NULL: nothing */
    _Atomic bool draining;             /* set by http_drain(): /readyz answers 503 */
};

#endif
