/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one subject's slots. */
#include "storage/read.h"

#include <stdlib.h>
#include <string.h>

int reader_open(struct state *state, uint32_t owner, struct reader *ret_reader)
{
    *ret_reader = (struct reader){.state = state, .owner = owner};
    if (owner == KEYRING_NONE)
        return 0;
    int rc = holdings_list(&state->holdings, owner, &ret_reader->slot, &ret_reader->n);
    return rc < 0 ? rc : keyring_data_key(state->keyring, owner, ret_reader->data_key);
}

int reader_read(const struct reader *reader, size_t i, struct instance *ret_instance)
{
    const struct state *state = reader->state;
    uint8_t body[SLOT_SIZE_MAX];
    int rc = store_slot_read(state->store, reader->slot[i], body);
    struct slot_place place = {keyring_at(state->keyring, reader->owner)->ref,
                               reader->data_key, reader->slot[i]};
    if (rc == 0)
        rc = slot_open(&state->shape, &place, body, ret_instance);
    crypto_wipe(body, sizeof body);
    return rc;
}

void reader_close(struct reader *reader)
{
    free(reader->slot);
    crypto_wipe(reader, sizeof *reader);
}
