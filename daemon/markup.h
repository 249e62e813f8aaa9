/* SPDX-License-Identifier: Apache-2.0 */
/* Text of HTML and SVG, where nothing that is put in can become markup.
 *
 *     markup(out, "<td class=\"%s\">%.2f</td>", kind, 100 * accuracy);
 *
 * Formats are checked as printf's are.  Equal arguments give equal bytes.
 */
#ifndef MUNKEY_DAEMON_MARKUP_H
#define MUNKEY_DAEMON_MARKUP_H

#include <stdio.h>

/* Understands %s (escaped, for text and for quoted attributes), %d, %zu, %.Nf with one
 * digit N, and %%.  A number is finite.  out tells its errors itself: ferror(). */
void markup(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

enum { NUMBER_MAX = 32 };
struct number {
    char text[NUMBER_MAX];
};

/* For people: so many decimals, and a minus sign that is none of a hyphen. */
struct number number_fixed(double value, int decimals);
/* So many significant digits at least, and no exponent; up to 9 decimals. */
struct number number_significant(double value, int digits);
int number_decimals(double value, int digits);

#endif
