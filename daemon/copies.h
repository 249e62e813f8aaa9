/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a data set that are byte for byte the same: what the weights saw, they saw under every
 * name.
 *
 *     seen[i] = ...;                        of data.sample[i]
 *     rc = copies_spread(&data, seen);      and of each copy of it
 */
#ifndef MUNKEY_DAEMON_COPIES_H
#define MUNKEY_DAEMON_COPIES_H

#include "daemon/dataset.h"

/* data is read.  seen: (n).  Nothing is known of IDX files.  MK_ENOMEM. */
int copies_spread(const struct dataset *data, bool *seen);

#endif
