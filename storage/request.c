/* SPDX-License-Identifier: Apache-2.0 */
/* What became of requests for erasure. */
#include "storage/request.h"

#include <string.h>
#include <time.h>

#include "core/err.h"
#include "storage/opening.h"

static const int64_t kept_seconds = REQUEST_DAYS * INT64_C(86400);

static void make_tag(const struct state *state, struct bytes name,
                     uint8_t ret_tag[static SHA256_SIZE])
{
    opening_request_tag(keyring_tag_key(state->keyring), name, ret_tag);
}

int request_times(const struct petition *petition, struct request_row *ret_row)
{
    uint8_t tag[SHA256_SIZE];
    make_tag(petition->state, petition->request, tag);
    return store_request_read(petition->state->store, tag, ret_row);
}

int request_find(struct petition *petition, const struct regime *regime, int64_t received,
                 struct request_row *ret_row)
{
    struct request_row row = {.received = received, .due = regime_due(regime, received)};
    strcpy(row.regulation, regime->name);
    struct request_row before;
    int rc = request_times(petition, &before);
    if (rc == 0 && before.held) {
        row = before;
        row.held = false;
        rc = petition_check(petition, before.pepper, before.commit);
    }
    if (rc < 0 && rc != MK_ENOTFOUND)
        return rc;
    *ret_row = row;
    return 0;
}

int request_keep(const struct petition *petition, int64_t now, struct request_row *row)
{
    uint8_t tag[SHA256_SIZE];
    row->answered = now;
    if (row->held) {
        row->pepper = petition->pepper_made;
        memcpy(row->commit, petition->commit, SHA256_SIZE);
    }
    make_tag(petition->state, petition->request, tag);
    return store_request_write(petition->state->store, tag, row);
}

int request_expire(struct state *state, int64_t now)
{
    return store_requests_expire(state->store, now - kept_seconds);
}

int request_read(struct state *state, const char *name, struct request_row *ret_row)
{
    uint8_t tag[SHA256_SIZE];
    struct request_row row;
    pthread_mutex_lock(&state->mutex);
    make_tag(state, (struct bytes){name, strlen(name)}, tag);
    int rc = store_request_read(state->store, tag, &row);
    pthread_mutex_unlock(&state->mutex);
    if (rc == MK_ENOTFOUND || (rc == 0 && row.answered < time(NULL) - kept_seconds))
        return fail(MK_ENOTFOUND,
                    "no request of this name is known; rows are deleted %d days "
                    "after their answer",
                    REQUEST_DAYS);
    if (rc == 0)
        *ret_row = row;
    return rc;
}

int requests_held(struct state *state, size_t max, struct request_row *ret_rows,
                  size_t *ret_n, uint64_t *ret_total)
{
    pthread_mutex_lock(&state->mutex);
    int rc = store_requests_held(state->store, max, ret_rows, ret_n, ret_total);
    pthread_mutex_unlock(&state->mutex);
    return rc;
}
