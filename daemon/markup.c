/* SPDX-License-Identifier: Apache-2.0 */
/* Text of HTML and SVG, escaped. */
#include "daemon/markup.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

enum { FIXED_MAX = 352 }; /* DBL_MAX has 309 digits */

static void put_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        case 127:
        case 1 ... 8:
        case 11 ... 31: /* no character of XML */
            fputs("\xEF\xBF\xBD", out);
            break;
        default:
            fputc(*text, out);
        }
    }
}

/* -0.0 becomes 0.0.  No program here calls setlocale(): the point is a full stop. */
static void fixed(double value, int decimals, char ret_text[static FIXED_MAX])
{
    assert(isfinite(value) && decimals >= 0 && decimals <= 9);
    int n = snprintf(ret_text, FIXED_MAX, "%.*f", decimals, value);
    if (*ret_text == '-' && !strpbrk(ret_text, "123456789"))
        memmove(ret_text, ret_text + 1, (size_t)n);
}

static void put_fixed(FILE *out, double value, int decimals)
{
    char text[FIXED_MAX];
    fixed(value, decimals, text);
    fputs(text, out);
}

/* One conversion; returns where the format goes on. */
static const char *put_one(FILE *out, const char *format, va_list *arguments)
{
    switch (*format) {
    case 's':
        put_escaped(out, va_arg(*arguments, const char *));
        return format + 1;
    case 'd':
        fprintf(out, "%d", va_arg(*arguments, int));
        return format + 1;
    case 'z':
        fprintf(out, "%zu", va_arg(*arguments, size_t));
        return format + 2;
    case '.':
        put_fixed(out, va_arg(*arguments, double), format[1] - '0');
        return format + 3;
    default:
        assert(*format == '%');
        fputc('%', out);
        return format + 1;
    }
}

void markup(FILE *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    while (*format) {
        size_t plain = strcspn(format, "%");
        fwrite(format, 1, plain, out);
        format += plain;
        if (*format == '%')
            format = put_one(out, format + 1, &arguments);
    }
    va_end(arguments);
}

struct number number_fixed(double value, int decimals)
{
    struct number number;
    char text[FIXED_MAX];
    fixed(value, decimals, text);
    bool negative = *text == '-';
    snprintf(number.text, sizeof number.text, "%s%.24s", negative ? "\xE2\x88\x92" : "",
             text + negative);
    return number;
}

int number_decimals(double value, int digits)
{
    int decimals = value == 0 ? 0 : digits - 1 - (int)floor(log10(fabs(value)));
    return decimals < 0 ? 0 : decimals > 9 ? 9 : decimals;
}

struct number number_significant(double value, int digits)
{
    return number_fixed(value, number_decimals(value, digits));
}
