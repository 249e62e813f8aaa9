/* SPDX-License-Identifier: Apache-2.0 */
/* One operation on a state folder, for tests that end it in the middle.
 *
 *     step FOLDER init | enroll | forget | restrict | lift | hold | release |
 *                 rotate-log | rotate-receipt | enroll-all | forget-all
 *                             prints "done" when it was done
 *     step FOLDER check       prints "there", "restricted", "held" or "gone", and how many
 *                             entries with a receipt the log has
 *     step FOLDER people      prints how many of five people are there, and how many receipts and
 *                             requests with a name there are
 *     step FOLDER keys        prints how many rotations the log knows, when keys and signatures
 *                             are in keeping with it
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "storage/answer.h"
#include "storage/entry.h"
#include "storage/hold.h"
#include "storage/log.h"
#include "storage/receipt.h"
#include "storage/request.h"
#include "storage/restrict.h"
#include "storage/rotate.h"
#include "storage/subject.h"
#include "storage/verify.h"
#include "tests/fixture.h"

static int init(struct fixture *f)
{
    struct init_options init = {.origin = "munkeyd.test/log"};
    static const uint8_t sha256[32];
    return state_init(&f->options, &init, &f->model, sha256);
}

static int do_enroll(struct fixture *f)
{
    return fixture_enroll(f, 1, 0, 5);
}

static int do_forget(struct fixture *f)
{
    struct forgotten done;
    int rc = fixture_forget(f, 1, &done);
    if (rc == 0)
        forgotten_done(&done);
    return rc;
}

/* Five people, of whom the last is held. */
enum { PEOPLE = 5 };

static int do_enroll_all(struct fixture *f)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < PEOPLE; i++)
        rc = fixture_enroll(f, i, 2 * i, 2 * i + 2);
    return rc < 0 ? rc : hold_set(f->state, fixture_subject(PEOPLE - 1), 'e', 0);
}

/* All of them and one who is unknown, in one transaction. */
static int do_forget_all(struct fixture *f)
{
    static const char *const name[PEOPLE + 1] = {"0", "1", "2", "3", "4", "5"};
    struct erasure_request asked[PEOPLE + 1];
    struct forgotten done[PEOPLE + 1];
    for (uint32_t i = 0; i <= PEOPLE; i++)
        asked[i] = (struct erasure_request){
            .subject = fixture_subject(i), .request = name[i], .idempotent = true};
    int rc = forget_batch(f->state, asked, PEOPLE + 1, done);
    for (uint32_t i = 0; rc == 0 && i <= PEOPLE; i++)
        forgotten_done(&done[i]);
    return rc;
}

static int do_rotate_log(struct fixture *f)
{
    struct rotated rotated;
    return rotate(f->state, KEY_LOG, &rotated);
}

static int do_rotate_receipt(struct fixture *f)
{
    struct rotated rotated;
    return rotate(f->state, KEY_RECEIPT, &rotated);
}

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

static int keys(struct fixture *f)
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

static int answer_restricted(int rc, struct restricted *done)
{
    if (rc == 0)
        restricted_done(done);
    return rc;
}

static int do_restrict(struct fixture *f)
{
    struct restricted done;
    return answer_restricted(
        restrict_set(f->state, fixture_subject(1), 'a', "a-request", false, &done),
        &done);
}

static int do_lift(struct fixture *f)
{
    struct restricted done;
    return answer_restricted(
        restrict_lift(f->state, fixture_subject(1), "a-request", false, &done), &done);
}

static int do_hold(struct fixture *f)
{
    return hold_set(f->state, fixture_subject(1), 'e', 0);
}

static int do_release(struct fixture *f)
{
    return hold_lift(f->state, fixture_subject(1));
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

static int check(struct fixture *f)
{
    unsigned receipts;
    int rc = count_receipts(f, &receipts);
    if (rc == 0)
        printf("%s %u\n", standing(f), receipts);
    return rc;
}

static int people(struct fixture *f)
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

static const struct {
    const char *name;
    int (*run)(struct fixture *f);
} steps[] = {{"enroll", do_enroll},
             {"forget", do_forget},
             {"restrict", do_restrict},
             {"lift", do_lift},
             {"hold", do_hold},
             {"release", do_release},
             {"rotate-log", do_rotate_log},
             {"rotate-receipt", do_rotate_receipt},
             {"enroll-all", do_enroll_all},
             {"forget-all", do_forget_all},
             {"people", people},
             {"check", check},
             {"keys", keys}};

static int run(struct fixture *f, const char *name)
{
    int rc = fixture_try_open(f);
    for (size_t i = 0; rc == 0 && i < sizeof steps / sizeof *steps; i++)
        if (!strcmp(name, steps[i].name))
            rc = steps[i].run(f);
    fixture_close(f);
    return rc;
}

int main(int argc, char **argv)
{
    struct fixture f;
    if (argc != 3)
        return 2;
    fixture_name(&f, argv[1]);
    int rc = strcmp(argv[2], "init") ? run(&f, argv[2]) : init(&f);
    if (rc < 0) {
        fprintf(stderr, "%s: %s\n", argv[2], err_why());
        return rc == MK_EUNKNOWN ? 3 : 1;
    }
    if (strcmp(argv[2], "check") && strcmp(argv[2], "keys") && strcmp(argv[2], "people"))
        puts("done");
    return 0;
}
