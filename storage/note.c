/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes and verifier keys (C2SP signed-note), Ed25519 only. */
#include "storage/note.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/encode.h"

enum {
    ED25519_TYPE = 1, /* the algorithm byte of a key and in a key id */
    TYPED_KEY_SIZE = 1 + ED25519_SIZE,
    BLOB_SIZE = KEY_ID_SIZE + SIGNATURE_SIZE,
    SIGNATURES_MAX = 16, /* in one note that we read */
};

static const char dash[] = "\u2014 "; /* what a signature line begins with */

int note_name_check(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len >= ORIGIN_SIZE)
        return fail(MK_EINPUT, "a log's origin has 1 to %d characters", ORIGIN_SIZE - 1);
    for (size_t i = 0; i < len; i++)
        if (name[i] <= ' ' || name[i] > '~' || strchr("+\"\\", name[i]))
            return fail(MK_EINPUT,
                        "a log's origin is visible ASCII without space, +, \" and \\");
    return 0;
}

/* "the first four bytes of SHA-256(name || newline || type || public key)" */
static void key_id(struct note_key *key)
{
    const uint8_t type = ED25519_TYPE;
    uint8_t digest[SHA256_SIZE];
    crypto_sha256_parts((struct bytes[]){{key->name, strlen(key->name)},
                                         {"\n", 1},
                                         {&type, 1},
                                         {key->public, ED25519_SIZE}},
                        4, digest);
    memcpy(key->id, digest, KEY_ID_SIZE);
}

int note_key_init(const char *name, const uint8_t public[static ED25519_SIZE],
                  struct note_key *ret_key)
{
    int rc = note_name_check(name);
    if (rc < 0)
        return rc;
    memset(ret_key, 0, sizeof *ret_key);
    memcpy(ret_key->name, name, strlen(name));
    memcpy(ret_key->public, public, ED25519_SIZE);
    key_id(ret_key);
    return 0;
}

void note_vkey(const struct note_key *key, char ret_vkey[static VKEY_SIZE])
{
    uint8_t typed[TYPED_KEY_SIZE] = {ED25519_TYPE};
    memcpy(typed + 1, key->public, ED25519_SIZE);
    char id[HEX_SIZE(KEY_ID_SIZE)], public[BASE64_SIZE(TYPED_KEY_SIZE)];
    hex_encode(key->id, KEY_ID_SIZE, id);
    base64_encode(typed, sizeof typed, public);
    snprintf(ret_vkey, VKEY_SIZE, "%s+%s+%s", key->name, id, public);
}

int note_vkey_parse(const char *vkey, size_t len, struct note_key *ret_key)
{
    static const char what[] =
        "a verifier key is name+hex(key id)+base64(1 || public key)";
    const char *id = memchr(vkey, '+', len);
    size_t name_len = id ? (size_t)(id - vkey) : 0;
    if (!id || name_len >= ORIGIN_SIZE ||
        len != name_len + 1 + 8 + 1 + BASE64_SIZE(TYPED_KEY_SIZE) - 1 || id[9] != '+')
        return fail(MK_EINPUT, "%s", what);
    char name[ORIGIN_SIZE] = "";
    memcpy(name, vkey, name_len);
    uint8_t stated[KEY_ID_SIZE], typed[TYPED_KEY_SIZE];
    if (hex_decode(id + 1, 8, stated, sizeof stated) < 0 ||
        base64_decode(id + 10, BASE64_SIZE(TYPED_KEY_SIZE) - 1, typed, sizeof typed) <
            0 ||
        typed[0] != ED25519_TYPE)
        return fail(MK_EINPUT, "%s", what);
    struct note_key key;
    int rc = note_key_init(name, typed + 1, &key);
    if (rc < 0)
        return rc;
    if (memcmp(key.id, stated, sizeof stated) != 0)
        return fail(MK_EINPUT,
                    "a verifier key whose key id is not that of its name and key");
    *ret_key = key;
    return 0;
}

int note_vkeys_parse(const char *vkeys, struct note_key **ret_keys, size_t *ret_n)
{
    size_t lines = 1, n = 0;
    for (const char *at = vkeys; *at; at++)
        lines += *at == '\n';
    struct note_key *keys = calloc(lines, sizeof *keys);
    if (!keys)
        return fail(MK_ENOMEM, "no memory for %zu verifier keys", lines);
    for (const char *at = vkeys; *at;) {
        size_t len = strcspn(at, "\n");
        int rc = len > 0 ? note_vkey_parse(at, len, &keys[n]) : 0;
        if (rc < 0) {
            free(keys);
            return rc;
        }
        n += len > 0;
        at += len + (at[len] == '\n');
    }
    *ret_keys = keys;
    *ret_n = n;
    return 0;
}

/* "— name base64(key id || signature)\n" */
static int write_signature(FILE *out, const char *text, const char *name,
                           const struct signer *signer)
{
    uint8_t public[ED25519_SIZE], blob[BLOB_SIZE];
    struct note_key key;
    signer_public(signer, public);
    int rc = note_key_init(name, public, &key);
    if (rc < 0)
        return rc;
    memcpy(blob, key.id, KEY_ID_SIZE);
    signer_sign(signer, text, strlen(text), blob + KEY_ID_SIZE);
    char encoded[BASE64_SIZE(BLOB_SIZE)];
    base64_encode(blob, sizeof blob, encoded);
    fprintf(out, "%s%s %s\n", dash, name, encoded);
    return 0;
}

int note_sign(const char *text, const char *name, const struct signer *const *signers,
              size_t n, char **ret_note)
{
    char *note = NULL;
    size_t len;
    FILE *out = open_memstream(&note, &len);
    if (!out)
        return fail(MK_ENOMEM, "no memory for a signed note");
    fprintf(out, "%s\n", text);
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = write_signature(out, text, name, signers[i]);
    if (fclose(out) != 0 && rc == 0)
        rc = fail(MK_ENOMEM, "no memory for a signed note");
    if (rc < 0) {
        free(note);
        return rc;
    }
    *ret_note = note;
    return 0;
}

/* One signature line taken apart. */
struct signature {
    const char *name;
    size_t name_len;
    uint8_t blob[BLOB_SIZE];
    bool ed25519; /* its length is that of a key id and an Ed25519 signature */
};

/* Without the newline.  A signature of another length is somebody else's algorithm. */
static int parse_signature(const char *line, size_t len, struct signature *ret)
{
    size_t prefix = strlen(dash);
    if (len <= prefix || memcmp(line, dash, prefix) != 0)
        return fail(MK_EINPUT,
                    "a signature line that does not begin with a dash (U+2014)");
    ret->name = line + prefix;
    const char *space = memchr(ret->name, ' ', len - prefix);
    if (!space || space == ret->name)
        return fail(MK_EINPUT, "a signature line without a name");
    ret->name_len = (size_t)(space - ret->name);
    const char *encoded = space + 1;
    size_t encoded_len = (size_t)(line + len - encoded);
    ret->ed25519 = encoded_len == BASE64_SIZE(BLOB_SIZE) - 1;
    return ret->ed25519 ? base64_decode(encoded, encoded_len, ret->blob, BLOB_SIZE) : 0;
}

static const struct note_key *find_key(const struct signature *signature,
                                       const struct note_key *keys, size_t n)
{
    for (size_t i = 0; signature->ed25519 && i < n; i++)
        if (strlen(keys[i].name) == signature->name_len &&
            memcmp(keys[i].name, signature->name, signature->name_len) == 0 &&
            memcmp(keys[i].id, signature->blob, KEY_ID_SIZE) == 0)
            return &keys[i];
    return NULL;
}

/* Where the signatures begin: after the last empty line.  NULL: not a note. */
static const char *find_signatures(const char *note, size_t len)
{
    if (len == 0 || note[len - 1] != '\n' || memchr(note, '\0', len))
        return NULL;
    for (size_t at = len - 1; at >= 2; at--)
        if (note[at - 1] == '\n' && note[at - 2] == '\n')
            return note + at;
    return NULL;
}

int note_open(const char *note, size_t len, const struct note_key *keys, size_t n,
              size_t *ret_text_len)
{
    const char *at = find_signatures(note, len), *end = note + len;
    if (!at)
        return fail(MK_EINPUT, "not a signed note: text, an empty line, signatures");
    size_t text_len = (size_t)(at - note) - 1, good = 0;
    for (int lines = 0; at < end; lines++) {
        size_t line_len =
            (size_t)((const char *)memchr(at, '\n', (size_t)(end - at)) - at);
        struct signature signature;
        int rc = parse_signature(at, line_len, &signature);
        if (rc < 0)
            return rc;
        if (lines == SIGNATURES_MAX)
            return fail(MK_EINPUT, "more than %d signatures", SIGNATURES_MAX);
        const struct note_key *key = find_key(&signature, keys, n);
        if (key &&
            !crypto_verify(key->public, note, text_len, signature.blob + KEY_ID_SIZE))
            return fail(MK_EAUTH, "the signature does not fit the text");
        good += key != NULL;
        at += line_len + 1;
    }
    if (good == 0)
        return fail(MK_EAUTH, "not signed by a known key");
    *ret_text_len = text_len;
    return 0;
}
