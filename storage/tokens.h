/* SPDX-License-Identifier: Apache-2.0 */
/* Bearer tokens: the file `tokens` of the state folder holds, a line each, an id, the
 * SHA-256 of the token, its scopes and its expiry.  The token itself is shown once and
 * never stored. */
#ifndef MUNKEY_STORAGE_TOKENS_H
#define MUNKEY_STORAGE_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a route asks for and a token grants. */
enum scope {
    SCOPE_NONE = 0,
    SCOPE_PREDICT = 1 << 0,
    SCOPE_ENROLL = 1 << 1,
    SCOPE_ERASE = 1 << 2,
    SCOPE_ACCESS = 1 << 3,
    SCOPE_RESTRICT = 1 << 4,
    SCOPE_AUDIT = 1 << 5,
    SCOPE_ADMIN = 1 << 6,
    SCOPE_ALL = (1 << 7) - 1,
};

struct tokens; /* opaque; safe to read from many threads while tokens_reload() swaps the
                  list */

int tokens_open(const char *folder, struct tokens **ret_tokens);
int tokens_reload(struct tokens *tokens); /* on failure the old list stays */
void tokens_close(struct tokens *tokens);

/* The scopes of a token as sent; 0: unknown or expired.  What it compares are digests, all of
 * them and to their ends: the time says nothing about the tokens that there are.  ret_caller, which
 * may be NULL: a number that stands for the token. */
unsigned tokens_scopes(struct tokens *tokens, const char *token, int64_t now,
                       uint64_t *ret_caller);

/* Appends a fresh token; ret_token is what the caller shows once.  expires: Unix seconds,
 * 0 for never. */
int tokens_add(const char *folder, unsigned scopes, int64_t expires,
               char ret_id[static 17], char ret_token[static 64]);

/* What the file says of one token. */
struct token_info {
    char id[17];
    unsigned scopes;
    int64_t expires; /* Unix seconds, 0: never */
};

/* All of them, in the file's order; the caller frees ret_list. */
int tokens_list(const char *folder, struct token_info **ret_list, size_t *ret_n);

/* Takes a token out of the file; MK_ENOTFOUND. */
int tokens_revoke(const char *folder, const char *id);

/* "predict,erase" or "all"; MK_EINPUT names the scope that is unknown. */
int scopes_parse(const char *text, unsigned *ret_scopes);
const char *scope_name(enum scope scope);

#endif
