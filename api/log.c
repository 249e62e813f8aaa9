/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers may read of the log: checkpoint, proofs, keys. */
#include <stdlib.h>
#include <string.h>

#include "api/routes.h"
#include "core/err.h"
#include "storage/log.h"

/* Sends text, or hands the error up.  Takes text. */
static int send_text(struct reply *reply, const char *media, int rc, char *text_take)
{
    if (rc < 0)
        return rc;
    rc = reply_text(reply, 200, media, text_take);
    free(text_take);
    return rc;
}

int checkpoint_get(struct request *request, struct reply *ret_reply)
{
    char *text = NULL;
    int rc = log_checkpoint(request->service->state, &text);
    return send_text(ret_reply, "text/plain; charset=utf-8", rc, text);
}

int vkey_get(struct request *request, struct reply *ret_reply)
{
    char *text = NULL;
    int rc = log_vkey(request->service->state, &text);
    return send_text(ret_reply, "text/plain; charset=utf-8", rc, text);
}

/* RFC 7517, 8.5.2. */
int jwks_get(struct request *request, struct reply *ret_reply)
{
    char *text = NULL;
    int rc = log_jwks(request->service->state, &text);
    return send_text(ret_reply, "application/jwk-set+json", rc, text);
}

/* Digits alone, without a leading zero: one index has one URL. */
static int parse_index(const char *text, uint64_t *ret_index)
{
    size_t len = strlen(text);
    if (len == 0 || len > 15 || text[strspn(text, "0123456789")] ||
        (text[0] == '0' && len > 1))
        return fail(MK_EINPUT, "the index of a log entry has to be a decimal number");
    *ret_index = strtoull(text, NULL, 10);
    return 0;
}

int proof_get(struct request *request, struct reply *ret_reply)
{
    uint64_t index = 0;
    char *text = NULL;
    int rc = parse_index(request->target->segment[2].data, &index);
    if (rc == 0)
        rc = log_proof(request->service->state, index, &text);
    return send_text(ret_reply, "text/plain; charset=utf-8", rc, text);
}
