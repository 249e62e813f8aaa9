/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's log: each form is one record, whatever it is made of, and nobody waits for a reader
 * who hangs. */
#include "tests/check.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/journal.h"
#include "core/err.h"

static char folder[] = "munkeyd-journal-XXXXXX";
static char path[64];
static int kept_stderr, heard; /* the end of the pipe that standard error is; */
static int journald;           /* and the socket that stands for the journal's */

static const struct trace trace = {"4bf92f3577b34da6a3ce929d0e0e4736",
                                   "00f067aa0ba902b7"};
static const struct request_record record = {"DELETE", "/subjects/{id}", 200, 1250000,
                                             "an-id",  &trace,           42};
#define WORDS                                                                            \
    "DELETE /subjects/{id} 200 in 1.250 ms, request an-id, trace "                       \
    "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7, log index 42"

/* Control characters of one byte and of two, a quote, a backslash, good and bad UTF-8. */
static const char nasty[] = "a\r\nb\tc\x1b[31m\x7f\xc2\x85\"\\\xc3\xa9";

static int set_up(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int ends[2];
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    if (!mkdtemp(folder) || pipe(ends) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/socket", folder);
    strcpy(address.sun_path, path);
    journald = socket(AF_UNIX, SOCK_DGRAM, 0);
    kept_stderr = dup(STDERR_FILENO);
    heard = ends[0];
    fcntl(heard, F_SETFL, O_NONBLOCK);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    return bind(journald, (struct sockaddr *)&address, sizeof address);
}

static int tear_down(void **state)
{
    (void)state;
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    close(heard);
    close(journald);
    unlink(path);
    return rmdir(folder);
}

static void open_as(const char *form)
{
    assert_ok(journal_open(
        &(struct journal_options){.form = form, .requests = true, .socket = path}));
}

/* What was said since, as text. */
static const char *hear(int from)
{
    static char text[1 << 16];
    ssize_t n = from == journald ? recv(from, text, sizeof text - 1, MSG_DONTWAIT)
                                 : read(from, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void text_is_a_line_for_people(void **state)
{
    (void)state;
    open_as("text");
    journal_say(LOG_INFO, "listening on %s port %u", "127.0.0.1", 8470);
    assert_string_equal(hear(heard), "munkeyd: listening on 127.0.0.1 port 8470\n");
    journal_request(&record);
    assert_string_equal(hear(heard), "munkeyd: " WORDS "\n");
    journal_request(
        &(struct request_record){"unknown", "unknown", 408, 0, NULL, NULL, 0});
    assert_string_equal(hear(heard), "munkeyd: unknown unknown 408\n");
}

static void json_has_what_it_says_as_members(void **state)
{
    (void)state;
    open_as("json");
    journal_request(&record);
    json_t *json = json_loads(hear(heard), 0, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "message")), WORDS);
    assert_string_equal(json_string_value(json_object_get(json, "level")), "info");
    assert_string_equal(json_string_value(json_object_get(json, "method")), "DELETE");
    assert_string_equal(json_string_value(json_object_get(json, "route")),
                        "/subjects/{id}");
    assert_int_equal(json_integer_value(json_object_get(json, "status")), 200);
    assert_true(json_real_value(json_object_get(json, "duration_seconds")) == 0.00125);
    assert_string_equal(json_string_value(json_object_get(json, "request_id")), "an-id");
    assert_string_equal(json_string_value(json_object_get(json, "trace_id")), trace.id);
    assert_string_equal(json_string_value(json_object_get(json, "span_id")), trace.span);
    assert_int_equal(json_integer_value(json_object_get(json, "log_index")), 42);
    json_decref(json);
}

static void the_journal_gets_fields(void **state)
{
    (void)state;
    open_as("journal");
    journal_request(&record);
    assert_string_equal(hear(journald),
                        "PRIORITY=6\nSYSLOG_IDENTIFIER=munkeyd\nMESSAGE=" WORDS "\n"
                        "MUNKEYD_METHOD=DELETE\nMUNKEYD_ROUTE=/subjects/{id}\n"
                        "MUNKEYD_STATUS=200\nMUNKEYD_DURATION_SECONDS=0.001250\n"
                        "MUNKEYD_REQUEST_ID=an-id\n"
                        "MUNKEYD_TRACE_ID=4bf92f3577b34da6a3ce929d0e0e4736\n"
                        "MUNKEYD_SPAN_ID=00f067aa0ba902b7\nMUNKEYD_LOG_INDEX=42\n");
    assert_string_equal(hear(heard), "");
}

static void nothing_that_is_said_breaks_a_line(void **state)
{
    (void)state;
    char all[256];
    for (int i = 1; i < 256; i++)
        all[i - 1] = (char)i;
    all[255] = '\0';
    open_as("text");
    journal_say(LOG_ERR, "%s", nasty);
    assert_string_equal(
        hear(heard), "munkeyd: a\\x0d\\x0ab\\x09c\\x1b[31m\\x7f\\xc2\\x85\"\\\xc3\xa9\n");
    journal_say(LOG_ERR, "%s", all);
    const char *line = hear(heard);
    for (size_t i = 0; line[i + 1]; i++)
        assert_in_range((unsigned char)line[i], ' ', '~');
    open_as("journal");
    journal_say(LOG_ERR, "%s", nasty);
    assert_string_equal(
        hear(journald),
        "PRIORITY=3\nSYSLOG_IDENTIFIER=munkeyd\nMESSAGE=a\\x0d\\x0ab\\x09c"
        "\\x1b[31m\\x7f\\xc2\\x85\"\\\xc3\xa9\n");
}

static void json_stays_json(void **state)
{
    (void)state;
    open_as("json");
    journal_say(LOG_ERR, "%s%s", nasty, "\xff");
    const char *line = hear(heard);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    json_t *json = json_loads(line, 0, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "message")),
                        "a\\x0d\\x0ab\\x09c\\x1b[31m\\x7f\\xc2\\x85\"\\\\xc3\\xa9\\xff");
    json_decref(json);
}

/* The longest sentence, each byte of which has to be written in the longest way. */
static void a_sentence_of_any_length_fits(void **state)
{
    (void)state;
    static const char *const forms[] = {"text", "json", "journal"};
    char full[5000];
    memset(full, '\x01', sizeof full - 1);
    full[sizeof full - 1] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        open_as(forms[i]);
        journal_say(LOG_ERR, "%s", full);
        const char *line = hear(i == 2 ? journald : heard);
        assert_int_equal(line[strlen(line) - 1], '\n');
        assert_non_null(strstr(line, "x01"));
    }
}

/* alarm(2) ends a test that waits. */
static void nobody_waits_for_who_does_not_read(void **state)
{
    (void)state;
    uint64_t before = journal_dropped();
    open_as("text");
    alarm(10);
    for (int i = 0; i < 2000; i++)
        journal_request(&record);
    assert_true(journal_dropped() > before);
    journal_say(LOG_CRIT, "a sentence has its place");
    alarm(0);
    const char *said = hear(heard);
    assert_non_null(strstr(said, "\nmunkeyd: a sentence has its place\n"));
}

static void what_journald_does_not_take_is_said_all_the_same(void **state)
{
    (void)state;
    uint64_t before = journal_dropped();
    open_as("journal");
    alarm(10);
    for (int i = 0; i < 2000; i++)
        journal_request(&record);
    assert_true(journal_dropped() > before);
    journal_say(LOG_CRIT, "a sentence");
    alarm(0);
    assert_string_equal(hear(heard), "munkeyd: a sentence\n");
}

static void records_can_be_left_out(void **state)
{
    (void)state;
    assert_ok(journal_open(&(struct journal_options){.form = "text"}));
    journal_request(&record);
    assert_string_equal(hear(heard), "");
    journal_say(LOG_INFO, "sentences stay");
    assert_string_equal(hear(heard), "munkeyd: sentences stay\n");
}

/* systemd.exec(5), JOURNAL_STREAM. */
static void auto_finds_out_where_standard_error_leads(void **state)
{
    (void)state;
    struct stat stat;
    char stream[64];
    assert_int_equal(fstat(STDERR_FILENO, &stat), 0);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)stat.st_dev,
             (unsigned long long)stat.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    open_as("auto");
    journal_say(LOG_INFO, "one");
    assert_non_null(strstr(hear(journald), "MESSAGE=one\n"));
    open_as("text");
    journal_say(LOG_WARNING, "two");
    assert_string_equal(hear(heard), "<4>munkeyd: two\n");
    setenv("JOURNAL_STREAM", "1:2", 1);
    open_as("auto");
    journal_say(LOG_INFO, "three");
    assert_string_equal(hear(heard), "munkeyd: three\n");
    unsetenv("JOURNAL_STREAM");
}

static void another_form_is_refused(void **state)
{
    (void)state;
    assert_int_equal(journal_open(&(struct journal_options){.form = "xml"}), MK_EINPUT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(text_is_a_line_for_people),
        TEST(json_has_what_it_says_as_members),
        TEST(the_journal_gets_fields),
        TEST(nothing_that_is_said_breaks_a_line),
        TEST(json_stays_json),
        TEST(a_sentence_of_any_length_fits),
        TEST(nobody_waits_for_who_does_not_read),
        TEST(what_journald_does_not_take_is_said_all_the_same),
        TEST(records_can_be_left_out),
        TEST(auto_finds_out_where_standard_error_leads),
        TEST(another_form_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
