/* SPDX-License-Identifier: Apache-2.0 */
/* The receipt of a log entry and the proof that it stands in the tree. */
#include "storage/answer.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/state_private.h"

static int fill(struct state *state, const struct entry_row *row,
                struct answer *ret_answer)
{
    struct entry entry;
    int rc = entry_parse(row->bytes, row->len, &entry);
    if (rc < 0)
        return fail(MK_ESTORE, "log entry %llu cannot be read",
                    (unsigned long long)ret_answer->index);
    ret_answer->act = entry.act;
    ret_answer->iat = entry.iat;
    ret_answer->exact = entry.exact;
    ret_answer->trained = entry.trained;
    merkle_leaf(row->bytes, row->len, ret_answer->leaf_hash);
    rc = receipt_write(row->kid, row->bytes, row->len, row->signature,
                       &ret_answer->receipt);
    return rc < 0 ? rc : state_prove(state, ret_answer->index, &ret_answer->proof);
}

int answer_make(struct state *state, uint64_t index, struct answer *ret_answer)
{
    struct answer answer = {.index = index};
    struct entry_row row;
    int rc = store_entry_read(state->store, index, &row);
    if (rc < 0)
        return rc;
    rc = row.kid[0] ? fill(state, &row, &answer)
                    : fail(MK_ENOTFOUND, "log entry %llu has no receipt",
                           (unsigned long long)index);
    entry_row_done(&row);
    if (rc < 0)
        answer_done(&answer);
    else
        *ret_answer = answer; /* transferred */
    return rc;
}

int answer_read(struct state *state, uint64_t index, struct answer *ret_answer)
{
    pthread_mutex_lock(&state->mutex);
    int rc = answer_make(state, index, ret_answer);
    pthread_mutex_unlock(&state->mutex);
    return rc;
}

void answer_done(struct answer *answer)
{
    free(answer->receipt);
    free(answer->proof);
    crypto_wipe(answer, sizeof *answer);
}
