/* SPDX-License-Identifier: Apache-2.0 */
/* Comma-separated values (RFC 4180), read in place from a buffer. */
#include "daemon/csv.h"

#include <string.h>

#include "core/err.h"

/* "If double-quotes are used to enclose fields, then a double-quote appearing inside a
 * field must be escaped by preceding it with another double quote." (RFC 4180, 2.7)  The
 * text only becomes shorter, so that it is rewritten where it stands. */
static int quoted_field(struct csv *csv, char **ret_field)
{
    char *out = ++csv->at;

    *ret_field = out;
    for (;; csv->at++) {
        if (csv->at == csv->end || *csv->at == '\0')
            return fail(MK_EINPUT, "line %zu: a quote is not closed", csv->line);
        if (*csv->at == '"' && *++csv->at != '"')
            break;
        *out++ = *csv->at;
    }
    if (csv->at < csv->end && (*csv->at == '\0' || !strchr(",\r\n", *csv->at)))
        return fail(MK_EINPUT, "line %zu: text after a closing quote", csv->line);
    *out = '\0'; /* at the latest over the closing quote */
    return 0;
}

static int plain_field(struct csv *csv, char **ret_field)
{
    *ret_field = csv->at;
    csv->at += strcspn(csv->at, ",\r\n\"");
    if (csv->at < csv->end && (*csv->at == '"' || *csv->at == '\0'))
        return fail(MK_EINPUT, "line %zu: a quote or a zero byte inside a field",
                    csv->line);
    return 0;
}

/* Ends the field that at points behind; returns whether another follows in this row. */
static int end_field(struct csv *csv)
{
    const char separator = *csv->at;

    if (csv->at == csv->end)
        return 0;
    *csv->at++ = '\0';
    if (separator == '\r' && *csv->at == '\n')
        csv->at++;
    return separator == ',';
}

int csv_row(struct csv *csv, char **ret_fields, size_t max, size_t *ret_n)
{
    size_t n = 0;
    int rc, more;

    for (csv->line++; *csv->at == '\n' || *csv->at == '\r'; csv->at++)
        csv->line += *csv->at == '\n';
    if (csv->at == csv->end) {
        *ret_n = 0;
        return 0;
    }
    do {
        if (n == max)
            return fail(MK_EINPUT, "line %zu: more than %zu fields", csv->line, max);
        if ((rc = *csv->at == '"' ? quoted_field(csv, &ret_fields[n])
                                  : plain_field(csv, &ret_fields[n])) < 0)
            return rc;
        n++;
        more = end_field(csv);
    } while (more);
    *ret_n = n;
    return 0;
}
