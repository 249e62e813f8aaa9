/* SPDX-License-Identifier: Apache-2.0 */
/* The headers that cmocka wants before its own, in their order. */
#ifndef MUNKEY_TESTS_CHECK_H
#define MUNKEY_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* ours says why */

#include "core/err.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Fails the test with the sentence of the failure, which a bare number would hide. */
#define assert_ok(call) assert_ok_at(__FILE__, __LINE__, #call, call)
static inline void assert_ok_at(const char *file, int line, const char *call, int rc)
{
    if (rc < 0) {
        print_error("%s: %s (%s)\n", call, err_why(), err_where());
        _fail(file, line);
    }
}

#endif
