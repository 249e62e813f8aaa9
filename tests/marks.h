/* SPDX-License-Identifier: Apache-2.0 */
/* Floats that nobody else has, and how many of them this process still holds.
 *
 *     mark(a, n);
 *     ... free(a);
 *     assert_int_equal(marks_left(), 0);
 */
#ifndef MUNKEY_TESTS_MARKS_H
#define MUNKEY_TESTS_MARKS_H

#include <stddef.h>

void mark(float *ret_values, size_t n);
size_t marks_left(void);

#endif
