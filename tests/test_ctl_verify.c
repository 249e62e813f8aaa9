/* SPDX-License-Identifier: Apache-2.0 */
/* munkeyctl verify on the receipt of the worked example: what it prints, how it exits. */
#include "tests/vectors.h"

#include <sys/wait.h>
#include <unistd.h>

#include "daemon/ctl.h"
#include "storage/receipt.h"

static char folder[] = "munkeyd-verify-XXXXXX";

static void save(const char *name, const char *text)
{
    FILE *out = fopen(name, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

/* The reply of the example's erasure, its salt as given, with so many that it says are erased. */
static void save_reply(const char *name, const char *salt, int erased)
{
    json_auto_t *reply =
        json_pack("{s:s, s:i, s:s, s:{s:s, s:s, s:s}, s:{s:s, s:s}}", "status", "erased",
                  "erased", erased, "receipt", vector_text("receipt_jws"), "opening",
                  "subject", vector_text("commitment.subject"), "request",
                  vector_text("commitment.request"), "salt", salt, "log", "origin",
                  vector_text("log.origin"), "proof", vector_text("tlog_proof"));
    assert_int_equal(json_dump_file(reply, name, JSON_INDENT(2)), 0);
}

static void save_jwks(const char *name)
{
    uint8_t public[1][ED25519_SIZE];
    const char *x = vector_text("receipt_key.jwk.x");
    char *jwks;
    assert_ok(base64url_decode(x, strlen(x), public[0], ED25519_SIZE));
    assert_ok(jwks_write(public, 1, &jwks));
    save(name, jwks);
    free(jwks);
}

static int setup(void **state)
{
    if (vectors_load(state) != 0 || !mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    save_reply("reply", vector_text("commitment.salt"), 2);
    save_reply("other", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 2);
    save_reply("boast", vector_text("commitment.salt"), 3);
    save_jwks("jwks");
    save("vkey", vector_text("log.vkey"));
    save("before", vector_at("entries", 2));
    save("after", vector_at("entries", 4));
    save("receipt", vector_text("receipt_jws"));
    save("proof", vector_text("tlog_proof"));
    save("rubbish", "rubbish");
    save("object", "{\"receipt\":7}");
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"reply",   "other",  "jwks",  "vkey",
                                        "before",  "after",  "proof", "rubbish",
                                        "receipt", "object", "boast", "printed"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unlink(names[i]);
    return chdir("..") | rmdir(folder) | vectors_free(state);
}

/* Runs the command with these arguments, up to NULL, in a process of its own, because
 * argp exits; what it printed is in ret_printed. */
static int run(char *const *arguments, char ret_printed[static 2048])
{
    int argc = 0, status;
    while (arguments[argc])
        argc++;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("printed", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(99);
        status = ctl_verify(argc, (char **)arguments);
        fflush(stdout);
        _exit(status);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    FILE *in = fopen("printed", "r");
    ret_printed[fread(ret_printed, 1, 2047, in)] = '\0';
    fclose(in);
    return WEXITSTATUS(status);
}

#define RUN(printed, ...) run((char *[]){"verify", __VA_ARGS__, NULL}, printed)

static void a_good_reply_passes_every_check_by_name(void **state)
{
    (void)state;
    char printed[2048];
    assert_int_equal(RUN(printed, "reply", "--jwks", "jwks", "--vkey", "vkey", "--before",
                         "before", "--after", "after"),
                     0);
    static const char *const lines[] = {"signature     passed", "known_key     passed",
                                        "commitment    passed", "leaf_in_log   passed",
                                        "checkpoint    passed", "digest_chain  passed",
                                        "The receipt is valid."};
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        assert_non_null(strstr(printed, lines[i]));
    assert_null(strstr(printed, vector_text("commitment.subject")));
}

/* What stands around a receipt is not signed. */
static void a_reply_that_says_otherwise_than_its_receipt_exits_with_1(void **state)
{
    (void)state;
    char printed[2048];
    assert_int_equal(RUN(printed, "reply", "--jwks", "jwks"), 0);
    assert_non_null(
        strstr(printed, "erased 2 of the person's instances: 2 exact, 0 trained"));
    assert_int_equal(RUN(printed, "boast", "--jwks", "jwks"), 1);
    assert_non_null(strstr(printed, "erased 2 of the person's instances"));
    assert_non_null(strstr(printed, "`erased` of the reply around it says otherwise"));
}

static void a_receipt_alone_is_checked_as_far_as_it_goes(void **state)
{
    (void)state;
    char printed[2048];
    assert_int_equal(RUN(printed, "receipt", "--jwks", "jwks"), 0);
    assert_non_null(strstr(printed, "signature     passed"));
    assert_non_null(strstr(printed, "leaf_in_log   skipped"));
    assert_non_null(strstr(printed, "commitment    skipped"));
    assert_int_equal(
        RUN(printed, "receipt", "--jwks", "jwks", "--vkey", "vkey", "--proof", "proof"),
        0);
    assert_non_null(strstr(printed, "checkpoint    passed"));
}

static void a_wrong_opening_exits_with_1(void **state)
{
    (void)state;
    char printed[2048];
    assert_int_equal(RUN(printed, "other", "--jwks", "jwks", "--vkey", "vkey"), 1);
    assert_non_null(strstr(printed, "commitment    FAILED"));
    assert_non_null(strstr(printed, "The receipt is NOT valid."));
    assert_int_equal(RUN(printed, "reply", "--jwks", "jwks", "--before", "after"), 1);
    assert_non_null(strstr(printed, "digest_chain  FAILED"));
    assert_int_equal(RUN(printed, "reply", "--jwks", "rubbish"), 1);
    assert_non_null(strstr(printed, "known_key     FAILED"));
}

static void what_cannot_be_checked_exits_with_2(void **state)
{
    (void)state;
    char printed[2048];
    assert_int_equal(RUN(printed, "reply"), 2);
    assert_int_equal(RUN(printed, "--jwks", "jwks"), 2);
    assert_int_equal(RUN(printed, "reply", "receipt", "--jwks", "jwks"), 2);
    assert_int_equal(RUN(printed, "absent", "--jwks", "jwks"), 2);
    assert_int_equal(RUN(printed, "rubbish", "--jwks", "jwks"), 2);
    assert_int_equal(RUN(printed, "object", "--jwks", "jwks"), 2);
    assert_int_equal(RUN(printed, "reply", "--jwks", "jwks", "--opening", "rubbish"), 2);
    assert_string_equal(printed, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_reply_passes_every_check_by_name),
        cmocka_unit_test(a_reply_that_says_otherwise_than_its_receipt_exits_with_1),
        cmocka_unit_test(a_receipt_alone_is_checked_as_far_as_it_goes),
        cmocka_unit_test(a_wrong_opening_exits_with_1),
        cmocka_unit_test(what_cannot_be_checked_exits_with_2),
    };
    return cmocka_run_group_tests_name("ctl_verify", tests, setup, teardown);
}
