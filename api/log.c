/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers may read of the log: checkpoint, proofs, tiles, keys. */
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

int proof_get(struct request *request, struct reply *ret_reply)
{
    uint64_t index = 0;
    char *text = NULL;
    if (!target_number(request->target->segment[2].data, &index))
        return fail(MK_EINPUT, "the index of a log entry has to be a decimal number");
    int rc = log_proof(request->service->state, index, &text);
    return send_text(ret_reply, "text/plain; charset=utf-8", rc, text);
}

int rotation_get(struct request *request, struct reply *ret_reply)
{
    uint64_t index = 0;
    char *text = NULL;
    if (!target_number(request->target->segment[2].data, &index))
        return fail(MK_EINPUT, "the index of a log entry has to be a decimal number");
    int rc = log_rotation(request->service->state, index, &text);
    return send_text(ret_reply, "text/plain; charset=utf-8", rc, text);
}

int consistency_get(struct request *request, struct reply *ret_reply)
{
    uint64_t from, to;
    char *text = NULL;
    if (!target_number(target_query(request->target, "from"), &from) ||
        !target_number(target_query(request->target, "to"), &to))
        return fail(MK_EINPUT, "say between which sizes of the log: ?from=N&to=N");
    int rc = log_consistency(request->service->state, from, to, &text);
    return send_text(ret_reply, "text/plain; charset=utf-8", rc, text);
}

/* The path as it was sent: a tile that could also be spelt with %30 would have two URLs. */
int tile_get(struct request *request, struct reply *ret_reply)
{
    struct tile tile;
    char *bytes;
    size_t len;
    int rc = tile_parse(request->raw_path + strlen("/log/tile/"), &tile);
    if (rc < 0 || (rc = log_tile(request->service->state, &tile, &bytes, &len)) < 0)
        return rc;
    rc = reply_bytes(ret_reply, 200, "application/octet-stream", bytes, len);
    free(bytes);
    if (rc == 0 && tile.width == TILE_WIDTH)
        ret_reply->cache = request->service->public_log
                               ? "public, max-age=31536000, immutable"
                               : "private, max-age=31536000, immutable";
    return rc;
}
