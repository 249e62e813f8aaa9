/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the decoder of request targets: what it accepts is UTF-8 without NUL, in range.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/target.h"
#include "storage/encode.h"

static void check_text(const struct text *text)
{
    assert(text->data[text->len] == '\0');
    assert(strlen(text->data) == text->len);
    assert(is_utf8(text->data, text->len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target target;
    char *raw = strndup((const char *)data, size);
    if (target_split(raw, &target) == 0) {
        if (target_decode(&target) == 0)
            for (size_t i = 0; i < target.segments; i++) {
                check_text(&target.segment[i]);
                assert(target.segment[i].len <= SEGMENT_MAX);
                assert(target.segment[i].len >= 1 || target.segments == 1); /* "/" */
            }
        target_done(&target);
    }
    free(raw);
    return 0;
}
