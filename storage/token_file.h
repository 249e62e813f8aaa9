/* SPDX-License-Identifier: Apache-2.0 */
/* The file `tokens` as tokens.c reads it; adding, listing and revoking stand in tokens.h.
 */
#ifndef MUNKEY_STORAGE_TOKEN_FILE_H
#define MUNKEY_STORAGE_TOKEN_FILE_H

#include "storage/crypto.h"
#include "storage/tokens.h"

struct token {
    struct token_info info;
    uint8_t digest[SHA256_SIZE]; /* of the token as sent */
};

struct token_list {
    struct token *token;
    size_t n;
};

/* No file: no tokens, and nobody is let in.  MK_EINPUT names the line that is wrong.  The
 * caller frees ret_list->token. */
int token_file_read(const char *folder, struct token_list *ret_list);

#endif
