/* SPDX-License-Identifier: Apache-2.0 */
/* Who may: bearer tokens and their scopes. */
#include "api/auth.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "api/headers.h"

unsigned auth_check(struct tokens *tokens, const char *authorization, enum scope scope,
                    uint64_t *ret_caller)
{
    static const char scheme[] = "Bearer ";
    if (scope == SCOPE_NONE)
        return 0;
    if (!authorization || strncasecmp(authorization, scheme, strlen(scheme)) != 0)
        return refuse(401,
                      "this needs `Authorization: Bearer TOKEN` with the scope `%s`; "
                      "`munkeyctl token` makes one",
                      scope_name(scope));
    unsigned scopes =
        tokens_scopes(tokens, authorization + strlen(scheme), time(NULL), ret_caller);
    if (!scopes)
        return refuse(401, "the token is not known here or has expired");
    if (!(scopes & scope))
        return refuse(403, "the token lacks the scope `%s`", scope_name(scope));
    return 0;
}
