/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of many images, on several threads: what an import stores.
 *
 *     rc = keymaker_new(model, &data, 2, &keymaker);
 *     rc = keymaker_run(keymaker, items, n, &rows);
 *     rc = import_rows(state, &import, class, rows, n, next);
 *     keymaker_free(keymaker);
 */
#ifndef MUNKEY_DAEMON_KEYMAKER_H
#define MUNKEY_DAEMON_KEYMAKER_H

#include "daemon/intake.h"
#include "storage/enroll.h"

struct keymaker;

/* Model and data are borrowed.  threads: 1 to THREADS_MAX.  MK_ENOMEM. */
int keymaker_new(const struct model *model, const struct dataset *data, size_t threads,
                 struct keymaker **ret_keymaker);
void keymaker_free(struct keymaker *keymaker); /* wipes; takes NULL */

/* Rows of at most ENROLL_MAX items; keys do not depend on which thread computes them
 * (docs/MODEL.md).  ret_rows: until the next call.  MK_EINPUT: an image changed since it was
 * looked at. */
int keymaker_run(struct keymaker *keymaker, const struct item *items, size_t n,
                 const struct import_row **ret_rows);

#endif
