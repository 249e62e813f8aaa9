/* SPDX-License-Identifier: Apache-2.0 */
/* Who may: bearer tokens (RFC 6750) and their scopes. */
#ifndef MUNKEY_API_AUTH_H
#define MUNKEY_API_AUTH_H

#include "storage/tokens.h"

/* 0: the Authorization header (or NULL) grants the scope.  401: no token, or none that is
 * valid now; 403: a token without the scope.  err_why() says which scope is needed.  A token that is
 * valid is ret_caller; else that is left as it was. */
unsigned auth_check(struct tokens *tokens, const char *authorization, enum scope scope,
                    uint64_t *ret_caller);

#endif
