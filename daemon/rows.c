/* SPDX-License-Identifier: Apache-2.0 */
/* Which image belongs to whom: the CSV file of an import. */
#include "daemon/rows.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/csv.h"
#include "storage/crypto.h"

enum { INDEX, SUBJECT, PROVENANCE, COLUMNS = PROVENANCE + PROVENANCE_FIELDS };

/* column[i] says what the i-th field is. */
struct header {
    int column[COLUMNS];
    size_t n;
};

static int column_named(const char *name)
{
    if (strcmp(name, "index") == 0)
        return INDEX;
    if (strcmp(name, "subject") == 0)
        return SUBJECT;
    for (int i = 0; i < PROVENANCE_FIELDS; i++)
        if (strcmp(name, provenance_names[i]) == 0)
            return PROVENANCE + i;
    return -1;
}

/* A first line that is no header may hold an id: its text stays out of the sentences. */
static int read_header(struct csv *csv, struct header *ret_header)
{
    struct header header;
    char *field[COLUMNS];
    unsigned seen = 0;
    int rc;

    if ((rc = csv_row(csv, field, COLUMNS, &header.n)) < 0)
        return rc;
    for (size_t i = 0; i < header.n; i++) {
        const int column = header.column[i] = column_named(field[i]);
        if (column < 0)
            return fail(MK_EINPUT,
                        "column %zu of the first line is none of index, subject, source, "
                        "collected_at, lawful_basis and consent_ref",
                        i + 1);
        if (seen & 1u << column)
            return fail(MK_EINPUT, "column %zu of the first line stands there twice",
                        i + 1);
        seen |= 1u << column;
    }
    if (!(seen & 1u << INDEX) || !(seen & 1u << SUBJECT))
        return fail(MK_EINPUT,
                    "the first line has to name the columns index and subject");
    *ret_header = header;
    return 0;
}

static int parse_index(const struct csv *csv, const char *text, uint64_t images,
                       uint64_t *ret_index)
{
    unsigned long long index;
    char *end;

    errno = 0;
    index = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno)
        return fail(MK_EINPUT, "line %zu: the index is no number", csv->line);
    if (index >= images)
        return fail(MK_EINPUT, "line %zu: index %llu, but the images are 0 to %ju",
                    csv->line, index, (uintmax_t)images - 1);
    *ret_index = index;
    return 0;
}

/* An id that is no UTF-8 could be stored, but never be named by an erasure. */
static int check_subject(const struct csv *csv, struct subject subject)
{
    json_t *text;

    if (subject.len < 1 || subject.len > SUBJECT_MAX)
        return fail(MK_EINPUT, "line %zu: a subject has 1 to %d bytes, this one has %zu",
                    csv->line, SUBJECT_MAX, subject.len);
    if (!(text = json_stringn(subject.id, subject.len)))
        return fail(MK_EINPUT, "line %zu: the subject is not UTF-8", csv->line);
    json_decref(text);
    return 0;
}

static int parse_row(const struct csv *csv, const struct header *header, char **field,
                     uint64_t images, struct row *ret_row)
{
    struct row row = {.provenance = {{"", "", "", ""}}};
    int rc = 0;

    for (size_t i = 0; i < header->n && rc == 0; i++) {
        if (header->column[i] == INDEX)
            rc = parse_index(csv, field[i], images, &row.index);
        else if (header->column[i] == SUBJECT)
            rc = check_subject(csv, row.subject =
                                        (struct subject){field[i], strlen(field[i])});
        else
            row.provenance.field[header->column[i] - PROVENANCE] = field[i];
    }
    *ret_row = row;
    return rc;
}

/* rows->row has room for a row a line. */
static int read_rows(struct csv *csv, uint64_t images, struct rows *rows)
{
    struct header header;
    char *field[COLUMNS];
    size_t n;
    int rc;

    if ((rc = read_header(csv, &header)) < 0)
        return rc;
    while ((rc = csv_row(csv, field, COLUMNS, &n)) == 0 && n > 0) {
        if (n != header.n)
            return fail(MK_EINPUT, "line %zu has %zu fields, the first line has %zu",
                        csv->line, n, header.n);
        if ((rc = parse_row(csv, &header, field, images, &rows->row[rows->n])) < 0)
            return rc;
        rows->n++;
    }
    return rc;
}

int rows_parse(char *text, size_t len, uint64_t images, struct rows *ret_rows)
{
    struct csv csv = {text, text + len, 0};
    struct rows rows = {0};
    size_t lines = 1;
    int rc;

    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n' || text[i] == '\r';
    if (!(rows.row = calloc(lines, sizeof *rows.row)))
        return fail(MK_ENOMEM, "no memory for %zu rows", lines);
    if ((rc = read_rows(&csv, images, &rows)) < 0) {
        rows_done(&rows);
        return rc;
    }
    *ret_rows = rows;
    return 0;
}

void rows_done(struct rows *rows)
{
    if (rows->row)
        crypto_wipe(rows->row, rows->n * sizeof *rows->row);
    free(rows->row);
}
