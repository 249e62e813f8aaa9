/* SPDX-License-Identifier: Apache-2.0 */
/* What a finished training run found out about itself, for people; and what they should worry
 * about. */
#ifndef MUNKEY_DAEMON_TRAIN_REPORT_H
#define MUNKEY_DAEMON_TRAIN_REPORT_H

#include <stdio.h>

#include "core/train.h"

/* n_val: rows of calibration.  Returns how many warnings were printed. */
int report_findings(FILE *out, const struct train_findings *findings,
                    const struct model_info *info, size_t n_val);

#endif
