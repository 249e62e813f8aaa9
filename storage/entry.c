/* SPDX-License-Identifier: Apache-2.0 */
/* Log entries as canonical JSON: ASCII, keys sorted, no spaces. */
#include "storage/entry.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/encode.h"

static const char digest_name[] = "LtHash16-1024-SHAKE256";
static const char model_prefix[] = "sha256:";
static const json_int_t integer_end = INT64_C(1) << 53; /* exact in every JSON reader */

/* The members that an act has besides those of every entry. */
enum {
    DIGEST = 1,
    MODEL = 2,
    COMMIT = 4,
    CLASSES = 8,
    CLASS = 16,
    FOUND = 32,
    KEYS = 64
};

static const struct {
    const char *name;
    unsigned members;
    bool receipt;
} acts[ACTS] = {
    [ACT_INIT] = {"init", DIGEST | MODEL, false},
    [ACT_START] = {"start", MODEL, false},
    [ACT_MODEL] = {"model", MODEL, false},
    [ACT_RESTORE] = {"restore", MODEL, false},
    [ACT_ENROLL] = {"enroll", CLASS, false},
    [ACT_ERASE] = {"erase", CLASSES | COMMIT | MODEL, true},
    [ACT_NOT_HELD] = {"not_held", CLASSES | COMMIT | MODEL, true},
    [ACT_RESTRICT] = {"restrict", COMMIT, true},
    [ACT_UNRESTRICT] = {"unrestrict", COMMIT, true},
    [ACT_AUDIT] = {"audit", FOUND, false},
    [ACT_ROTATE] = {"rotate", KEYS, false},
};

bool act_has_receipt(enum act act)
{
    return acts[act].receipt;
}

const char *act_name(enum act act)
{
    return acts[act].name;
}

int64_t entry_iat(int64_t now, int64_t last, uint32_t granularity)
{
    int64_t iat = now > last ? now : last;
    if (granularity > 1)
        iat -= iat % granularity;
    return iat > last ? iat : last; /* a coarser granularity than the last entry's */
}

static json_t *hex(const uint8_t hash[static SHA256_SIZE])
{
    char text[HEX_SIZE(SHA256_SIZE)];
    hex_encode(hash, SHA256_SIZE, text);
    return json_string(text);
}

static json_t *prefixed_hex(const uint8_t hash[static SHA256_SIZE])
{
    char text[HEX_SIZE(SHA256_SIZE)];
    hex_encode(hash, SHA256_SIZE, text);
    return json_sprintf("%s%s", model_prefix, text);
}

static json_t *base64url(const uint8_t hash[static SHA256_SIZE])
{
    char text[BASE64URL_SIZE(SHA256_SIZE)];
    base64url_encode(hash, SHA256_SIZE, text);
    return json_string(text);
}

/* "classes (count per class, only those above 0)" */
static json_t *classes(const struct entry *entry)
{
    json_t *counts = json_object();
    if (entry->exact > 0)
        json_object_set_new(counts, "exact", json_integer((json_int_t)entry->exact));
    if (entry->trained > 0)
        json_object_set_new(counts, "trained", json_integer((json_int_t)entry->trained));
    return counts;
}

/* The members of every entry; NULL without memory. */
static json_t *common_members(const struct entry *entry)
{
    return json_pack("{s:s, s:I, s:s, s:[o,o], s:[I,I], s:i}", "act",
                     act_name(entry->act), "iat", (json_int_t)entry->iat, "iss",
                     entry->iss, "mem", hex(entry->mem[0]), hex(entry->mem[1]), "n",
                     (json_int_t)entry->n[0], (json_int_t)entry->n[1], "v", 1);
}

/* The members by act; not 0 without memory. */
static int act_members(const struct entry *entry, json_t *root)
{
    unsigned members = acts[entry->act].members;
    int rc = 0;
    if (members & DIGEST)
        rc |= json_object_set_new(root, "digest", json_string(digest_name));
    if (members & MODEL)
        rc |= json_object_set_new(root, "model", prefixed_hex(entry->model));
    if (members & COMMIT)
        rc |= json_object_set_new(root, "commit", base64url(entry->commit));
    if (members & CLASSES) {
        rc |= json_object_set_new(root, "classes", classes(entry));
        rc |= json_object_set_new(root, "scope", json_string("memory"));
    }
    if (members & CLASS)
        rc |= json_object_set_new(
            root, "class",
            json_string(entry->class == CLASS_EXACT ? "exact" : "trained"));
    if (members & FOUND) {
        rc |= json_object_set_new(root, "found", hex(entry->found));
        rc |= json_object_set_new(root, "ok", json_boolean(entry->ok));
    }
    if (members & KEYS) {
        const char *key = entry->rotates_log ? "log" : "receipt";
        rc |= json_object_set_new(root, "key", json_string(key));
        rc |= json_object_set_new(root, "new", json_string(entry->new));
        rc |= json_object_set_new(root, "old", json_string(entry->old));
    }
    return rc;
}

int entry_write(const struct entry *entry, char **ret_bytes, size_t *ret_len)
{
    json_auto_t *root = common_members(entry);
    if (!root || act_members(entry, root) != 0)
        return fail(MK_ENOMEM, "no memory for a log entry");
    char *bytes = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    if (!bytes)
        return fail(MK_ENOMEM, "no memory for a log entry");
    size_t len = strlen(bytes);
    if (len > ENTRY_MAX) {
        free(bytes);
        return fail(MK_ETOOBIG, "a log entry is at most %d bytes", ENTRY_MAX);
    }
    *ret_bytes = bytes;
    *ret_len = len;
    return 0;
}

/* Readers of one member each: false when it is there and is not what it has to be.  What
 * is missing stays zero, and shows when the entry is written again. */
static bool read_text(const json_t *root, const char *name, char *ret, size_t size)
{
    const json_t *member = json_object_get(root, name);
    if (!member)
        return true;
    const char *text = json_string_value(member);
    size_t len = json_string_length(member);
    if (!text || len >= size || memchr(text, '\0', len))
        return false;
    memcpy(ret, text, len + 1);
    return true;
}

static bool read_integer(const json_t *member, uint64_t *ret)
{
    json_int_t value = json_integer_value(member);
    if (member && (!json_is_integer(member) || value < 0 || value >= integer_end))
        return false;
    *ret = (uint64_t)value;
    return true;
}

static bool read_hex(const json_t *member, uint8_t ret[static SHA256_SIZE])
{
    const char *text = json_string_value(member);
    return !member ||
           (text && hex_decode(text, json_string_length(member), ret, SHA256_SIZE) == 0);
}

static bool read_model(const json_t *member, uint8_t ret[static SHA256_SIZE])
{
    const char *text = json_string_value(member);
    size_t prefix = strlen(model_prefix);
    return !member ||
           (text && strncmp(text, model_prefix, prefix) == 0 &&
            hex_decode(text + prefix, strlen(text) - prefix, ret, SHA256_SIZE) == 0);
}

static bool read_commit(const json_t *member, uint8_t ret[static SHA256_SIZE])
{
    const char *text = json_string_value(member);
    return !member || (text && base64url_decode(text, json_string_length(member), ret,
                                                SHA256_SIZE) == 0);
}

static bool read_act(const json_t *root, enum act *ret_act)
{
    const char *name = json_string_value(json_object_get(root, "act"));
    for (enum act act = 0; name && act < ACTS; act++)
        if (strcmp(name, acts[act].name) == 0) {
            *ret_act = act;
            return true;
        }
    return false;
}

/* "exact" and everything else: what else is not "trained" shows when it is written again.
 */
static enum instance_class read_class(const json_t *root)
{
    const char *name = json_string_value(json_object_get(root, "class"));
    return name && strcmp(name, "exact") == 0 ? CLASS_EXACT : CLASS_TRAINED;
}

static bool read_common(const json_t *root, struct entry *ret)
{
    const json_t *mem = json_object_get(root, "mem"), *n = json_object_get(root, "n");
    uint64_t iat = 0;
    bool ok =
        read_act(root, &ret->act) && read_integer(json_object_get(root, "iat"), &iat) &&
        read_text(root, "iss", ret->iss, sizeof ret->iss) &&
        note_name_check(ret->iss) == 0 && read_hex(json_array_get(mem, 0), ret->mem[0]) &&
        read_hex(json_array_get(mem, 1), ret->mem[1]) &&
        read_integer(json_array_get(n, 0), &ret->n[0]) &&
        read_integer(json_array_get(n, 1), &ret->n[1]);
    ret->iat = (int64_t)iat;
    return ok;
}

static bool read_by_act(const json_t *root, struct entry *ret)
{
    char key[8] = "";
    const json_t *counts = json_object_get(root, "classes");
    bool ok = read_model(json_object_get(root, "model"), ret->model) &&
              read_commit(json_object_get(root, "commit"), ret->commit) &&
              read_hex(json_object_get(root, "found"), ret->found) &&
              read_integer(json_object_get(counts, "exact"), &ret->exact) &&
              read_integer(json_object_get(counts, "trained"), &ret->trained) &&
              read_text(root, "key", key, sizeof key) &&
              read_text(root, "old", ret->old, sizeof ret->old) &&
              read_text(root, "new", ret->new, sizeof ret->new);
    ret->ok = json_is_true(json_object_get(root, "ok"));
    ret->rotates_log = strcmp(key, "log") == 0;
    if (acts[ret->act].members & CLASS)
        ret->class = read_class(root);
    return ok;
}

int entry_parse(const char *bytes, size_t len, struct entry *ret_entry)
{
    if (len > ENTRY_MAX)
        return fail(MK_EINPUT, "a log entry is at most %d bytes", ENTRY_MAX);
    json_auto_t *root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
    struct entry entry = {0};
    if (!root || !read_common(root, &entry) || !read_by_act(root, &entry))
        return fail(MK_EINPUT, "not a log entry of version 1");
    /* One canonical form: whatever is missing, surplus or spelt otherwise shows here. */
    char *again;
    size_t again_len;
    int rc = entry_write(&entry, &again, &again_len);
    if (rc < 0)
        return rc;
    bool same = again_len == len && memcmp(again, bytes, len) == 0;
    free(again);
    if (!same)
        return fail(MK_EINPUT, "a log entry that is not in canonical form");
    *ret_entry = entry;
    return 0;
}

static bool unchanged(const struct entry *entry)
{
    return entry->n[0] == entry->n[1] &&
           memcmp(entry->mem[0], entry->mem[1], SHA256_SIZE) == 0;
}

int entry_check(const struct entry *entry)
{
    uint64_t erased = entry->exact + entry->trained;
    switch (entry->act) {
    case ACT_RESTORE: /* states what was found, whatever it was */
        return 0;
    case ACT_ENROLL:
        if (entry->n[1] <= entry->n[0])
            return fail(MK_EINPUT, "an enrolment that adds no instance");
        return 0;
    case ACT_ERASE:
        if (erased == 0 || entry->n[0] < entry->n[1] ||
            entry->n[0] - entry->n[1] != erased)
            return fail(MK_EINPUT, "n does not fall by the sum of classes");
        return 0;
    case ACT_INIT:
        if (entry->n[0] != 0)
            return fail(MK_EINPUT, "an init of a memory that is not empty");
        /* fall through */
    default:
        if (!unchanged(entry) || erased != 0)
            return fail(MK_EINPUT, "mem or n changes, which \"%s\" does not do",
                        act_name(entry->act));
        return 0;
    }
}

int entry_chains(const struct entry *before, const struct entry *entry)
{
    if (entry->n[0] != before->n[1] ||
        memcmp(entry->mem[0], before->mem[1], SHA256_SIZE) != 0)
        return fail(MK_EINPUT, "mem and n do not begin where the entry before ends");
    return 0;
}

int entry_follows(const struct entry *before, const struct entry *entry)
{
    int rc = entry_chains(before, entry);
    if (rc < 0)
        return rc;
    if (entry->iat < before->iat)
        return fail(MK_EINPUT, "iat is before that of the entry before");
    if (strcmp(entry->iss, before->iss) != 0)
        return fail(MK_EINPUT, "iss is not that of the entry before");
    return 0;
}
