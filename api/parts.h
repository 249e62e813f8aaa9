/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that several replies share.  NULL when there is no memory for it, which
 * json_pack() and reply_json() pass on. */
#ifndef MUNKEY_API_PARTS_H
#define MUNKEY_API_PARTS_H

#include <jansson.h>

#include "api/image.h"
#include "api/service.h"

json_t *json_hex(const uint8_t *bytes, size_t len);
json_t *json_time(int64_t seconds);                   /* of Unix, as RFC 3339 in UTC */
json_t *json_digest(const uint8_t sha256[static 32]); /* "sha256:..." */
json_t *json_hold(char basis, int64_t until); /* {"basis", "until"}; basis 0: null */
json_t *json_memory(const struct memory_state *memory); /* {"n", "digest"} */
json_t *json_model(const struct service *service);      /* {"name", "digest"} */

/* The labels that a prediction is about.  Of an open set the caller holds the bank's shared lock as
 * long as it uses them. */
struct label_list service_labels(const struct service *service);
/* How many there are now; those of an open set come and go. */
size_t service_count_labels(const struct service *service);

/* Whether requests are taken; MK_EBUSY: munkeyd is shutting down. */
int service_ready(const struct service *service);

/* The memory as the next search would see it. */
struct memory_state memory_now(const struct service *service);

/* What the model reads, and how much of it may come. */
struct shape service_shape(const struct service *service);
size_t shape_size(const struct shape *shape); /* bytes of one input */

/* input: H * W * C numbers from 0 to 255, row-major, channel last; fractions are rounded
 * half to even.  MK_EINPUT: no numbers, or out of range; MK_EUNPROCESSABLE: another
 * count. */
int pixels_from_json(const json_t *input, const struct shape *shape, uint8_t *ret_pixels);

#endif
