/* SPDX-License-Identifier: Apache-2.0 */
/* Where the end of an erasure is told. */
#include "api/callback_urls.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "api/json.h"
#include "core/err.h"

/* A UUID, and behind it at most a line's number: it names nobody, though the digits of a short id
 * may stand in it. */
static bool is_uuid(const char *name)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    for (size_t i = 0; form[i]; i++)
        if (form[i] == '-' ? name[i] != '-' : !isxdigit((unsigned char)name[i]))
            return false;
    name += sizeof form - 1;
    return name[0] == '\0' ||
           (name[0] == ':' && name[1 + strspn(name + 1, "0123456789")] == '\0');
}

static int check_name(const char *name, struct subject subject)
{
    if (is_uuid(name) || !memmem(name, strlen(name), subject.id, subject.len))
        return 0;
    return fail(MK_EUNPROCESSABLE,
                "with `callback_urls` the `request_id` must not contain the subject, "
                "unless it is a UUID: it is told to the receivers");
}

int callback_urls_read(const json_t *object, const struct receivers *receivers,
                       struct subject subject, const char *name,
                       const char *ret_urls[static CALLBACKS_EACH], size_t *ret_n)
{
    json_t *list = NULL;
    if (!json_object_get(object, "callback_urls"))
        return *ret_n = 0;
    int rc = json_list(object, "callback_urls", &list);
    if (rc < 0)
        return rc;
    size_t n = json_array_size(list);
    if (n > CALLBACKS_EACH)
        return fail(MK_EUNPROCESSABLE, "%zu `callback_urls`; %d is the limit", n,
                    CALLBACKS_EACH);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (!(ret_urls[i] = json_string_value(json_array_get(list, i))))
            return fail(MK_EINPUT, "`callback_urls` has to be an array of strings");
        rc = receivers_check(receivers, ret_urls[i], subject);
    }
    if (rc < 0 || (n > 0 && (rc = check_name(name, subject)) < 0))
        return rc;
    *ret_n = n;
    return 0;
}
