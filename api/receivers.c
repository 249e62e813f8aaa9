/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's list of receivers, and what a URL may look like. */
#include "api/receivers.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/target.h"
#include "core/err.h"
#include "storage/callback_row.h"

struct receivers {
    char *text; /* that the prefixes stand in, each ended by a NUL */
    const char **prefix;
    size_t n;
};

/* RFC 3986, section 2, but the `#` of a fragment, which no server is sent. */
static bool is_url_text(const char *text)
{
    return text[strspn(text,
                       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                       "-._~:/?[]@!$&'()*+,;=%")] == '\0';
}

/* Behind "https://" or "http://", or NULL. */
static const char *authority_of(const char *url)
{
    if (!strncmp(url, "https://", 8))
        return url + 8;
    return strncmp(url, "http://", 7) ? NULL : url + 7;
}

static int check_prefix(const char *prefix)
{
    const char *authority = authority_of(prefix);
    size_t len = authority ? strcspn(authority, "/?") : 0;
    if (!authority || len == 0 || authority[len] != '/')
        return fail(MK_EINPUT,
                    "callback_allow: a prefix has a scheme, a host and a path, "
                    "as https://example.org/hooks/ has");
    if (memchr(authority, '@', len) || strchr(prefix, '%') || !is_url_text(prefix) ||
        strlen(prefix) > CALLBACK_URL_MAX)
        return fail(MK_EINPUT,
                    "callback_allow: a prefix has no user, nothing percent-encoded, no "
                    "fragment, and at most %d bytes",
                    CALLBACK_URL_MAX);
    return 0;
}

int receivers_parse(const char *prefixes, struct receivers **ret_receivers)
{
    struct receivers *receivers = calloc(1, sizeof *receivers);
    char *rest = NULL;
    int rc = 0;
    if (!receivers || !(receivers->text = strdup(prefixes)) ||
        !(receivers->prefix =
              calloc(strlen(prefixes) / 2 + 1, sizeof *receivers->prefix))) {
        receivers_free(receivers);
        return fail(MK_ENOMEM, "no memory for the list of receivers");
    }
    for (char *word = strtok_r(receivers->text, " \t\n", &rest); rc == 0 && word;
         word = strtok_r(NULL, " \t\n", &rest)) {
        rc = check_prefix(word);
        receivers->prefix[receivers->n++] = word;
    }
    if (rc < 0)
        receivers_free(receivers);
    else
        *ret_receivers = receivers;
    return rc;
}

void receivers_free(struct receivers *receivers)
{
    if (!receivers)
        return;
    free(receivers->text);
    free(receivers->prefix);
    free(receivers);
}

size_t receivers_count(const struct receivers *receivers)
{
    return receivers->n;
}

const char *receivers_prefix(const struct receivers *receivers, size_t i)
{
    return receivers->prefix[i];
}

size_t receivers_find(const struct receivers *receivers, const char *url)
{
    for (size_t i = 0; i < receivers->n; i++)
        if (!strncmp(url, receivers->prefix[i], strlen(receivers->prefix[i])))
            return i;
    return RECEIVERS_NONE;
}

/* Percent-decoded once.  false: malformed, or it stands for a byte that would end the text. */
static bool decode(const char *text, char *ret_text)
{
    char *to = ret_text;
    for (; *text; text++) {
        int high = *text == '%' ? hex_digit(text[1]) : 0;
        int low = *text == '%' && high >= 0 ? hex_digit(text[2]) : 0;
        if (high < 0 || low < 0 || (*text == '%' && (high | low) == 0))
            return false;
        *to++ = (char)(*text == '%' ? high << 4 | low : *text);
        text += *text == '%' ? 2 : 0;
    }
    *to = '\0';
    return true;
}

/* "." and ".." lead out of a prefix. */
static bool has_dots(const char *path)
{
    for (const char *at = path; (at = strchr(at, '/')); at++) {
        size_t len = strcspn(at + 1, "/?");
        if ((len == 1 && at[1] == '.') || (len == 2 && at[1] == '.' && at[2] == '.'))
            return true;
        if (at[1 + len] == '?')
            break;
    }
    return false;
}

/* A match that lies in the prefix says nothing: it is the same for everybody. */
static bool names_subject(const char *text, size_t prefix, struct subject subject)
{
    size_t from = prefix >= subject.len ? prefix - subject.len + 1 : 0;
    return memmem(text + from, strlen(text + from), subject.id, subject.len);
}

static int check_subject(const char *url, size_t prefix, struct subject subject)
{
    char decoded[CALLBACK_URL_MAX + 1] = "";
    bool sound = decode(url, decoded) && !has_dots(authority_of(decoded));
    bool named =
        names_subject(url, prefix, subject) || names_subject(decoded, prefix, subject);
    /* In a query `+` means a space for half of the world. */
    for (char *at = decoded + prefix; (at = strchr(at, '+'));)
        *at = ' ';
    named |= names_subject(decoded, prefix, subject);
    explicit_bzero(decoded, sizeof decoded);
    if (!sound)
        return fail(MK_EUNPROCESSABLE,
                    "`callback_urls`: no segment of a path may be `.` or `..`, and `%%` "
                    "has two hex digits behind it");
    return named
               ? fail(
                     MK_EUNPROCESSABLE,
                     "`callback_urls` must not contain the subject: whoever sees the URL "
                     "would learn whom the request is about")
               : 0;
}

int receivers_check(const struct receivers *receivers, const char *url,
                    struct subject subject)
{
    size_t len = strlen(url);
    const char *authority = authority_of(url);
    if (receivers->n == 0)
        return fail(MK_EUNPROCESSABLE,
                    "`callback_urls` are not allowed here: the operator "
                    "has to list their beginnings in callback_allow");
    if (len > CALLBACK_URL_MAX)
        return fail(MK_EUNPROCESSABLE,
                    "`callback_urls`: one has %zu bytes; %d is the limit", len,
                    CALLBACK_URL_MAX);
    if (!authority || !is_url_text(url))
        return fail(MK_EUNPROCESSABLE, "`callback_urls` are URLs of https, without a "
                                       "fragment, and percent-encoded where needed");
    if (memchr(authority, '@', strcspn(authority, "/?")))
        return fail(MK_EUNPROCESSABLE,
                    "`callback_urls` may not hold a user or a password");
    size_t found = receivers_find(receivers, url);
    if (found == RECEIVERS_NONE)
        return fail(MK_EUNPROCESSABLE, "`callback_urls`: none of the beginnings that the "
                                       "operator lists in callback_allow fits");
    return check_subject(url, strlen(receivers->prefix[found]), subject);
}
