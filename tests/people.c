/* SPDX-License-Identifier: Apache-2.0 */
/* People who are enrolled, restricted and erased, and what they were answered. */
#include "tests/people.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/verify.h"

enum {
    PEOPLE_MAX = 20000,
    REQUESTS_MAX = 50000,
    PIXELS = 784,
    LAST = 6,
    STAY = 8,
    SAMPLE = 3
};

bool wrong(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("# ");
    vprintf(format, arguments);
    puts("");
    va_end(arguments);
    return false;
}

uint64_t random_next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* --- asking */

/* {"KEY": [[0, 255, ...], ...]} or, with labels, [{"input": [...], "label": "3"}, ...]: the
 * same images for the same seed. */
static char *images(const char *member, unsigned n, uint64_t seed, bool labels)
{
    char *text = malloc(64 + n * (PIXELS * 4 + 64));
    char *at = text + sprintf(text, "{\"%s\":[", member);
    for (unsigned i = 0; i < n; i++) {
        at += sprintf(at, "%s%s", i ? "," : "", labels ? "{\"input\":[" : "[");
        for (unsigned p = 0; p < PIXELS; p++)
            at += sprintf(at, "%s%u", p ? "," : "", (unsigned)random_next(&seed) % 256);
        at += sprintf(at, labels ? "],\"label\":\"%u\"}" : "]", i);
    }
    strcpy(at, "]}");
    return text;
}

static unsigned size_of(const struct person *person)
{
    return 1 + (unsigned)(person->id[strlen(person->id) - 1] - '0') % 3;
}

static const struct {
    const char *word, *method, *target, *status;
} deeds[DEEDS] = {
    [ENROL] = {"enrol", "POST", "/subjects/%s/instances", NULL},
    [ERASE] = {"erase", "DELETE", "/subjects/%s", "erased"},
    [RESTRICT] = {"restrict", "PUT", "/subjects/%s/restriction", "restricted"},
    [LIFT] = {"lift", "DELETE", "/subjects/%s/restriction", "unrestricted"},
};

static int state_after(const struct request *request)
{
    int size = (int)size_of(request->person);
    return request->deed == ERASE      ? 0
           : request->deed == RESTRICT ? size + RESTRICTED
                                       : size;
}

static char *body_of(const struct request *request)
{
    const char *id = request->person->id;
    return request->deed == ENROL
               ? images("instances", size_of(request->person), (uint64_t)id[7], true)
           : request->deed == RESTRICT ? strdup("{\"ground\":\"a\"}")
                                       : strdup("");
}

/* The reply's body, which the caller frees, or NULL when there was none. */
static char *send_request(struct crowd *crowd, const struct request *request)
{
    char target[128], key[64], *body = body_of(request);
    struct reply reply = {0};
    struct ask ask = {deeds[request->deed].method, target, key, "application/json", body};
    snprintf(target, sizeof target, deeds[request->deed].target, request->person->id);
    snprintf(key, sizeof key, "%s-%s-%u", deeds[request->deed].word, request->person->id,
             request->number);
    bool answered = client_ask(&crowd->client, &ask, &reply) && !crowd->deaf;
    free(body);
    if (answered && reply.status == 503 && crowd->stopping)
        answered = false;
    if (answered && reply.status != (request->deed == ENROL ? 201 : 200)) {
        wrong("%s was answered %d: %s", key, reply.status, reply.body);
        exit(EXIT_FAILURE);
    }
    if (!answered)
        free(reply.body);
    return answered ? reply.body : NULL;
}

static bool carry_out(struct worker *worker, struct person *person, enum deed deed)
{
    struct request *request = &worker->request[worker->requests++];
    *request =
        (struct request){.person = person, .deed = deed, .number = person->requests++};
    if (!(request->reply = send_request(worker->crowd, request)))
        return false;
    person->state = state_after(request);
    return true;
}

static struct person *somebody_new(struct worker *worker)
{
    struct person *person = &worker->person[worker->people];
    snprintf(person->id, sizeof person->id, "person-%u-%zu", worker->number,
             worker->people++);
    return person;
}

/* Somebody of the last few who is held, or NULL. */
static struct person *somebody_held(struct worker *worker)
{
    size_t back = 1 + random_next(&worker->random) % LAST;
    if (back > worker->people)
        return NULL;
    struct person *person = &worker->person[worker->people - back];
    return person->state > 0 ? person : NULL;
}

/* One of STAY stays to the end. */
static enum deed what_next(struct worker *worker, const struct person *person)
{
    if ((person - worker->person) % STAY != 0 && random_next(&worker->random) % 3 != 0)
        return ERASE;
    return person->state > RESTRICTED ? LIFT : RESTRICT;
}

static void *work(void *context)
{
    struct worker *worker = context;
    bool answered = true;
    while (answered && worker->people < PEOPLE_MAX && worker->requests < REQUESTS_MAX) {
        struct person *person = somebody_held(worker);
        answered = person ? carry_out(worker, person, what_next(worker, person))
                          : carry_out(worker, somebody_new(worker), ENROL);
    }
    return NULL;
}

static void *ask_for_predictions(void *context)
{
    struct crowd *crowd = context;
    char *body = images("inputs", 4, 1, false);
    struct ask ask = {"POST", "/predict", .type = "application/json", .body = body};
    struct reply reply;
    while (client_ask(&crowd->client, &ask, &reply))
        free(reply.body);
    free(body);
    return NULL;
}

bool crowd_new(struct crowd *crowd, uint64_t seed)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        struct worker *worker = &crowd->worker[i];
        *worker = (struct worker){.crowd = crowd, .number = i, .random = seed + i};
        worker->person = calloc(PEOPLE_MAX, sizeof *worker->person);
        worker->request = calloc(REQUESTS_MAX, sizeof *worker->request);
        if (!worker->person || !worker->request)
            return false;
    }
    return true;
}

void crowd_free(struct crowd *crowd)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        for (size_t r = 0; r < crowd->worker[i].requests; r++)
            free(crowd->worker[i].request[r].reply);
        free(crowd->worker[i].request);
        free(crowd->worker[i].person);
    }
    free(crowd->jwks);
    free(crowd->vkey);
}

void crowd_begin(struct crowd *crowd)
{
    crowd->deaf = crowd->stopping = false;
    for (unsigned i = 0; i < WORKERS; i++)
        pthread_create(&crowd->worker[i].thread, NULL, work, &crowd->worker[i]);
    pthread_create(&crowd->asker, NULL, ask_for_predictions, crowd);
}

void crowd_join(struct crowd *crowd)
{
    for (unsigned i = 0; i < WORKERS; i++)
        pthread_join(crowd->worker[i].thread, NULL);
    pthread_join(crowd->asker, NULL);
    crowd->deaf = crowd->stopping = false;
}

/* --- checking */

static char *get(const struct crowd *crowd, const char *target, int *ret_status)
{
    struct ask ask = {.method = "GET", .target = target};
    struct reply reply = {0};
    if (!client_ask(&crowd->client, &ask, &reply))
        return NULL;
    *ret_status = reply.status;
    return reply.body;
}

/* The state of somebody as the server tells it; -1: it does not. */
static int look_at(const struct crowd *crowd, const struct person *person)
{
    char target[64];
    int status = 0;
    snprintf(target, sizeof target, "/subjects/%s", person->id);
    char *body = get(crowd, target, &status);
    json_t *root = body ? json_loads(body, 0, NULL) : NULL;
    bool restricted = json_is_true(json_object_get(root, "restricted"));
    int held = (int)json_integer_value(json_object_get(root, "total"));
    json_decref(root);
    if (status != 200 && status != 404)
        wrong("GET %s was answered %d: %s", target, status, body ? body : "not at all");
    free(body);
    return status == 404 ? 0 : status == 200 ? held + restricted * RESTRICTED : -1;
}

static long log_size(const struct crowd *crowd)
{
    int status = 0;
    long size = -1;
    char *body = get(crowd, "/log/checkpoint", &status);
    if (body)
        sscanf(body, "%*s %ld", &size);
    free(body);
    return size;
}

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* What verify_receipt() says to a whole reply: every check has to pass. */
static bool verifies(const struct crowd *crowd, const json_t *reply)
{
    const json_t *opening = json_object_get(reply, "opening"),
                 *log = json_object_get(reply, "log");
    struct claim claim = {.receipt = member(reply, "receipt"),
                          .proof = member(log, "proof"),
                          .subject = member(opening, "subject"),
                          .subject_len = strlen(member(opening, "subject")),
                          .request = member(opening, "request"),
                          .salt = member(opening, "salt")};
    struct trust trust = {.jwks = crowd->jwks, .vkeys = crowd->vkey};
    struct verdict verdict;
    if (verify_receipt(&claim, &trust, &verdict) < 0)
        return wrong("a receipt cannot be read: %s", err_why());
    for (int i = 0; i < CHECKS; i++)
        if (verdict.check[i].result != CHECK_PASSED)
            return wrong("%s: %s", verdict.check[i].name, verdict.check[i].why);
    return verdict.valid;
}

static bool receipt_is_right(const struct crowd *crowd, const struct request *request)
{
    const struct person *person = request->person;
    json_t *reply = json_loads(request->reply, 0, NULL);
    const char *id = member(json_object_get(reply, "opening"), "subject");
    const json_t *erased = json_object_get(reply, "erased");
    bool right = !strcmp(member(reply, "status"), deeds[request->deed].status) &&
                 !strcmp(id, person->id) &&
                 json_integer_value(erased) ==
                     (request->deed == ERASE ? (json_int_t)size_of(person) : 0) &&
                 verifies(crowd, reply);
    json_decref(reply);
    return right || wrong("%s has this receipt: %s", person->id, request->reply);
}

static bool same_receipt(const char *one, const char *other)
{
    json_t *a = json_loads(one, 0, NULL), *b = json_loads(other, 0, NULL);
    bool same = a && b && !strcmp(member(a, "receipt"), member(b, "receipt")) &&
                json_equal(json_object_get(a, "opening"), json_object_get(b, "opening"));
    json_decref(a);
    json_decref(b);
    return same;
}

/* Asked again, the server says the same. */
static bool repeats(struct crowd *crowd, const struct request *request)
{
    char *again = send_request(crowd, request);
    bool same = (again && same_receipt(request->reply, again)) ||
                wrong("%s had one answer and has another:\n# %s\n# %s",
                      request->person->id, request->reply, again ? again : "none");
    free(again);
    return same;
}

static bool is_as_answered(struct crowd *crowd, const struct person *person)
{
    int state = look_at(crowd, person);
    return state == person->state ||
           wrong("%s was answered to be %d and is %d", person->id, person->state, state);
}

/* Whether the entry was there before the request was sent again, as it is when what was asked for
 * had happened.  A restriction may stand without it: the flag in the keyring comes first. */
static bool entry_is_in_keeping(const struct request *request, int before, int found,
                                long size)
{
    int after = state_after(request);
    json_t *reply = json_loads(request->reply, 0, NULL);
    bool there = atol(member(reply, "receipt_id")) < size;
    json_decref(reply);
    return (found == before && !there) ||
           (found == after && (there || request->deed == RESTRICT)) ||
           wrong("%s was %d, found as %d, with a log of %ld entries, and then this: %s",
                 request->person->id, before, found, size, request->reply);
}

/* "Either remembered and no receipt, or forgotten with its entry": what was under way when the
 * server ended, is asked for again, and is what was asked for then. */
static bool finish_request(struct crowd *crowd, struct request *request)
{
    struct person *person = request->person;
    int before = person->state, found = look_at(crowd, person);
    long size = log_size(crowd);
    if (!(request->reply = send_request(crowd, request)))
        return wrong("%s: no answer after the start", person->id);
    person->state = state_after(request);
    crowd->interrupted++;
    if (request->deed == ENROL)
        return (found == 0 || found == person->state ||
                wrong("%s has %d instances", person->id, found)) &&
               is_as_answered(crowd, person);
    return entry_is_in_keeping(request, before, found, size) &&
           receipt_is_right(crowd, request) && is_as_answered(crowd, person);
}

/* A few of those who were answered before. */
static bool sample(struct worker *worker)
{
    for (int i = 0; i < SAMPLE && worker->requests > 0; i++) {
        struct request *request =
            &worker->request[random_next(&worker->random) % worker->requests];
        if (!is_as_answered(worker->crowd, request->person) ||
            (request->deed != ENROL && !repeats(worker->crowd, request)))
            return false;
    }
    return true;
}

static bool fetch_keys(struct crowd *crowd)
{
    int jwks = 0, vkey = 0;
    if (crowd->jwks)
        return true;
    crowd->jwks = get(crowd, "/.well-known/jwks.json", &jwks);
    crowd->vkey = get(crowd, "/log/vkey", &vkey);
    return (jwks == 200 && vkey == 200) || wrong("there are no keys");
}

bool crowd_settle(struct crowd *crowd)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        struct worker *worker = &crowd->worker[i];
        struct request *last =
            worker->requests ? &worker->request[worker->requests - 1] : NULL;
        if (!fetch_keys(crowd) ||
            (last && !last->reply && !finish_request(crowd, last)) || !sample(worker))
            return false;
    }
    return true;
}

bool crowd_audit(struct crowd *crowd)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        struct worker *worker = &crowd->worker[i];
        for (size_t p = 0; p < worker->people; p++)
            if (!is_as_answered(crowd, &worker->person[p]))
                return false;
        for (size_t r = 0; r < worker->requests; r++)
            if (worker->request[r].deed != ENROL &&
                (!receipt_is_right(crowd, &worker->request[r]) ||
                 !repeats(crowd, &worker->request[r])))
                return false;
    }
    return true;
}

bool crowd_erase_all(struct crowd *crowd)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        struct worker *worker = &crowd->worker[i];
        for (size_t p = 0; p < worker->people; p++)
            if (worker->person[p].state > 0 &&
                !carry_out(worker, &worker->person[p], ERASE))
                return wrong("%s cannot be erased", worker->person[p].id);
    }
    return true;
}

size_t crowd_count(const struct crowd *crowd, enum deed deed)
{
    size_t n = 0;
    for (unsigned i = 0; i < WORKERS; i++)
        for (size_t r = 0; r < crowd->worker[i].requests; r++)
            n += crowd->worker[i].request[r].deed == deed;
    return n;
}

const char *crowd_receipt(const struct crowd *crowd, size_t n)
{
    for (unsigned i = 0; i < WORKERS; i++)
        for (size_t r = 0; r < crowd->worker[i].requests; r++)
            if (crowd->worker[i].request[r].deed != ENROL && n-- == 0)
                return crowd->worker[i].request[r].reply;
    return NULL;
}
