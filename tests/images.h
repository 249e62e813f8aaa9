/* SPDX-License-Identifier: Apache-2.0 */
/* A folder with a manifest and images for tests of data sets; removed at the end. */
#ifndef MUNKEY_TESTS_IMAGES_H
#define MUNKEY_TESTS_IMAGES_H

#include "tests/check.h"

#include <stdio.h>

#include "daemon/dataset.h"

static char images_folder[64];

/* For cmocka: an empty folder; and its removal. */
static inline int images_set_up(void **state)
{
    (void)state;
    strcpy(images_folder, "/tmp/munkey-people-XXXXXX");
    return mkdtemp(images_folder) ? 0 : -1;
}

static inline int images_tear_down(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", images_folder);
    return system(command);
}

/* The path of a file of that folder; valid until the fourth next call. */
static inline const char *images_path(const char *name)
{
    static char path[4][256];
    static unsigned next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", images_folder, name);
    return path[next];
}

static inline void images_write(const char *name, const void *bytes, size_t len)
{
    FILE *file = fopen(images_path(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* Writes people.csv and opens it. */
static inline int images_open(const char *manifest, struct dataset *ret_data)
{
    images_write("people.csv", manifest, strlen(manifest));
    return dataset_open_manifest(images_path("people.csv"), ret_data);
}

/* Whether the last failure's sentence ends so. */
static inline void assert_why_ends(const char *end)
{
    const char *why = err_why();
    const size_t len = strlen(why), wanted = strlen(end);
    assert_string_equal(why + (len > wanted ? len - wanted : 0), end);
}

#endif
