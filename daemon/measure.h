/* SPDX-License-Identifier: Apache-2.0 */
/* munkey-train --evaluate: how well a model recognises the test images.
 *
 *     rc = measure(&options);
 */
#ifndef MUNKEY_DAEMON_MEASURE_H
#define MUNKEY_DAEMON_MEASURE_H

#include "daemon/train_options.h"

/* Prints the accuracy of options->evaluate and of what it is compared with. */
int measure(const struct train_options *options);

#endif
