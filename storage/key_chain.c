/* SPDX-License-Identifier: Apache-2.0 */
/* A log's keys in their order. */
#include "storage/key_chain.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"

static bool same_key(const struct note_key *a, const struct note_key *b)
{
    return strcmp(a->name, b->name) == 0 && !memcmp(a->public, b->public, ED25519_SIZE);
}

static bool is_in(const struct key_chain *chain, const struct note_key *key)
{
    for (size_t i = 0; i < chain->n; i++)
        if (same_key(&chain->key[i], key))
            return true;
    return false;
}

static int add(struct key_chain *chain, const struct note_key *key)
{
    if (strcmp(key->name, chain->origin) != 0 || is_in(chain, key))
        return fail(MK_EINPUT, "a key of another log, or one that was this log's before");
    struct note_key *grown = realloc(chain->key, (chain->n + 1) * sizeof *grown);
    if (!grown)
        return fail(MK_ENOMEM, "no memory for the log's keys");
    grown[chain->n++] = *key;
    chain->key = grown;
    return 0;
}

int key_chain_follow(struct key_chain *chain, const struct entry *rotate)
{
    struct note_key old, new;
    int rc;
    if ((rc = note_vkey_parse(rotate->old, strlen(rotate->old), &old)) < 0 ||
        (rc = note_vkey_parse(rotate->new, strlen(rotate->new), &new)) < 0 ||
        (chain->n == 0 && (rc = add(chain, &old)) < 0))
        return rc;
    if (!same_key(&old, &chain->key[chain->n - 1]))
        return fail(MK_EINPUT, "it does not rotate away from the key before");
    return add(chain, &new);
}

int key_chain_trust(struct key_chain *chain, const char *vkeys)
{
    struct note_key *given = NULL;
    size_t n = 0;
    int rc = note_vkeys_parse(vkeys, &given, &n);
    if (rc == 0 && n == 0)
        rc = fail(MK_EINPUT, "no verifier key was given");
    if (rc == 0 && chain->n == 0)
        rc = add(chain, &given[0]);
    for (size_t i = 0; rc == 0 && i < n; i++)
        if (!is_in(chain, &given[i]))
            rc = fail(MK_EINPUT, "a verifier key that was given is none of the log's");
    free(given);
    return rc;
}

const struct note_key *key_chain_last(const struct key_chain *chain)
{
    return chain->n > 0 ? &chain->key[chain->n - 1] : NULL;
}

char *key_chain_vkeys(const struct key_chain *chain)
{
    char *text = calloc(1, chain->n * VKEY_SIZE + 1), *at = text;
    for (size_t i = 0; text && i < chain->n; i++) {
        note_vkey(&chain->key[i], at);
        at = strchr(at, '\0');
        *at++ = '\n';
    }
    return text;
}

void key_chain_done(struct key_chain *chain)
{
    free(chain->key);
    *chain = (struct key_chain){0};
}
