/* SPDX-License-Identifier: Apache-2.0 */
/* The policies of rate limits. */
#include "api/quota.h"

#include <stdlib.h>
#include <strings.h>

#include "api/handler.h"
#include "core/err.h"

struct quotas {
    unsigned window;
    unsigned requests[POLICIES];
    struct rate *rate[POLICIES]; /* NULL: no limit */
};

enum policy policy_of(enum scope scope)
{
    return (enum policy)(ffs((int)scope) - 1);
}

static const char *name_of(enum policy policy)
{
    if (policy == POLICY_ADDRESS)
        return "address";
    if (policy == POLICY_UNAUTHORIZED)
        return "unauthorized";
    return scope_name(1u << policy);
}

int quotas_new(const unsigned requests[static POLICIES], unsigned window,
               struct quotas **ret_quotas)
{
    struct quotas *quotas = calloc(1, sizeof *quotas);
    bool complete = quotas;
    for (size_t i = 0; complete && i < POLICIES; i++)
        if ((quotas->requests[i] = requests[i]))
            complete = (quotas->rate[i] = rate_new(requests[i], window));
    if (!complete) {
        quotas_free(quotas);
        return fail(MK_ENOMEM, "no memory for the rate limits");
    }
    quotas->window = window;
    *ret_quotas = quotas;
    return 0;
}

void quotas_free(struct quotas *quotas)
{
    for (size_t i = 0; quotas && i < POLICIES; i++)
        rate_free(quotas->rate[i]);
    free(quotas);
}

bool quota_take(struct quotas *quotas, enum policy policy, uint64_t caller, int64_t now,
                struct quota *ret_quota)
{
    struct quota quota = {name_of(policy), quotas->requests[policy], quotas->window, {0}};
    if (!quotas->rate[policy])
        return true;
    bool some = rate_take(quotas->rate[policy], caller, now, &quota.left);
    *ret_quota = quota;
    return some;
}

/* Without memory for them the reply goes without. */
void quota_tell(const struct quota *quota, struct reply *reply)
{
    if (!quota->policy)
        return;
    reply_header(reply, "RateLimit-Policy", "\"%s\";q=%u;w=%u", quota->policy,
                 quota->requests, quota->window);
    reply_header(reply, "RateLimit", "\"%s\";r=%u;t=%u", quota->policy,
                 quota->left.requests, quota->left.seconds);
}
