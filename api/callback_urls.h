/* SPDX-License-Identifier: Apache-2.0 */
/* `callback_urls` of a request for erasure.
 *
 *     rc = callback_urls_read(json, service->receivers, subject, name, urls, &n);
 */
#ifndef MUNKEY_API_CALLBACK_URLS_H
#define MUNKEY_API_CALLBACK_URLS_H

#include <jansson.h>

#include "api/receivers.h"
#include "storage/callback.h"

/* Borrowed from the object, which need not have any.  name is what the request is called; it is told
 * to the receivers.  MK_EINPUT, MK_EUNPROCESSABLE. */
int callback_urls_read(const json_t *object, const struct receivers *receivers,
                       struct subject subject, const char *name,
                       const char *ret_urls[static CALLBACKS_EACH], size_t *ret_n);

#endif
