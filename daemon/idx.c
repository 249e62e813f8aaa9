/* SPDX-License-Identifier: Apache-2.0 */
/* IDX files: 0, 0, type, dimensions, their sizes (big-endian), data. */
#include "daemon/idx.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "core/err.h"
#include "daemon/files.h"
#include "storage/crypto.h"

enum { DATA_MAX = 1 << 30, UNSIGNED_BYTE = 8 };

/* Bytes to come, inflated when they are compressed. */
struct source {
    z_stream z; /* next_in, avail_in serve plain bytes too */
    bool compressed;
};

static int source_open(struct source *s, const void *bytes, size_t len)
{
    const uint8_t *magic = bytes;
    if (len > DATA_MAX)
        return fail(MK_ETOOBIG, "an IDX file of %zu bytes; the limit is %d", len,
                    DATA_MAX);
    *s = (struct source){.compressed = len >= 2 && magic[0] == 0x1f && magic[1] == 0x8b};
    s->z.next_in = (Bytef *)bytes;
    s->z.avail_in = (uInt)len;
    const int gzip = 16 + MAX_WBITS;
    if (s->compressed && inflateInit2(&s->z, gzip) != Z_OK)
        return fail(MK_ENOMEM, "no memory to decompress an IDX file");
    return 0;
}

static void source_close(struct source *s)
{
    if (s->compressed)
        inflateEnd(&s->z);
}

/* The next n bytes; false when there are fewer. */
static bool take(struct source *s, void *to, size_t n)
{
    s->z.next_out = to;
    s->z.avail_out = (uInt)n;
    if (!s->compressed) {
        if (s->z.avail_in < n)
            return false;
        memcpy(to, s->z.next_in, n);
        s->z.next_in += n;
        s->z.avail_in -= (uInt)n;
        return true;
    }
    while (s->z.avail_out > 0)
        if (inflate(&s->z, Z_NO_FLUSH) != Z_OK)
            break;
    return s->z.avail_out == 0;
}

/* Nothing follows: the checksum of gzip is read and right. */
static bool ends(struct source *s)
{
    uint8_t more;
    if (!s->compressed)
        return s->z.avail_in == 0;
    s->z.next_out = &more;
    s->z.avail_out = 1;
    return inflate(&s->z, Z_FINISH) == Z_STREAM_END && s->z.avail_out == 1;
}

static int read_sizes(struct source *s, struct idx *idx)
{
    uint8_t magic[4], size[4];
    size_t *const sizes[] = {&idx->n, &idx->height, &idx->width};
    size_t total = 1;
    if (!take(s, magic, sizeof magic) || magic[0] || magic[1] ||
        magic[2] != UNSIGNED_BYTE || (magic[3] != 1 && magic[3] != 3))
        return fail(MK_EINPUT, "not an IDX file of bytes in one or three dimensions");
    idx->dims = magic[3];
    for (size_t i = 0; i < idx->dims; i++) {
        if (!take(s, size, sizeof size))
            return fail(MK_EINPUT, "the IDX file ends within its header");
        *sizes[i] = (size_t)size[0] << 24 | size[1] << 16 | size[2] << 8 | size[3];
        if (__builtin_mul_overflow(total, *sizes[i], &total) || total > DATA_MAX)
            return fail(MK_ETOOBIG, "the IDX file has more than %d bytes of data",
                        DATA_MAX);
    }
    return 0;
}

/* The file's header says nothing that struct idx does not. */
static void hash(struct idx *idx, size_t len)
{
    const size_t sizes[] = {idx->n, idx->height, idx->width};
    uint8_t header[16] = {0, 0, UNSIGNED_BYTE, (uint8_t)idx->dims};
    for (size_t i = 0; i < idx->dims; i++)
        for (size_t b = 0; b < 4; b++)
            header[4 + 4 * i + b] = (uint8_t)(sizes[i] >> (24 - 8 * b));
    crypto_sha256_parts((struct bytes[]){{header, 4 + 4 * idx->dims}, {idx->data, len}},
                        2, idx->sha256);
}

static int read_data(struct source *s, struct idx *idx)
{
    size_t len = idx->n * idx->height * idx->width;
    idx->data = malloc(len + 1);
    if (!idx->data)
        return fail(MK_ENOMEM, "no memory for %zu bytes of IDX data", len);
    if (!take(s, idx->data, len) || !ends(s)) {
        idx_free(idx);
        return fail(MK_EINPUT,
                    "the IDX file does not have the %zu bytes that its header "
                    "announces",
                    len);
    }
    hash(idx, len);
    return 0;
}

int idx_parse(const void *bytes, size_t len, struct idx *ret_idx)
{
    struct source source;
    struct idx idx = {.height = 1, .width = 1};
    int rc = source_open(&source, bytes, len);
    if (rc < 0)
        return rc;
    rc = read_sizes(&source, &idx);
    if (rc == 0)
        rc = read_data(&source, &idx);
    source_close(&source);
    if (rc == 0)
        *ret_idx = idx;
    return rc;
}

int idx_read(const char *path, size_t dims, struct idx *ret_idx)
{
    uint8_t *bytes;
    size_t len;
    struct idx idx;
    int rc = file_read(path, DATA_MAX, &bytes, &len);
    if (rc < 0)
        return rc;
    rc = idx_parse(bytes, len, &idx);
    free(bytes);
    if (rc < 0)
        return fail(rc, "%s: %s", path, err_why());
    if (idx.dims != dims) {
        idx_free(&idx);
        return fail(MK_EINPUT, "%s does not hold %s", path,
                    dims == 3 ? "images" : "labels");
    }
    *ret_idx = idx;
    return 0;
}

void idx_free(struct idx *idx)
{
    free(idx->data);
    idx->data = NULL;
}
