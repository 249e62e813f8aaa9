/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: the sentence of a thread's last failure. */
#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char why[512] = "no failure so far";
static _Thread_local char where[128] = "nowhere";

int fail_at(const char *file, int line, const char *format, ...)
{
    char sentence[sizeof why]; /* the arguments may hold the last one */
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    memcpy(why, sentence, sizeof why);
    snprintf(where, sizeof where, "%s:%d", file, line);
    return 0;
}

const char *err_why(void)
{
    return why;
}

const char *err_where(void)
{
    return where;
}

const char *err_text(int err)
{
    switch (err) {
#define MK_TEXT(name, number, text)                                                      \
    case name:                                                                           \
        return text;
        MK_ERRORS(MK_TEXT)
#undef MK_TEXT
    }
    return "no error";
}
