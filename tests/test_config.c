/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: the shipped file is the truth about defaults, and mistakes are named. */
#include "tests/check.h"

#include <stdio.h>
#include <unistd.h>

#include "daemon/config.h"

static char folder[] = "munkeyd-config-XXXXXX";
static char file[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(file, sizeof file, "%s/munkeyd.conf", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(folder);
}

static void write_file(const char *text)
{
    FILE *f = fopen(file, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Takes the comment sign off every `#name = value` of the shipped file; returns how many.
 */
static size_t write_shipped_file(void)
{
    char path[4096], line[512];
    size_t n = 0;

    snprintf(path, sizeof path, "%s/systemd/munkeyd.conf", getenv("top_builddir"));
    FILE *in = fopen(path, "r"), *out = fopen(file, "w");
    assert_non_null(in);
    assert_non_null(out);
    while (fgets(line, sizeof line, in)) {
        if (line[0] != '#' || line[1] < 'a' || line[1] > 'z')
            continue;
        fputs(line + 1, out);
        n++;
    }
    fclose(in);
    fclose(out);
    return n;
}

static void the_shipped_file_states_every_default(void **state)
{
    struct config shipped, preset;
    (void)state;

    assert_int_equal(write_shipped_file(), CONFIG_COUNT);
    assert_ok(config_load(&(struct config_source){.file = file}, &shipped));
    assert_ok(config_load(&(struct config_source){.file = "/dev/null"}, &preset));
#define SAME_TEXT(id, ...) assert_string_equal(shipped.id, preset.id);
#define SAME_NUMBER(id, ...) assert_int_equal(shipped.id, preset.id);
    CONFIG_SETTINGS(SAME_TEXT, SAME_NUMBER, SAME_NUMBER)
    config_done(&shipped);
    config_done(&preset);
}

static void the_shipped_file_names_every_setting(void **state)
{
    char text[16384];
    (void)state;

    write_shipped_file();
    FILE *f = fopen(file, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
#define NAMED(id, ...) assert_non_null(strstr(text, #id " = "));
    CONFIG_SETTINGS(NAMED, NAMED, NAMED)
}

static void a_flag_wins_over_the_file(void **state)
{
    struct config_source source = {.file = file};
    struct config config;
    (void)state;

    write_file("port = 1\nbatch = 2\npublic_log = false\n");
    source.flag[CONFIG_port] = "3";
    source.flag[CONFIG_state] = "elsewhere";
    assert_ok(config_load(&source, &config));
    assert_int_equal(config.port, 3);
    assert_int_equal(config.batch, 2);
    assert_false(config.public_log);
    assert_string_equal(config.state, "elsewhere");
    config_done(&config);
}

static void refuses(const char *text, const char *sentence)
{
    struct config config;

    write_file(text);
    assert_int_equal(config_load(&(struct config_source){.file = file}, &config),
                     MK_EINPUT);
    assert_non_null(strstr(err_why(), sentence));
}

static void a_mistake_is_refused_with_its_line(void **state)
{
    (void)state;
    refuses("port = 1\n\nprot = 2\n", "munkeyd.conf, line 3: no such option 'prot'");
    refuses("port = 65536\n", "line 1: port is 65536, but must lie between 0 and 65535");
    refuses("\nbatch = 0\n", "line 2: batch is 0, but must lie between 1 and 10000");
    refuses("port = many\n", "line 1: invalid integer value for option 'port'");
    refuses("public_log = perhaps\n", "line 1: invalid boolean value");
    refuses("model = \"never closed\n", "line 2: premature end of file");
}

static void a_mistake_in_a_flag_is_refused(void **state)
{
    struct config_source source = {.file = "/dev/null"};
    struct config config;
    (void)state;

    source.flag[CONFIG_port] = "70000";
    assert_int_equal(config_load(&source, &config), MK_EINPUT);
    assert_string_equal(err_why(), "port is 70000, but must lie between 0 and 65535");
    source.flag[CONFIG_port] = "http";
    assert_int_equal(config_load(&source, &config), MK_EINPUT);
    assert_string_equal(err_why(), "invalid integer value for option 'port'");
}

static void a_file_that_was_asked_for_must_be_there(void **state)
{
    struct config config;
    (void)state;

    assert_int_equal(config_load(&(struct config_source){.file = "not/there"}, &config),
                     MK_EINPUT);
    assert_non_null(strstr(err_why(), "not/there"));
}

static void an_empty_path_means_none(void **state)
{
    struct config config;
    (void)state;

    assert_ok(config_load(&(struct config_source){.file = "/dev/null"}, &config));
    assert_null(config_state(&config).keyring_mirror);
    assert_int_equal(config_limits(&config).json_body, 65536);
    config_done(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_file_states_every_default),
        cmocka_unit_test(the_shipped_file_names_every_setting),
        cmocka_unit_test(a_flag_wins_over_the_file),
        cmocka_unit_test(a_mistake_is_refused_with_its_line),
        cmocka_unit_test(a_mistake_in_a_flag_is_refused),
        cmocka_unit_test(a_file_that_was_asked_for_must_be_there),
        cmocka_unit_test(an_empty_path_means_none),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
