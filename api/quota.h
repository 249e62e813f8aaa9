/* SPDX-License-Identifier: Apache-2.0 */
/* Which limit a request falls under, and what its reply says of it: the header fields
 * RateLimit-Policy and RateLimit of draft-ietf-httpapi-ratelimit-headers-11.
 *
 *     if (!quota_take(quotas, policy_of(scope), caller, now, &quota))
 *         ... 429
 *     quota_tell(&quota, reply);
 */
#ifndef MUNKEY_API_QUOTA_H
#define MUNKEY_API_QUOTA_H

#include "api/rate.h"
#include "storage/tokens.h"

/* One for each scope, of which each token has its own; and two of which each address has. */
enum policy {
    POLICY_PREDICT,
    POLICY_ENROLL,
    POLICY_ERASE,
    POLICY_ACCESS,
    POLICY_RESTRICT,
    POLICY_AUDIT,
    POLICY_ADMIN,
    POLICY_ADDRESS,      /* what needs no token */
    POLICY_UNAUTHORIZED, /* what is refused with 401 */
    POLICIES
};

struct quotas; /* opaque */
struct reply;

/* What is left of one policy to one caller. */
struct quota {
    const char *policy; /* NULL: not limited */
    unsigned requests, window;
    struct rate_left left;
};

/* requests: of each policy in a window of so many seconds, 0: not limited. */
int quotas_new(const unsigned requests[static POLICIES], unsigned window,
               struct quotas **ret_quotas);
void quotas_free(struct quotas *quotas);

/* caller: what stands for a token or an address.  False: that was one too many. */
bool quota_take(struct quotas *quotas, enum policy policy, uint64_t caller, int64_t now,
                struct quota *ret_quota);

/* Adds the two fields, if there is a limit. */
void quota_tell(const struct quota *quota, struct reply *reply);

enum policy policy_of(enum scope scope);

#endif
