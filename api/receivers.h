/* SPDX-License-Identifier: Apache-2.0 */
/* Where callbacks may go: prefixes of URLs, which the operator lists in the setting callback_allow.
 *
 *     rc = receivers_parse("https://example.org/hooks/ https://dpo.example.net/", &receivers);
 *     rc = receivers_check(receivers, url, subject);   MK_EUNPROCESSABLE: may not be called
 *     i = receivers_find(receivers, url);              whose it is, or RECEIVERS_NONE
 *     receivers_free(receivers);
 *
 * A prefix is compared byte by byte and holds scheme, host, port and the first slash of the path, so
 * that no parser of URLs, however it reads the rest, gets to another host.
 */
#ifndef MUNKEY_API_RECEIVERS_H
#define MUNKEY_API_RECEIVERS_H

#include <stddef.h>

#include "storage/state.h"

struct receivers; /* opaque */

#define RECEIVERS_NONE SIZE_MAX

/* Prefixes separated by spaces; none is fine.  MK_EINPUT with a sentence. */
int receivers_parse(const char *prefixes, struct receivers **ret_receivers);
void receivers_free(struct receivers *receivers);

size_t receivers_count(const struct receivers *receivers);
const char *receivers_prefix(const struct receivers *receivers, size_t i);
size_t receivers_find(const struct receivers *receivers, const char *url);

/* Whether a callback about the subject may go there.  The sentence does not repeat the URL. */
int receivers_check(const struct receivers *receivers, const char *url,
                    struct subject subject);

#endif
