/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a report, in their order; each says so when its lines are missing.
 *
 *     report_studied(out, results);
 *     report_verdict(out, results);
 *     ...
 */
#ifndef MUNKEY_DAEMON_REPORT_PARTS_H
#define MUNKEY_DAEMON_REPORT_PARTS_H

#include <stdio.h>

#include "daemon/report_method.h"
#include "daemon/results.h"

void report_studied(FILE *out, const struct results *results);
void report_verdict(FILE *out, const struct results *results);
void report_tables(FILE *out, const struct results *results);
void report_passes(FILE *out, const struct results *results);
void report_attacks(FILE *out, const struct results *results);
void report_roc(FILE *out, const struct results *results);
void report_time(FILE *out, const struct results *results);
void report_price(FILE *out, const struct results *results);
void report_shares(FILE *out, const struct results *results);
void report_ablations(FILE *out, const struct results *results);
void report_exact(FILE *out, const struct results *results);
void report_cost(FILE *out, const struct results *results);
void report_limits(FILE *out, const struct results *results);

/* A heading that the page's list of contents can point to. */
void report_section(FILE *out, const char *id, const char *title);

/* "Not part of this study: ..." */
void report_missing(FILE *out, const char *what);

/* The sign of a style, beside a word. */
void report_sign(FILE *out, unsigned style);

/* "88.12", or "88.12 +- 0.31" where there is an interval. */
struct figure {
    char text[80];
};
struct figure report_figure(const struct estimate *estimate, int decimals);

/* The forget set that charts are about: the one that most methods were measured on, and of
 * several the first; NULL: none was measured. */
const char *report_forget(const struct results *results);

/* The forget sets of a kind's lines: that one first, the others in the order of the lines. */
size_t report_forgets(const struct results *results, const char *kind,
                      const char *ret_forgets[static FORGETS_MAX]);

#endif
