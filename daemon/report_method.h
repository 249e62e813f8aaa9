/* SPDX-License-Identifier: Apache-2.0 */
/* The methods and forget sets of a study: their names for people, and what they are compared with.
 *
 *     n = methods_of(results, "random-10", methods);
 *     methods[0].title, methods[0].oracle
 */
#ifndef MUNKEY_DAEMON_REPORT_METHOD_H
#define MUNKEY_DAEMON_REPORT_METHOD_H

#include "daemon/results.h"

/* Also the style of its marks in charts. */
enum group {
    GROUP_OURS,
    GROUP_ORACLE,
    GROUP_POSTHOC,
    GROUP_DESIGN,
    GROUP_OTHER,
    GROUP_BEFORE
};

struct method {
    const char *name; /* in the lines */
    const char *title;
    enum group group;
    const char *oracle; /* the row that was retrained in its form; NULL: it has none */
};

enum { METHODS_MAX = 40 };

/* Those that were measured on a forget set, in the order of the table; methods without a
 * title keep their names, at the end. */
size_t methods_of(const struct results *results, const char *forget,
                  struct method ret_methods[static METHODS_MAX]);

const char *group_title(enum group group);

/* "random-10" is "Random 10 %"; a set of an unknown kind keeps its name. */
enum { FORGETS_MAX = 16 };
struct title {
    char text[96];
};
struct title forget_title(const char *forget);

#endif
