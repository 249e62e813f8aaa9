/* SPDX-License-Identifier: Apache-2.0 */
/* One life of a state folder: a real munkeyd under load, ended again and again at random moments,
 * held to every word it said.
 *
 *     load [-s SEED] [-c CUT -r RESTORE] -n ENDS -f FOLDER -t TOKEN -o OUT -- munkeyd ...
 *
 * The end is kill -9; or a power cut, where the command CUT keeps the disk as it is at this
 * moment, and RESTORE, after the kill, puts what was kept in its place.  Leaves some receipts and
 * the public keys in OUT, and prints a line of figures at last: ends, those of starts, those of
 * stops, interrupted requests, enrolments, restrictions and their ends, erasures.
 */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/people.h"
#include "tests/roots.h"
#include "tests/server.h"

enum { LOAD_USEC = 150000, START_USEC = 90000, STOP_USEC = 6000, KEPT = 6 };

struct life {
    const char *folder, *out, *cut, *restore;
    unsigned ends, of_starts, of_stops;
    uint64_t random;
    struct server server;
    struct crowd crowd;
    char digest[65]; /* before anybody came */
};

static bool run(const char *command)
{
    return !command || system(command) == 0 || wrong("failed: %s", command);
}

static void pause_for(struct life *life, unsigned limit)
{
    usleep((unsigned)random_next(&life->random) % limit);
}

static bool start(struct life *life)
{
    server_spawn(&life->server);
    if (!server_ready(&life->server))
        return wrong("munkeyd does not start: %s", life->server.words);
    life->crowd.client.port = life->server.port;
    return true;
}

/* Whether the signal hit a process that had not ended by itself. */
static bool end(struct life *life, bool *ret_hit)
{
    bool kept = run(life->cut);
    int status = server_end(&life->server, SIGKILL);
    *ret_hit = WIFSIGNALED(status);
    return kept &&
           (WIFSIGNALED(status) || status == 0 ||
            wrong("munkeyd ended with status %x: %s", status, life->server.words)) &&
           run(life->restore);
}

static bool end_a_start(struct life *life)
{
    bool hit = false;
    server_spawn(&life->server);
    pause_for(life, START_USEC);
    if (!end(life, &hit))
        return false;
    life->ends += hit;
    life->of_starts += hit;
    return true;
}

/* Under load; one of eight while it is stopping. */
static bool end_under_load(struct life *life)
{
    bool hit = false, stopping = random_next(&life->random) % 8 == 0;
    crowd_begin(&life->crowd);
    pause_for(life, LOAD_USEC);
    if (stopping) {
        life->crowd.stopping = true;
        kill(life->server.pid, SIGTERM);
        pause_for(life, STOP_USEC);
    }
    life->crowd.deaf = life->cut != NULL;
    bool ended = end(life, &hit);
    crowd_join(&life->crowd);
    life->ends += hit;
    life->of_stops += hit && stopping;
    return ended;
}

static bool read_digest(struct life *life, char ret_digest[static 65])
{
    struct ask ask = {.method = "GET", .target = "/memory/digest"};
    struct reply reply = {0};
    if (!client_ask(&life->crowd.client, &ask, &reply) || reply.status != 200)
        return wrong("the memory has no digest");
    json_t *root = json_loads(reply.body, 0, NULL);
    snprintf(ret_digest, 65, "%s", json_string_value(json_object_get(root, "digest")));
    json_decref(root);
    free(reply.body);
    return true;
}

static bool live(struct life *life, unsigned ends)
{
    while (life->ends < ends) {
        if (random_next(&life->random) % 6 == 0) {
            if (!end_a_start(life))
                return false;
            continue;
        }
        if (!start(life) || (!life->digest[0] && !read_digest(life, life->digest)) ||
            !crowd_settle(&life->crowd) || !end_under_load(life))
            return false;
    }
    return true;
}

static bool write_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    return out && fputs(text, out) >= 0 && fclose(out) == 0;
}

/* For programs that know nothing of munkeyd. */
static bool leave_receipts(const struct life *life)
{
    size_t n = crowd_count(&life->crowd, ERASE) + crowd_count(&life->crowd, RESTRICT) +
               crowd_count(&life->crowd, LIFT);
    bool left = write_file(life->out, "jwks", life->crowd.jwks) &&
                write_file(life->out, "vkey", life->crowd.vkey);
    for (size_t i = 0; left && i < KEPT && i < n; i++) {
        char name[32];
        snprintf(name, sizeof name, "receipt-%zu.json", i);
        left = write_file(life->out, name, crowd_receipt(&life->crowd, i * n / KEPT % n));
    }
    return left || wrong("no receipts can be written to %s", life->out);
}

static bool log_never_changed(const struct life *life)
{
    char path[512];
    bool agree = true;
    const char *text;
    snprintf(path, sizeof path, "%s/log/entries", life->folder);
    struct roots *roots = roots_read(path);
    if (!roots)
        return wrong("%s cannot be read", path);
    for (size_t i = 0; agree && (text = crowd_receipt(&life->crowd, i)); i++) {
        json_t *root = json_loads(text, 0, NULL);
        const json_t *log = json_object_get(root, "log");
        agree = roots_agree(roots, json_string_value(json_object_get(log, "proof"))) ||
                wrong("the log is not the one that this was signed over: %s", text);
        json_decref(root);
    }
    roots_free(roots);
    return agree;
}

/* Nobody is back, nobody is lost, and without those who stayed the memory is as it was. */
static bool look_back(struct life *life)
{
    char digest[65];
    if (!start(life) || !crowd_settle(&life->crowd) || !crowd_audit(&life->crowd) ||
        !crowd_erase_all(&life->crowd) || !crowd_audit(&life->crowd) ||
        !read_digest(life, digest))
        return false;
    if (strcmp(digest, life->digest))
        return wrong("the memory is not what it was before anybody came");
    int status = server_end(&life->server, SIGTERM);
    return (status == 0 || wrong("munkeyd ended with status %x", status)) &&
           log_never_changed(life) && leave_receipts(life);
}

int main(int argc, char **argv)
{
    struct life life = {0};
    const char *token = "";
    unsigned ends = 1;
    uint64_t seed = 1;
    for (int option; (option = getopt(argc, argv, "s:c:r:n:f:t:o:")) > 0;)
        switch (option) {
        case 's':
            seed = strtoull(optarg, NULL, 10);
            break;
        case 'c':
            life.cut = optarg;
            break;
        case 'r':
            life.restore = optarg;
            break;
        case 'n':
            ends = (unsigned)atoi(optarg);
            break;
        case 'f':
            life.folder = optarg;
            break;
        case 't':
            token = optarg;
            break;
        case 'o':
            life.out = optarg;
            break;
        default:
            return 2;
        }
    life.random = seed;
    life.server.argv = argv + optind;
    life.crowd.client.token = token;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!crowd_new(&life.crowd, seed) || !live(&life, ends) || !look_back(&life))
        return EXIT_FAILURE;
    printf("%u %u %u %u %zu %zu %zu\n", life.ends, life.of_starts, life.of_stops,
           life.crowd.interrupted, crowd_count(&life.crowd, ENROL),
           crowd_count(&life.crowd, RESTRICT) + crowd_count(&life.crowd, LIFT),
           crowd_count(&life.crowd, ERASE));
    crowd_free(&life.crowd);
}
