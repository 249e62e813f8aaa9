/* SPDX-License-Identifier: Apache-2.0 */
/* What can be read again while munkeyd serves: the tokens and the certificate. */
#ifndef MUNKEY_API_RELOAD_H
#define MUNKEY_API_RELOAD_H

#include "api/service.h"

/* Both, each for itself: what cannot be read stays as it was.  The log says what happened, and so
 * does err_why() of a failure. */
int service_reload(struct service *service);

/* A line in the log about a certificate that clients refuse, or soon will. */
void service_check_certificate(const struct service *service);

#endif
