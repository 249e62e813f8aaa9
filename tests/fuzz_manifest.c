/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes manifests: rows come out that keep every promise, or a sentence. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/manifest.h"

/* What another file defines, which needs a database. */
const char *const provenance_names[PROVENANCE_FIELDS] = {"source", "collected_at",
                                                         "lawful_basis", "consent_ref"};

static void check_path(const char *path)
{
    size_t len = strlen(path);
    assert(len > 0 && path[0] != '/' && path[len - 1] != '/' && !strstr(path, "//"));
    assert(strcmp(path, "..") != 0 && strncmp(path, "../", 3) != 0 &&
           !strstr(path, "/../"));
    assert(len < 3 || strcmp(path + len - 3, "/..") != 0);
}

static void check_sample(const struct sample *sample, size_t images)
{
    size_t label = sample->name ? strlen(sample->name) : 1;
    assert(label >= 1 && label <= 63 && sample->split < SPLITS && sample->line > 1);
    assert(sample->subject.len <= SUBJECT_MAX && (sample->subject.len || !images));
    assert(!images || sample->row < images);
    for (size_t i = 0; i < PROVENANCE_FIELDS; i++)
        assert(sample->provenance.field[i]);
    if (!images)
        check_path(sample->path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t images = 0; images <= 10; images += 10) {
        struct manifest manifest;
        char *text = malloc(size + 1);
        assert(text);
        memcpy(text, data, size);
        text[size] = '\0';
        if (manifest_parse(text, size, images, &manifest) == 0) {
            for (size_t i = 0; i < manifest.n; i++)
                check_sample(&manifest.sample[i], images);
            manifest_done(&manifest);
        }
        free(text);
    }
    return 0;
}
