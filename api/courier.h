/* SPDX-License-Identifier: Apache-2.0 */
/* The courier: a thread that takes callbacks where they have to go, and tries again when they are not
 * taken.
 *
 *     rc = courier_start(&options, &service, &courier);      after http_start()
 *     courier_stop(courier);                                 at once; what waits waits for the next start
 *
 * At least once: what was sent but not yet overwritten when the process ended is sent again, with the
 * same webhook-id.  It takes the state's mutex like a bulk of erasures, giving way, and never
 * while it waits for the network.
 */
#ifndef MUNKEY_API_COURIER_H
#define MUNKEY_API_COURIER_H

#include "api/service.h"

struct courier; /* opaque */

struct courier_options {
    const char *ca_file; /* PEM, or NULL for the system's certificates */
    int64_t seconds;     /* after so many a callback is given up */
};

int courier_start(const struct courier_options *options, const struct service *service,
                  struct courier **ret_courier);
void courier_stop(struct courier *courier);

#endif
