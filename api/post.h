/* SPDX-License-Identifier: Apache-2.0 */
/* POST requests of our own, several at once in one thread; nothing else includes curl.
 *
 *     rc = posts_new(NULL, &posts);
 *     rc = posts_send(posts, &post);
 *     posts_wait(posts, 1000);                     until one has ended, posts_wake(), or that long
 *     while (posts_take(posts, &posted))
 *         ... posted.tag, posted.status ...
 *     posts_free(posts);                           what is on its way is abandoned
 *
 * Certificates are checked, redirects are not followed, no proxy and no cookie is used, and of a reply
 * but its status and Retry-After matter: a long one is cut off.
 */
#ifndef MUNKEY_API_POST_H
#define MUNKEY_API_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct posts; /* opaque */

enum {
    POSTS_MAX = 8,             /* on their way */
    POST_HEADERS = 4,          /* of one */
    POST_CONNECT_SECONDS = 10, /* to be connected */
    POST_SECONDS = 20,         /* from begin to end */
    POST_REPLY_MAX = 16 << 10, /* bytes of a reply's header, and of its body */
};

struct post {
    uint64_t tag; /* the caller's */
    const char *url;
    const char *header[POST_HEADERS]; /* "name: value", copied; NULL: no more */
    const char *body;                 /* JSON; copied, and wiped */
};

struct posted {
    uint64_t tag;
    long status;     /* of the reply; 0: there was none */
    int64_t wait;    /* seconds, as Retry-After says; 0: it does not */
    const char *why; /* there was none, in general words */
};

/* ca_file: PEM file of certificates to trust, or NULL for the system's.  MK_ENOMEM. */
int posts_new(const char *ca_file, struct posts **ret_posts);
void posts_free(struct posts *posts);

int posts_send(struct posts *posts, const struct post *post);
void posts_wait(struct posts *posts, int milliseconds);
bool posts_take(struct posts *posts, struct posted *ret_posted);

/* From any thread. */
void posts_wake(struct posts *posts);

#endif
