/* SPDX-License-Identifier: Apache-2.0 */
/* Models on disk: what a service refuses. */
#include "tests/check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "daemon/model_file.h"

enum { FILE_MAX = 1 << 20, PCA_FROM_END = 30080 /* the lowest byte of pca.matrix[0] */ };

static const char *source_path(void)
{
    static char path[4096];
    const char *top = getenv("top_srcdir");
    snprintf(path, sizeof path, "%s/models/fashion-mnist-T.safetensors", top ? top : ".");
    return path;
}

/* Loads a copy of profile T in which wrong takes the place of good, or the byte at, counted from
 * the end, is another. */
static int load_changed(const char *good, const char *wrong, long at)
{
    static char bytes[FILE_MAX];
    char path[] = "/tmp/model.XXXXXX";
    struct model *model = NULL;
    uint8_t sha256[32];
    FILE *file = fopen(source_path(), "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    char *found = good ? memmem(bytes, len, good, strlen(good)) : bytes + (long)len + at;
    assert_non_null(found);
    if (good)
        memcpy(found, wrong, strlen(wrong));
    else
        *found ^= 1;
    file = fdopen(mkstemp(path), "wb");
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
    int rc = model_file_load(path, &model, sha256);
    unlink(path);
    model_free(model);
    return rc;
}

static void the_shipped_model_is_loaded(void **unused)
{
    (void)unused;
    struct model *model;
    uint8_t sha256[32];
    assert_ok(model_file_load(source_path(), &model, sha256));
    model_free(model);
}

static void a_changed_encoder_is_refused(void **unused)
{
    (void)unused;
    assert_int_equal(
        load_changed("\"encoder_sha256\":\"", "\"encoder_sha256\":\"00000000", 0),
        MK_EINPUT);
    assert_non_null(strstr(err_why(), "encoder_sha256 is not the digest"));
    assert_int_equal(load_changed(NULL, NULL, -PCA_FROM_END), MK_EINPUT);
    assert_non_null(strstr(err_why(), "encoder_sha256 is not the digest"));
}

static void what_is_no_model_is_refused_by_name(void **unused)
{
    (void)unused;
    assert_int_equal(load_changed("munkey-model-1", "munkey-model-9", 0), MK_EINPUT);
    assert_non_null(strstr(err_why(), "/tmp/model."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_model_is_loaded),
        cmocka_unit_test(a_changed_encoder_is_refused),
        cmocka_unit_test(what_is_no_model_is_refused_by_name),
    };
    return cmocka_run_group_tests_name("model_file", tests, NULL, NULL);
}
