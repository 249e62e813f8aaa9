/* SPDX-License-Identifier: Apache-2.0 */
/* Names of labels, where a set of labels is open.
 *
 *     record.label = label_code("4711");
 */
#ifndef MUNKEY_STORAGE_LABEL_H
#define MUNKEY_STORAGE_LABEL_H

#include <stdint.h>

/* The first 8 bytes of SHA-256(name), little-endian (core/label_code.h).  Its low half is
 * the label in an element of the memory digest. */
uint64_t label_code(const char *name);

#endif
