/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes strict JSON: an object comes out, or a sentence. */
#include <assert.h>
#include <stdint.h>

#include "api/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = NULL;
    const char *text = NULL;
    int64_t seconds;
    char letter;
    if (json_read((const char *)data, size, 1000, &json) == 0) {
        assert(json_is_object(json));
        if (json_known(json, "receipt proof opening") == 0)
            json_text(json, "receipt", true, &text);
        json_moment(json, "until", &seconds);
        json_letter(json, "basis", 'a', 'e', &letter);
    }
    json_decref(json);
    return 0;
}
