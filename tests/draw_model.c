/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a model of open labels, with drawn weights, to standard output.
 *
 *     draw_model NAME NAME...            of labels that are built in
 */
#include <stdio.h>

#include "core/model_format.h"
#include "storage/crypto.h"
#include "tests/check.h"
#include "tests/drawn.h"

int main(int argc, char **argv)
{
    const struct model_origin origin = {
        .command = "draw_model", .b1 = {0, 1}, .b2 = {1, 2}, .val = {2, 3}};
    void *bytes;
    size_t len;
    if (argc < 3)
        return 2;
    struct model *model = drawn_model((const char *const *)argv + 1, (uint32_t)argc - 1);
    if (model_encoder_bytes(model, &bytes, &len) < 0)
        return 1;
    crypto_sha256(bytes, len, model->info.encoder_sha256);
    free(bytes);
    if (model_format(model, &origin, &bytes, &len) < 0)
        return 1;
    bool written = fwrite(bytes, 1, len, stdout) == len && fflush(stdout) == 0;
    free(bytes);
    model_free(model);
    return written ? 0 : 1;
}
