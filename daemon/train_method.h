/* SPDX-License-Identifier: Apache-2.0 */
/* munkey-train's options for what a model is and how it learns: sizes, and the choices of the
 * method.
 *
 *     struct train_choices choices = train_choices_default;
 *     ... argp with train_method_argp as a child, whose input is &choices ...
 *     rc = train_choices_apply(&choices, &shape, &method);
 */
#ifndef MUNKEY_DAEMON_TRAIN_METHOD_H
#define MUNKEY_DAEMON_TRAIN_METHOD_H

#include <argp.h>

#include "core/train.h"

enum { SETTINGS_MAX = 24 };

struct train_choices {
    struct train_method method;
    bool symmetric, inverted;
    const char *setting[SETTINGS_MAX]; /* "d=64": borrowed from argv */
    size_t settings;
};
extern const struct argp train_method_argp;

/* Starts from nothing said. */
struct train_choices train_choices_new(void);

/* Changes a profile's shape; MK_EINPUT names the size that there is not, or what it has to be. */
int train_choices_apply(const struct train_choices *choices, struct shape *shape);

/* The options that say it again: " --set d=64 --attention sym"; "" when all is as suggested. */
void train_choices_text(const struct train_choices *choices, char *ret_text, size_t size);

#endif
