/* SPDX-License-Identifier: Apache-2.0 */
/* The laws under which people ask for erasure, and the time that each gives for an answer.
 *
 *     rc = regime_find("gdpr", &regime);
 *     due = regime_due(regime, time(NULL));
 */
#ifndef MUNKEY_STORAGE_REGIME_H
#define MUNKEY_STORAGE_REGIME_H

#include <stdint.h>

enum { REGIME_SIZE = 16 }; /* of a name, with the final NUL */

struct regime {
    const char *name;
    int months, days;
};

/* name NULL: gdpr.  MK_EUNPROCESSABLE with a sentence that lists them. */
int regime_find(const char *name, const struct regime **ret_regime);

/* Unix seconds; by the calendar of UTC. */
int64_t regime_due(const struct regime *regime, int64_t received);

#endif
