/* SPDX-License-Identifier: Apache-2.0 */
/* Bearer tokens in RAM: who may do what. */
#include "storage/tokens.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/token_file.h"

struct tokens {
    char *folder;
    pthread_rwlock_t lock; /* of list */
    struct token_list list;
};

int tokens_open(const char *folder, struct tokens **ret_tokens)
{
    struct tokens *tokens = calloc(1, sizeof *tokens);
    if (!tokens || !(tokens->folder = strdup(folder))) {
        free(tokens);
        return fail(MK_ENOMEM, "no memory for the tokens");
    }
    pthread_rwlock_init(&tokens->lock, NULL);
    int rc = token_file_read(tokens->folder, &tokens->list);
    if (rc < 0)
        tokens_close(tokens);
    else
        *ret_tokens = tokens;
    return rc;
}

int tokens_reload(struct tokens *tokens)
{
    struct token_list list;
    int rc = token_file_read(tokens->folder, &list);
    if (rc < 0)
        return rc;
    pthread_rwlock_wrlock(&tokens->lock);
    struct token_list old = tokens->list;
    tokens->list = list;
    pthread_rwlock_unlock(&tokens->lock);
    free(old.token);
    return 0;
}

void tokens_close(struct tokens *tokens)
{
    if (!tokens)
        return;
    pthread_rwlock_destroy(&tokens->lock);
    free(tokens->list.token);
    free(tokens->folder);
    free(tokens);
}

/* Without a digest's preimage nobody can choose its bytes, so that even a comparison that ends at
 * the first difference would teach little; one that goes to the end teaches nothing. */
unsigned tokens_scopes(struct tokens *tokens, const char *token, int64_t now,
                       uint64_t *ret_caller)
{
    uint8_t digest[SHA256_SIZE];
    unsigned granted = 0;
    crypto_sha256(token, strlen(token), digest);
    pthread_rwlock_rdlock(&tokens->lock);
    for (size_t i = 0; i < tokens->list.n; i++) {
        const struct token *known = &tokens->list.token[i];
        if (crypto_equal(known->digest, digest, sizeof digest) &&
            (known->info.expires == 0 || now < known->info.expires))
            granted |= known->info.scopes;
    }
    pthread_rwlock_unlock(&tokens->lock);
    if (granted && ret_caller)
        memcpy(ret_caller, digest, sizeof *ret_caller);
    return granted;
}
