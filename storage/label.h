/* SPDX-License-Identifier: Apache-2.0 */
/* Names of labels, where a set of labels is open.
 *
 *     if ((rc = label_check(name)) < 0)
 *         return rc;
 *     record.label = label_code(name);
 */
#ifndef MUNKEY_STORAGE_LABEL_H
#define MUNKEY_STORAGE_LABEL_H

#include <stdint.h>

#include "core/memory.h"
#include "core/model.h"

/* A name is 1 to 63 bytes of UTF-8 without control characters, compared as bytes.
 * MK_EUNPROCESSABLE. */
int label_check(const char *name);

/* The first 8 bytes of SHA-256(name), little-endian (core/label_code.h). */
uint64_t label_code(const char *name);

/* Its low half: the label in an element of the memory digest. */
uint32_t label_element(const char *name);

/* Gives the empty bank of a model of open labels those that are built in.  MK_EREFUSED, MK_ENOMEM. */
int label_open(struct memory *bank, const struct model_info *model);

#endif
