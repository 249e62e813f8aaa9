/* SPDX-License-Identifier: Apache-2.0 */
/* Bearer tokens: who is let in, for what and until when. */
#include "tests/check.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/crypto.h"
#include "storage/encode.h"
#include "storage/tokens.h"

static char folder[64], path[128];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "munkeyd-tokens-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/tokens", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_file(const char *text)
{
    FILE *out = fopen(path, "w");
    fputs(text, out);
    fclose(out);
}

static struct tokens *open_tokens(void)
{
    struct tokens *tokens;
    assert_ok(tokens_open(folder, &tokens));
    return tokens;
}

static void a_fresh_token_grants_its_scopes_and_nothing_else(void **state)
{
    (void)state;
    char id[17], token[64], other[64];
    assert_ok(tokens_add(folder, SCOPE_PREDICT | SCOPE_ERASE, 0, id, token));
    assert_ok(tokens_add(folder, SCOPE_ALL, 0, id, other));
    assert_int_equal(strlen(id), 16);
    assert_string_not_equal(token, other);
    struct tokens *tokens = open_tokens();
    uint64_t caller = 0, again = 0;
    assert_int_equal(tokens_scopes(tokens, token, 1, &caller),
                     SCOPE_PREDICT | SCOPE_ERASE);
    assert_int_equal(tokens_scopes(tokens, token, 1, &again),
                     SCOPE_PREDICT | SCOPE_ERASE);
    assert_int_equal(caller, again);
    assert_int_equal(tokens_scopes(tokens, "", 1, &again), 0);
    assert_int_equal(caller, again);
    assert_int_equal(tokens_scopes(tokens, other, 1, &again), SCOPE_ALL);
    assert_int_not_equal(caller, again);
    assert_int_equal(tokens_scopes(tokens, other, 1, NULL), SCOPE_ALL);
    assert_int_equal(tokens_scopes(tokens, "", 1, NULL), 0);
    assert_int_equal(tokens_scopes(tokens, id, 1, NULL), 0);
    for (size_t i = 0; token[i]; i++) {
        token[i] ^= 1;
        assert_int_equal(tokens_scopes(tokens, token, 1, NULL), 0);
        token[i] ^= 1;
    }
    tokens_close(tokens);
}

static void an_expired_token_is_unknown(void **state)
{
    (void)state;
    char id[17], token[64];
    assert_ok(tokens_add(folder, SCOPE_AUDIT, 1000, id, token));
    struct tokens *tokens = open_tokens();
    assert_int_equal(tokens_scopes(tokens, token, 999, NULL), SCOPE_AUDIT);
    assert_int_equal(tokens_scopes(tokens, token, 1000, NULL), 0);
    tokens_close(tokens);
}

static void the_file_holds_a_digest_and_never_the_token(void **state)
{
    (void)state;
    char id[17], token[64], line[512] = "", digest_text[HEX_SIZE(SHA256_SIZE)];
    uint8_t digest[SHA256_SIZE];
    struct stat st;
    assert_ok(tokens_add(folder, SCOPE_ENROLL | SCOPE_ADMIN, 77, id, token));
    FILE *in = fopen(path, "r");
    assert_non_null(fgets(line, sizeof line, in));
    fclose(in);
    assert_null(strstr(line, token));
    assert_null(strstr(line, token + 4));
    char expected[512];
    crypto_sha256(token, strlen(token), digest);
    hex_encode(digest, sizeof digest, digest_text);
    snprintf(expected, sizeof expected, "%s %s enroll,admin 77\n", id, digest_text);
    assert_string_equal(line, expected);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void no_file_lets_nobody_in(void **state)
{
    (void)state;
    struct tokens *tokens = open_tokens();
    assert_int_equal(tokens_scopes(tokens, "", 1, NULL), 0);
    assert_int_equal(tokens_scopes(tokens, "mkt_", 1, NULL), 0);
    tokens_close(tokens);
}

static void reloading_takes_tokens_away_and_brings_new_ones(void **state)
{
    (void)state;
    char id[17], first[64], second[64];
    assert_ok(tokens_add(folder, SCOPE_ALL, 0, id, first));
    struct tokens *tokens = open_tokens();
    unlink(path);
    assert_ok(tokens_add(folder, SCOPE_ERASE, 0, id, second));
    assert_int_equal(tokens_scopes(tokens, first, 1, NULL), SCOPE_ALL);
    assert_ok(tokens_reload(tokens));
    assert_int_equal(tokens_scopes(tokens, first, 1, NULL), 0);
    assert_int_equal(tokens_scopes(tokens, second, 1, NULL), SCOPE_ERASE);
    write_file("rubbish\n");
    assert_int_equal(tokens_reload(tokens), MK_EINPUT);
    assert_int_equal(tokens_scopes(tokens, second, 1, NULL), SCOPE_ERASE);
    tokens_close(tokens);
}

#define DIGEST                                                                           \
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" /* of "test" */

static void tokens_are_listed_in_their_order(void **state)
{
    (void)state;
    char id[17], token[64];
    struct token_info *list;
    size_t n;
    assert_ok(tokens_list(folder, &list, &n));
    assert_int_equal(n, 0);
    free(list);
    write_file("web " DIGEST " all 7\n");
    assert_ok(tokens_add(folder, SCOPE_AUDIT, 9, id, token));
    assert_ok(tokens_list(folder, &list, &n));
    assert_int_equal(n, 2);
    assert_string_equal(list[0].id, "web");
    assert_int_equal(list[0].scopes, SCOPE_ALL);
    assert_int_equal(list[0].expires, 7);
    assert_string_equal(list[1].id, id);
    assert_int_equal(list[1].scopes, SCOPE_AUDIT);
    assert_int_equal(list[1].expires, 9);
    free(list);
}

static void a_revoked_token_is_gone_and_the_rest_is_as_it_was(void **state)
{
    (void)state;
    char text[512] = "", id[17], token[64];
    write_file("# remark\nweb " DIGEST " all 0\n");
    assert_ok(tokens_add(folder, SCOPE_AUDIT, 0, id, token));
    assert_ok(tokens_revoke(folder, id));
    struct tokens *tokens = open_tokens();
    assert_int_equal(tokens_scopes(tokens, token, 1, NULL), 0);
    assert_int_equal(tokens_scopes(tokens, "test", 1, NULL), SCOPE_ALL);
    tokens_close(tokens);
    FILE *in = fopen(path, "r");
    assert_int_equal(fread(text, 1, sizeof text, in),
                     strlen("# remark\nweb " DIGEST " all 0\n"));
    fclose(in);
    assert_string_equal(text, "# remark\nweb " DIGEST " all 0\n");
    assert_int_equal(tokens_revoke(folder, id), MK_ENOTFOUND);
    assert_int_equal(tokens_revoke(folder, "#"), MK_ENOTFOUND);
    assert_ok(tokens_revoke(folder, "web"));
    unlink(path);
    assert_int_equal(tokens_revoke(folder, "web"), MK_ENOTFOUND);
}

static void people_may_edit_the_file(void **state)
{
    (void)state;
    char id[17], token[64];
    write_file("# who may do what\n\n  \nweb " DIGEST " predict,erase 0");
    assert_ok(tokens_add(folder, SCOPE_AUDIT, 0, id, token));
    struct tokens *tokens = open_tokens();
    assert_int_equal(tokens_scopes(tokens, "test", 1, NULL), SCOPE_PREDICT | SCOPE_ERASE);
    assert_int_equal(tokens_scopes(tokens, token, 1, NULL), SCOPE_AUDIT);
    tokens_close(tokens);
}

static void a_wrong_line_is_named_by_its_number(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "web\n",
        "web " DIGEST "\n",
        "web " DIGEST " all\n",
        "web " DIGEST " all never\n",
        "web " DIGEST " all -1\n",
        "web " DIGEST " all 0 more\n",
        "web " DIGEST "00 all 0\n",
        "web 9F86 all 0\n",
        "an-id-of-17-bytes " DIGEST " all 0\n",
        "web " DIGEST " everything 0\n",
        "web " DIGEST " predict, 0\n",
        "web " DIGEST " ,predict 0\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct tokens *tokens;
        char text[512];
        snprintf(text, sizeof text, "# fine\n%s", wrong[i]);
        write_file(text);
        assert_int_equal(tokens_open(folder, &tokens), MK_EINPUT);
        assert_non_null(strstr(err_why(), "tokens, line 2: "));
        assert_null(strstr(err_why(), DIGEST));
    }
}

static void scopes_are_names_with_commas(void **state)
{
    (void)state;
    unsigned scopes;
    assert_ok(scopes_parse("predict", &scopes));
    assert_int_equal(scopes, SCOPE_PREDICT);
    assert_ok(scopes_parse("access,restrict,audit", &scopes));
    assert_int_equal(scopes, SCOPE_ACCESS | SCOPE_RESTRICT | SCOPE_AUDIT);
    assert_ok(scopes_parse("all", &scopes));
    assert_int_equal(scopes, SCOPE_ALL);
    assert_int_equal(scopes_parse("", &scopes), MK_EINPUT);
    assert_int_equal(scopes_parse("predict,", &scopes), MK_EINPUT);
    assert_int_equal(scopes_parse("predict,eraze", &scopes), MK_EINPUT);
    assert_non_null(strstr(err_why(), "\"eraze\""));
    assert_string_equal(scope_name(SCOPE_RESTRICT), "restrict");
    char id[17], token[64];
    assert_int_equal(tokens_add(folder, 0, 0, id, token), MK_EINPUT);
}

#ifndef __SANITIZE_ADDRESS__ /* whose allocator takes now more steps, now fewer */

/* Looks the token up in a child that stops after each instruction; returns how many there were. */
static long instructions(struct tokens *tokens, const char *token)
{
    long n = 0;
    int status;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        tokens_scopes(tokens, token, 1, NULL);
        raise(SIGSTOP);
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (!WIFSTOPPED(status))
        skip(); /* whoever runs this forbids ptrace() */
    for (; ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0; n++)
        if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
            WSTOPSIG(status) == SIGSTOP)
            break;
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return n;
}

/* A file of three digests, all wrong for the token but, if right >= 0, that one; wrong in one byte. */
static long instructions_among(const char *token, int right, size_t wrong_byte)
{
    char text[1024] = "", digest_text[HEX_SIZE(SHA256_SIZE)];
    for (int i = 0; i < 3; i++) {
        uint8_t digest[SHA256_SIZE];
        crypto_sha256(token, strlen(token), digest);
        digest[wrong_byte] ^= i != right;
        hex_encode(digest, sizeof digest, digest_text);
        snprintf(text + strlen(text), sizeof text - strlen(text), "t%d %s all 0\n", i,
                 digest_text);
    }
    write_file(text);
    struct tokens *tokens = open_tokens();
    assert_int_equal(tokens_scopes(tokens, token, 1, NULL), right < 0 ? 0 : SCOPE_ALL);
    long n = instructions(tokens, token);
    tokens_close(tokens);
    return n;
}

/* Clocks are too coarse and too noisy to see a byte; instructions can be counted. */
static void the_time_says_nothing_about_the_tokens_that_there_are(void **state)
{
    (void)state;
    const long refused = instructions_among("guess", -1, 0);
    assert_true(refused > 1000);
    for (size_t byte = 7; byte < SHA256_SIZE; byte += 8)
        assert_int_equal(instructions_among("guess", -1, byte), refused);
    const long known = instructions_among("guess", 0, 0);
    assert_int_equal(instructions_among("guess", 1, 0), known);
    assert_int_equal(instructions_among("guess", 2, 0), known);
}
#endif

/* For the thread sanitizer, and for use after free under the address sanitizer. */
struct reader {
    struct tokens *tokens;
    const char *token;
    atomic_bool stop;
    unsigned long wrong;
};

static void *keep_asking(void *context)
{
    struct reader *reader = context;
    while (!atomic_load(&reader->stop))
        reader->wrong +=
            tokens_scopes(reader->tokens, reader->token, 1, NULL) != SCOPE_ALL;
    return NULL;
}

static void reloading_disturbs_no_reader(void **state)
{
    (void)state;
    char id[17], token[64];
    assert_ok(tokens_add(folder, SCOPE_ALL, 0, id, token));
    struct reader reader = {.tokens = open_tokens(), .token = token};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, keep_asking, &reader), 0);
    for (int i = 0; i < 200; i++)
        assert_ok(tokens_reload(reader.tokens));
    atomic_store(&reader.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(reader.wrong, 0);
    tokens_close(reader.tokens);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(a_fresh_token_grants_its_scopes_and_nothing_else),
        TEST(an_expired_token_is_unknown),
        TEST(the_file_holds_a_digest_and_never_the_token),
        TEST(no_file_lets_nobody_in),
        TEST(reloading_takes_tokens_away_and_brings_new_ones),
        TEST(tokens_are_listed_in_their_order),
        TEST(a_revoked_token_is_gone_and_the_rest_is_as_it_was),
        TEST(people_may_edit_the_file),
        TEST(a_wrong_line_is_named_by_its_number),
        TEST(scopes_are_names_with_commas),
#ifndef __SANITIZE_ADDRESS__
        TEST(the_time_says_nothing_about_the_tokens_that_there_are),
#endif
        TEST(reloading_disturbs_no_reader),
    };
    return cmocka_run_group_tests_name("tokens", tests, NULL, NULL);
}
