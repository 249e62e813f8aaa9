/* SPDX-License-Identifier: Apache-2.0 */
/* A CSV file that says of each image what it shows and whose it is. */
#include "daemon/manifest.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/csv.h"
#include "storage/crypto.h"

enum column { INDEX, PATH, LABEL, SUBJECT, SPLIT, PROVENANCE };
enum { COLUMNS = PROVENANCE + PROVENANCE_FIELDS, LABEL_MAX = 63 };

/* The two kinds of manifest: columns that have to be there, and that may. */
static const struct kind {
    unsigned required, known;
    const char *names_required, *names_known;
} of_paths = {1u << PATH | 1u << LABEL, (1u << COLUMNS) - 1 - (1u << INDEX),
              "path and label", "path, label, subject, split"},
  of_indices = {1u << INDEX | 1u << SUBJECT,
                (1u << COLUMNS) - 1 - (1u << PATH | 1u << LABEL), "index and subject",
                "index, subject, split"};

/* column[i] says what the i-th field is. */
struct header {
    int column[COLUMNS];
    size_t n;
    unsigned seen;
};

static int column_named(const char *name)
{
    static const char *const names[] = {"index", "path", "label", "subject", "split"};

    for (int i = 0; i < PROVENANCE; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    for (int i = 0; i < PROVENANCE_FIELDS; i++)
        if (strcmp(name, provenance_names[i]) == 0)
            return PROVENANCE + i;
    return COLUMNS;
}

/* A first line that is no header may hold an id: its text stays out of the sentences. */
static int read_header(struct csv *csv, const struct kind *kind,
                       struct header *ret_header)
{
    struct header header = {0};
    char *field[COLUMNS];
    int rc;

    if ((rc = csv_row(csv, field, COLUMNS, &header.n)) < 0)
        return rc;
    for (size_t i = 0; i < header.n; i++) {
        const int column = header.column[i] = column_named(field[i]);
        if (!(kind->known & 1u << column))
            return fail(MK_EINPUT,
                        "column %zu of the first line is none of %s, source, "
                        "collected_at, lawful_basis and consent_ref",
                        i + 1, kind->names_known);
        if (header.seen & 1u << column)
            return fail(MK_EINPUT, "column %zu of the first line stands there twice",
                        i + 1);
        header.seen |= 1u << column;
    }
    if ((header.seen & kind->required) != kind->required)
        return fail(MK_EINPUT, "the first line has to name the columns %s",
                    kind->names_required);
    *ret_header = header;
    return 0;
}

static int parse_index(const char *text, uint64_t images, struct sample *sample)
{
    unsigned long long index;
    char *end;

    errno = 0;
    index = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno)
        return fail(MK_EINPUT, "line %zu: the index is no number", sample->line);
    if (index >= images)
        return fail(MK_EINPUT, "line %zu: index %llu, but the images are 0 to %ju",
                    sample->line, index, (uintmax_t)images - 1);
    sample->row = index;
    return 0;
}

/* Takes "." and empty parts out, so that one image has one path.  Data that lie elsewhere can
 * be linked into the folder: a manifest from others names no file outside it. */
static int parse_path(char *text, struct sample *sample)
{
    char *out = text, *part, *rest = text;

    sample->path = text;
    if (*text == '/')
        return fail(MK_EINPUT, "line %zu: a path is relative to the manifest's folder",
                    sample->line);
    while ((part = strsep(&rest, "/"))) {
        const size_t len = strlen(part);
        if (strcmp(part, "..") == 0)
            return fail(MK_EINPUT,
                        "line %zu: the path leads out of the manifest's folder",
                        sample->line);
        if (len == 0 || strcmp(part, ".") == 0)
            continue;
        if (out > text)
            *out++ = '/';
        memmove(out, part, len);
        out += len;
    }
    *out = '\0';
    return *text ? 0 : fail(MK_EINPUT, "line %zu: the path is empty", sample->line);
}

static bool is_utf8(const char *text)
{
    json_t *string = json_string(text);

    json_decref(string);
    return string != NULL;
}

static int parse_label(const char *text, struct sample *sample)
{
    const size_t len = strlen(text);

    sample->name = text;
    if (len < 1 || len > LABEL_MAX)
        return fail(MK_EINPUT, "line %zu: a label has 1 to %d bytes, this one has %zu",
                    sample->line, LABEL_MAX, len);
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f) /* labels are printed */
            return fail(MK_EINPUT, "line %zu: the label has a control character",
                        sample->line);
    return is_utf8(text)
               ? 0
               : fail(MK_EINPUT, "line %zu: the label is not UTF-8", sample->line);
}

/* An id that is no UTF-8 could be stored, but never be named by an erasure. */
static int parse_subject(const char *text, bool required, struct sample *sample)
{
    const size_t len = strlen(text);

    sample->subject = (struct subject){text, len};
    if ((len < 1 && required) || len > SUBJECT_MAX)
        return fail(MK_EINPUT, "line %zu: a subject has 1 to %d bytes, this one has %zu",
                    sample->line, SUBJECT_MAX, len);
    return is_utf8(text)
               ? 0
               : fail(MK_EINPUT, "line %zu: the subject is not UTF-8", sample->line);
}

static int parse_split(const char *text, struct sample *sample)
{
    static const char *const names[SPLITS] = {"", "base", "enrol", "test"};

    for (int i = 0; i < SPLITS; i++)
        if (strcmp(text, names[i]) == 0) {
            sample->split = i;
            return 0;
        }
    return fail(MK_EINPUT, "line %zu: the split is none of base, enrol and test",
                sample->line);
}

static int parse_row(const struct header *header, char **field, uint64_t images,
                     struct sample *sample)
{
    int rc = 0;

    for (size_t i = 0; i < header->n && rc == 0; i++)
        switch (header->column[i]) {
        case INDEX:
            rc = parse_index(field[i], images, sample);
            break;
        case PATH:
            rc = parse_path(field[i], sample);
            break;
        case LABEL:
            rc = parse_label(field[i], sample);
            break;
        case SUBJECT:
            rc = parse_subject(field[i], images > 0, sample);
            break;
        case SPLIT:
            rc = parse_split(field[i], sample);
            break;
        default:
            sample->provenance.field[header->column[i] - PROVENANCE] = field[i];
        }
    return rc;
}

/* manifest->sample has room for a row a line. */
static int read_rows(struct csv *csv, uint64_t images, size_t room,
                     struct manifest *manifest)
{
    struct header header;
    char *field[COLUMNS];
    size_t n;
    int rc;

    if ((rc = read_header(csv, images ? &of_indices : &of_paths, &header)) < 0)
        return rc;
    manifest->has_subject = header.seen & 1u << SUBJECT;
    while ((rc = csv_row(csv, field, COLUMNS, &n)) == 0 && n > 0) {
        assert(manifest->n < room); /* a row ends with its line */
        struct sample *sample = &manifest->sample[manifest->n];
        if (n != header.n)
            return fail(MK_EINPUT, "line %zu has %zu fields, the first line has %zu",
                        csv->line, n, header.n);
        *sample = (struct sample){
            .row = manifest->n, .line = csv->line, .provenance = {{"", "", "", ""}}};
        if ((rc = parse_row(&header, field, images, sample)) < 0)
            return rc;
        manifest->n++;
    }
    return rc;
}

int manifest_parse(char *text, size_t len, uint64_t images, struct manifest *ret_manifest)
{
    const size_t mark =
        strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* of spreadsheets */
    struct csv csv = {text + mark, text + len, 0};
    struct manifest manifest = {0};
    size_t lines = 1;
    int rc;

    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n' || text[i] == '\r';
    if (!(manifest.sample = calloc(lines, sizeof *manifest.sample)))
        return fail(MK_ENOMEM, "no memory for %zu rows", lines);
    if ((rc = read_rows(&csv, images, lines, &manifest)) < 0) {
        manifest_done(&manifest);
        return rc;
    }
    *ret_manifest = manifest;
    return 0;
}

void manifest_done(struct manifest *manifest)
{
    if (manifest->sample)
        crypto_wipe(manifest->sample, manifest->n * sizeof *manifest->sample);
    free(manifest->sample);
}
