/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints (C2SP tlog-checkpoint) and inclusion proofs (C2SP tlog-proof) as text. */
#include "storage/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/encode.h"

static const char proof_line[] = "c2sp.org/tlog-proof@v1\n";
static const char index_word[] = "index ";

/* A run of text that is read line by line. */
struct reader {
    const char *at, *end;
};

/* The next line without its newline; false at the end or without a newline. */
static bool read_line(struct reader *reader, const char **ret_line, size_t *ret_len)
{
    const char *newline = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
    if (!newline)
        return false;
    *ret_line = reader->at;
    *ret_len = (size_t)(newline - reader->at);
    reader->at = newline + 1;
    return true;
}

/* "ASCII decimal without leading zeroes", below 2^63. */
static bool parse_number(const char *text, size_t len, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (len == 0 || len > 18 || (text[0] == '0' && len > 1))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        number = 10 * number + (uint64_t)(text[i] - '0');
    }
    *ret_number = number;
    return true;
}

static bool parse_hash(const char *line, size_t len, uint8_t ret_hash[static SHA256_SIZE])
{
    return base64_decode(line, len, ret_hash, SHA256_SIZE) == 0;
}

int checkpoint_sign(const struct checkpoint *checkpoint,
                    const struct signer *const *signers, size_t n, char **ret_note)
{
    char root[BASE64_SIZE(SHA256_SIZE)], text[ORIGIN_SIZE + 24 + sizeof root];
    base64_encode(checkpoint->root, SHA256_SIZE, root);
    snprintf(text, sizeof text, "%s\n%" PRIu64 "\n%s\n", checkpoint->origin,
             checkpoint->size, root);
    return note_sign(text, checkpoint->origin, signers, n, ret_note);
}

int checkpoint_parse(const char *note, size_t len, struct checkpoint *ret_checkpoint)
{
    struct reader reader = {note, note + len};
    struct checkpoint checkpoint = {0};
    const char *line;
    size_t line_len;
    bool ok = read_line(&reader, &line, &line_len) && line_len < ORIGIN_SIZE;
    if (ok)
        memcpy(checkpoint.origin, line, line_len);
    ok = ok && strlen(checkpoint.origin) == line_len &&
         note_name_check(checkpoint.origin) == 0 &&
         read_line(&reader, &line, &line_len) &&
         parse_number(line, line_len, &checkpoint.size) &&
         read_line(&reader, &line, &line_len) &&
         parse_hash(line, line_len, checkpoint.root) &&
         read_line(&reader, &line, &line_len) && line_len == 0;
    if (!ok)
        return fail(MK_EINPUT,
                    "a checkpoint is origin, size, root, an empty line, signatures");
    *ret_checkpoint = checkpoint;
    return 0;
}

int proof_write(uint64_t index, const struct merkle_path *path, const char *checkpoint,
                char **ret_file)
{
    char *file = NULL;
    size_t len;
    FILE *out = open_memstream(&file, &len);
    if (!out)
        return fail(MK_ENOMEM, "no memory for a proof");
    fprintf(out, "%s%s%" PRIu64 "\n", proof_line, index_word, index);
    for (size_t i = 0; i < path->n; i++) {
        char hash[BASE64_SIZE(SHA256_SIZE)];
        base64_encode(path->hash[i], SHA256_SIZE, hash);
        fprintf(out, "%s\n", hash);
    }
    fprintf(out, "\n%s", checkpoint);
    if (fclose(out) != 0) {
        free(file);
        return fail(MK_ENOMEM, "no memory for a proof");
    }
    *ret_file = file;
    return 0;
}

static bool parse_index(const char *line, size_t len, uint64_t *ret_index)
{
    size_t word = strlen(index_word);
    return len > word && memcmp(line, index_word, word) == 0 &&
           parse_number(line + word, len - word, ret_index);
}

/* Hashes up to the empty line. */
static bool parse_path(struct reader *reader, struct merkle_path *ret_path)
{
    const char *line;
    size_t len;
    for (ret_path->n = 0; read_line(reader, &line, &len); ret_path->n++) {
        if (len == 0)
            return true;
        if (ret_path->n == MERKLE_PATH_MAX ||
            !parse_hash(line, len, ret_path->hash[ret_path->n]))
            return false;
    }
    return false;
}

int proof_parse(const char *file, struct proof *ret_proof)
{
    struct reader reader = {file, file + strlen(file)};
    struct proof proof;
    const char *line;
    size_t len;
    if (!read_line(&reader, &line, &len) || len != strlen(proof_line) - 1 ||
        memcmp(line, proof_line, len) != 0)
        return fail(MK_EINPUT, "a proof begins with the line c2sp.org/tlog-proof@v1");
    if (!read_line(&reader, &line, &len) || !parse_index(line, len, &proof.index) ||
        !parse_path(&reader, &proof.path))
        return fail(
            MK_EINPUT,
            "a proof is its first line, an index, hashes, an empty line, a checkpoint");
    proof.checkpoint = reader.at;
    *ret_proof = proof;
    return 0;
}
