/* SPDX-License-Identifier: Apache-2.0 */
/* What can be seen of a state folder after an operation that was ended. */
#include "tests/look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "storage/callback.h"
#include "storage/log.h"
#include "storage/read.h"
#include "storage/receipt.h"
#include "storage/request.h"
#include "storage/subject.h"
#include "storage/verify.h"
#include "tests/roots.h"

enum { NEEDLE = 16 };

/* Whether vkey, of vkey_len bytes, has signed note. */
static bool signed_by(const char *note, const char *vkey, size_t vkey_len)
{
    struct note_key key;
    size_t len;
    return note_vkey_parse(vkey, vkey_len, &key) == 0 &&
           note_open(note, strlen(note), &key, 1, &len) == 0;
}

/* The receipt of entry index, with a proof of now, by the keys that strangers get. */
static bool receipt_holds(struct fixture *f, uint64_t index)
{
    struct answer answer;
    struct verdict verdict = {0};
    char *jwks, *vkey;
    if (answer_read(f->state, index, &answer) < 0)
        return false;
    if (log_jwks(f->state, &jwks) < 0 || log_vkey(f->state, &vkey) < 0)
        abort();
    struct claim claim = {.receipt = answer.receipt, .proof = answer.proof};
    struct trust trust = {.jwks = jwks, .vkeys = vkey};
    verify_receipt(&claim, &trust, &verdict);
    free(jwks);
    free(vkey);
    answer_done(&answer);
    return verdict.valid;
}

/* Whether what an entry leaves behind is there. */
static bool entry_holds(struct fixture *f, uint64_t index, const struct entry *entry)
{
    char *note;
    bool good;
    if (act_has_receipt(entry->act))
        return receipt_holds(f, index);
    if (entry->act != ACT_ROTATE || !entry->rotates_log)
        return true;
    if (log_rotation(f->state, index, &note) < 0)
        return false;
    good = signed_by(note, entry->old, strlen(entry->old)) &&
           signed_by(note, entry->new, strlen(entry->new));
    free(note);
    return good;
}

/* Whether the key that an entry rotated to last is the one that is served. */
static bool is_current(struct fixture *f, const struct entry *last)
{
    char *vkey, *jwks, *note;
    uint8_t public[ED25519_SIZE];
    if (log_vkey(f->state, &vkey) < 0 || log_jwks(f->state, &jwks) < 0 ||
        log_checkpoint(f->state, &note) < 0)
        abort();
    bool good = signed_by(note, vkey, strcspn(vkey, "\n")) &&
                (last->act != ACT_ROTATE ||
                 (last->rotates_log ? !strncmp(vkey, last->new, strlen(last->new))
                                    : jwks_find(jwks, last->new, public) == 0 &&
                                          jwks_find(jwks, last->old, public) == 0));
    free(vkey);
    free(jwks);
    free(note);
    return good;
}

int look_keys(struct fixture *f)
{
    static const char *const remains[] = {"keys/log.pem.next", "keys/log.pem.old",
                                          "keys/receipt.pem.next",
                                          "keys/receipt.pem.old"};
    struct state_status status;
    struct entry entry, last = {0};
    unsigned rotations = 0;
    state_status(f->state, &status);
    for (uint64_t i = 0; i < status.entries; i++) {
        char *bytes = NULL;
        if (log_entry(f->state, i, &bytes) < 0)
            return MK_ESTORE;
        int rc = entry_parse(bytes, strlen(bytes), &entry);
        free(bytes);
        if (rc < 0 || !entry_holds(f, i, &entry))
            return fail(MK_ESTORE, "entry %u is not in keeping", (unsigned)i);
        rotations += entry.act == ACT_ROTATE;
        if (entry.act == ACT_ROTATE)
            last = entry;
    }
    if (!is_current(f, &last))
        return fail(MK_ESTORE, "the present keys are not those of the log");
    for (size_t i = 0; i < sizeof remains / sizeof *remains; i++)
        if (access(fixture_path(f, remains[i]), F_OK) == 0)
            return fail(MK_ESTORE, "%s is left", remains[i]);
    printf("%u\n", rotations);
    return 0;
}

static const char *standing(struct fixture *f)
{
    struct held held;
    if (subject_read(f->state, fixture_subject(1), 0, 10, &held) < 0)
        return "gone";
    const char *text = held.held ? "held" : held.restricted ? "restricted" : "there";
    held_done(&held);
    return text;
}

int look_told(struct fixture *f)
{
    struct callback callback;
    unsigned waiting = 0;
    for (uint64_t row = 0; callback_next(f->state, row + 1, &row) == 0; waiting++) {
        char *receipt = NULL;
        int rc = callback_read(f->state, row, &callback, &receipt);
        free(receipt);
        if (rc < 0)
            return rc;
    }
    printf("%s %u\n", standing(f), waiting);
    return 0;
}

static int count_receipts(struct fixture *f, unsigned *ret_receipts)
{
    struct state_status status;
    struct answer answer;
    unsigned receipts = 0;
    state_status(f->state, &status);
    for (uint64_t i = 0; i < status.entries; i++) {
        int rc = answer_read(f->state, i, &answer);
        if (rc < 0 && rc != MK_ENOTFOUND)
            return rc;
        receipts += rc == 0;
        if (rc == 0)
            answer_done(&answer);
    }
    *ret_receipts = receipts;
    return 0;
}

int look_check(struct fixture *f)
{
    unsigned receipts;
    int rc = count_receipts(f, &receipts);
    if (rc == 0)
        printf("%s %u\n", standing(f), receipts);
    return rc;
}

int look_people(struct fixture *f)
{
    unsigned receipts, there = 0, requests = 0;
    int rc = count_receipts(f, &receipts);
    for (uint32_t i = 0; rc == 0 && i <= PEOPLE; i++) {
        struct held held;
        struct request_row row;
        const char name[] = {(char)('0' + i), '\0'};
        if (subject_read(f->state, fixture_subject(i), 0, 10, &held) == 0) {
            there += held.total == 2;
            held_done(&held);
        }
        requests += request_read(f->state, name, &row) == 0;
    }
    if (rc == 0)
        printf("%u %u %u\n", there, receipts, requests);
    return rc;
}

/* Windows of 16 bytes, such as grep can search for: without a newline or a zero byte. */
static void print_needles(FILE *out, const uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at + NEEDLE <= len; at++)
        if (!memchr(bytes + at, '\n', NEEDLE) && !memchr(bytes + at, 0, NEEDLE)) {
            fwrite(bytes + at, 1, NEEDLE, out);
            putc('\n', out);
            at += NEEDLE - 1;
        }
}

int look_for_needles(struct fixture *f, FILE *out)
{
    struct reader reader;
    struct instance instance;
    uint8_t body[SLOT_SIZE_MAX], tag[SHA256_SIZE];
    struct subject person = fixture_subject(1);
    keyring_tag(f->state->keyring, person.id, person.len, tag);
    uint32_t owner = keyring_find(f->state->keyring, tag);
    int rc = reader_open(f->state, owner, &reader);
    print_needles(out, reader.data_key, SECRET_SIZE);
    print_needles(out, keyring_at(f->state->keyring, owner)->wrapped, WRAPPED_SIZE);
    for (size_t i = 0; rc == 0 && i < reader.n; i++) {
        if ((rc = store_slot_read(f->state->store, reader.slot[i], body)) == 0)
            rc = reader_read(&reader, i, &instance);
        print_needles(out, body + REF_SIZE, f->state->shape.size - REF_SIZE);
        print_needles(out, instance.nonce, NONCE_SIZE);
        print_needles(out, (const uint8_t *)instance.key.q, DIM);
    }
    reader_close(&reader);
    return rc;
}

int look_needles(struct fixture *f)
{
    return look_for_needles(f, stdout);
}

void said_take(struct answer *answer, struct said *ret_said)
{
    snprintf(ret_said->receipt, SAID_MAX, "%s", answer->receipt);
    snprintf(ret_said->salt, sizeof ret_said->salt, "%s", answer->salt);
    snprintf(ret_said->proof, SAID_MAX, "%s", answer->proof);
}

void said_print(const struct said *said)
{
    printf("done\n%s\n%s\n%s", said->receipt, said->salt, said->proof);
}

void said_read(struct said *ret_said)
{
    static char text[3 * SAID_MAX];
    size_t len = fread(text, 1, sizeof text - 1, stdin);
    text[len] = '\0';
    memset(ret_said, 0, sizeof *ret_said);
    sscanf(text, "done %65535s %63s %65535[^#]", ret_said->receipt, ret_said->salt,
           ret_said->proof);
}

static int verify(struct fixture *f, const struct claim *claim)
{
    struct verdict verdict;
    char *jwks, *vkey;
    if (log_jwks(f->state, &jwks) < 0 || log_vkey(f->state, &vkey) < 0)
        abort();
    struct trust trust = {.jwks = jwks, .vkeys = vkey};
    int rc = verify_receipt(claim, &trust, &verdict);
    for (int i = 0; rc == 0 && i < CHECKS; i++)
        if (verdict.check[i].result != CHECK_PASSED)
            rc = fail(MK_EINPUT, "%s: %s", verdict.check[i].name, verdict.check[i].why);
    free(jwks);
    free(vkey);
    return rc;
}

int said_verify(struct fixture *f, const struct said *said, struct subject subject,
                const char *request)
{
    struct claim claim = {said->receipt, said->proof, subject.id,
                          subject.len,   request,     said->salt};
    int rc = verify(f, &claim);
    struct roots *roots = roots_read(fixture_path(f, "log/entries"));
    if (rc == 0 && !roots_agree(roots, said->proof))
        rc = fail(MK_EINPUT, "the proof is of another log");
    roots_free(roots);
    return rc;
}
