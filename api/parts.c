/* SPDX-License-Identifier: Apache-2.0 */
/* JSON that several replies share. */
#include "api/parts.h"

#include <assert.h>
#include <math.h>
#include <time.h>

#include "core/err.h"
#include "storage/encode.h"

json_t *json_hex(const uint8_t *bytes, size_t len)
{
    char text[HEX_SIZE(64)];
    assert(len <= 64);
    hex_encode(bytes, len, text);
    return json_string(text);
}

json_t *json_time(int64_t seconds)
{
    char text[32];
    struct tm tm;
    time_t time = seconds;
    strftime(text, sizeof text, "%FT%TZ", gmtime_r(&time, &tm));
    return json_string(text);
}

json_t *json_memory(const struct memory_state *memory)
{
    return json_pack("{s:I, s:o}", "n", (json_int_t)memory->n, "digest",
                     json_hex(memory->digest, sizeof memory->digest));
}

json_t *json_digest(const uint8_t sha256[static 32])
{
    char digest[HEX_SIZE(32)];
    hex_encode(sha256, 32, digest);
    return json_sprintf("sha256:%s", digest);
}

json_t *json_hold(char basis, int64_t until)
{
    if (!basis)
        return json_null();
    return json_pack("{s:s#, s:o}", "basis", &basis, 1, "until",
                     until ? json_time(until) : json_null());
}

json_t *json_model(const struct service *service)
{
    return json_pack("{s:s, s:o}", "name", model_info(service->model)->name, "digest",
                     json_digest(service->model_sha256));
}

struct label_list service_labels(const struct service *service)
{
    const struct model_info *info = model_info(service->model);
    return info->open_labels ? memory_labels(service->bank)
                             : (struct label_list){info->labels, NULL, info->classes};
}

size_t service_count_labels(const struct service *service)
{
    memory_lock_shared(service->bank);
    size_t n = service_labels(service).n;
    memory_unlock_shared(service->bank);
    return n;
}

int service_ready(const struct service *service)
{
    return service->draining ? fail(MK_EBUSY, "munkeyd is shutting down") : 0;
}

struct memory_state memory_now(const struct service *service)
{
    memory_lock_shared(service->bank);
    struct memory_state now = memory_state(service->bank);
    memory_unlock_shared(service->bank);
    return now;
}

struct shape service_shape(const struct service *service)
{
    const struct model_info *info = model_info(service->model);
    return (struct shape){info->height,
                          info->width,
                          info->channels,
                          info->resize,
                          service->limits.image_side,
                          service->limits.image_pixels};
}

size_t shape_size(const struct shape *shape)
{
    return (size_t)shape->height * shape->width * shape->channels;
}

int pixels_from_json(const json_t *input, const struct shape *shape, uint8_t *ret_pixels)
{
    size_t want = shape_size(shape);
    if (!json_is_array(input))
        return fail(MK_EINPUT, "JSON: an image has to be a flat array of %zu numbers",
                    want);
    if (json_array_size(input) != want)
        return fail(
            MK_EUNPROCESSABLE,
            "an image has %zu numbers; the model reads %u x %u x %u (height x width x "
            "channels), which is %zu in one flat array",
            json_array_size(input), shape->height, shape->width, shape->channels, want);
    for (size_t i = 0; i < want; i++) {
        const json_t *value = json_array_get(input, i);
        double number = json_number_value(value);
        if (!json_is_number(value) || number < 0 || number > 255)
            return fail(MK_EINPUT,
                        "JSON: pixel %zu of an image is no number from 0 to 255", i);
        ret_pixels[i] = (uint8_t)rint(number);
    }
    return 0;
}
