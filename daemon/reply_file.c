/* SPDX-License-Identifier: Apache-2.0 */
/* A saved reply with a receipt. */
#include "daemon/reply_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "daemon/files.h"

void claim_open(struct claim *claim, const json_t *opening)
{
    const json_t *subject = json_object_get(opening, "subject");

    claim->subject = json_string_value(subject);
    claim->subject_len = json_string_length(subject);
    claim->request = json_string_value(json_object_get(opening, "request"));
    claim->salt = json_string_value(json_object_get(opening, "salt"));
}

/* One line, as editors and `jq -r` leave it: without the newline. */
static void cut_newline(char *text)
{
    size_t len = strlen(text);

    if (len > 0 && text[len - 1] == '\n')
        text[len - 1] = '\0';
}

/* A saved reply is a JSON object; anything else is taken for the receipt itself. */
static int parse(const char *path, struct reply_file *file)
{
    json_error_t error;

    if (file->text[strspn(file->text, " \t\r\n")] != '{') {
        file->claim.receipt = file->text;
        return 0;
    }
    if (!(file->json = json_loads(file->text, JSON_REJECT_DUPLICATES, &error)))
        return fail(MK_EINPUT, "%s, line %d: %s", path, error.line, error.text);
    file->claim.receipt = json_string_value(json_object_get(file->json, "receipt"));
    file->claim.proof =
        json_string_value(json_object_get(json_object_get(file->json, "log"), "proof"));
    claim_open(&file->claim, json_object_get(file->json, "opening"));
    return file->claim.receipt ? 0 : fail(MK_EINPUT, "%s holds no receipt", path);
}

int reply_file_read(const char *path, struct reply_file *ret_file)
{
    struct reply_file file = {0};
    uint8_t *bytes;
    size_t len;
    int rc = file_read(path, REPLY_FILE_LIMIT, &bytes, &len);

    if (rc < 0)
        return rc;
    file.text = (char *)bytes;
    if (strlen(file.text) != len)
        rc = fail(MK_EINPUT, "%s holds a zero byte", path);
    cut_newline(file.text);
    if (rc < 0 || (rc = parse(path, &file)) < 0)
        reply_file_done(&file);
    else
        *ret_file = file;
    return rc;
}

static const char *status_of(enum act act)
{
    return act == ACT_ERASE      ? "erased"
           : act == ACT_NOT_HELD ? "not_held"
           : act == ACT_RESTRICT ? "restricted"
                                 : "unrestricted";
}

static bool says(const json_t *value, uint64_t number)
{
    return !value ||
           (json_is_integer(value) && json_integer_value(value) == (json_int_t)number);
}

const char *reply_file_contradicts(const struct reply_file *file,
                                   const struct entry *entry)
{
    const json_t *log = json_object_get(file->json, "log");
    const char *status = json_string_value(json_object_get(file->json, "status")),
               *id = json_string_value(json_object_get(file->json, "receipt_id")),
               *origin = json_string_value(json_object_get(log, "origin"));
    char number[24] = "";
    uint64_t index;
    bool proven = file->claim.proof && verify_proof_index(file->claim.proof, &index) == 0;
    if (proven)
        snprintf(number, sizeof number, "%" PRIu64, index);
    if (status && strcmp(status, status_of(entry->act)) != 0)
        return "status";
    if (!says(json_object_get(file->json, "erased"), entry->exact + entry->trained))
        return "erased";
    if (origin && strcmp(origin, entry->iss) != 0)
        return "log.origin";
    if (proven && !says(json_object_get(log, "index"), index))
        return "log.index";
    return proven && id && strcmp(id, number) != 0 ? "receipt_id" : NULL;
}

void reply_file_done(struct reply_file *file)
{
    json_decref(file->json);
    free(file->text);
    *file = (struct reply_file){0};
}
