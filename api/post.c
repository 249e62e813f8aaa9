/* SPDX-License-Identifier: Apache-2.0 */
/* POST requests by libcurl. */
#include "api/post.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "storage/zeroing.h"

/* One on its way. */
struct travel {
    CURL *easy; /* NULL: none */
    uint64_t tag;
    struct curl_slist *header;
    size_t read; /* bytes of the reply, which are not kept */
};

struct posts {
    CURLM *multi;
    char *ca_file; /* or NULL */
    struct travel travel[POSTS_MAX];
};

static void *zeroing_calloc(size_t n, size_t size)
{
    void *block = zeroing_malloc((int)(n * size));
    if (block)
        memset(block, 0, n * size);
    return block;
}

static void *allocate(size_t size)
{
    return zeroing_malloc((int)size);
}

static void *reallocate(void *block, size_t size)
{
    return block ? zeroing_realloc(block, (int)size) : allocate(size);
}

static char *duplicate(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = allocate(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

int posts_new(const char *ca_file, struct posts **ret_posts)
{
    struct posts *posts = calloc(1, sizeof *posts);
    if (!posts ||
        curl_global_init_mem(CURL_GLOBAL_ALL, allocate, zeroing_free, reallocate,
                             duplicate, zeroing_calloc) != CURLE_OK) {
        free(posts);
        return fail(MK_ENOMEM, "libcurl cannot be used");
    }
    posts->multi = curl_multi_init();
    if (!posts->multi || (ca_file && !(posts->ca_file = strdup(ca_file)))) {
        posts_free(posts);
        return fail(MK_ENOMEM, "no memory for callbacks");
    }
    *ret_posts = posts;
    return 0;
}

static void end_travel(struct posts *posts, struct travel *travel)
{
    if (!travel->easy)
        return;
    curl_multi_remove_handle(posts->multi, travel->easy);
    curl_easy_cleanup(travel->easy);
    curl_slist_free_all(travel->header);
    *travel = (struct travel){0};
}

void posts_free(struct posts *posts)
{
    if (!posts)
        return;
    for (size_t i = 0; i < POSTS_MAX; i++)
        end_travel(posts, &posts->travel[i]);
    curl_multi_cleanup(posts->multi);
    free(posts->ca_file);
    free(posts);
    curl_global_cleanup();
}

/* Of header and body alike: nothing is kept, and a reply that is too long is not read on. */
static size_t count_bytes(char *bytes, size_t size, size_t n, void *context)
{
    struct travel *travel = context;
    (void)bytes;
    travel->read += size * n;
    return travel->read <= POST_REPLY_MAX ? size * n : 0;
}

static bool add_headers(struct travel *travel, const struct post *post)
{
    struct curl_slist *grown = NULL;
    for (size_t i = 0; i < POST_HEADERS && post->header[i]; i++) {
        if (!(grown = curl_slist_append(travel->header, post->header[i])))
            return false;
        travel->header = grown;
    }
    return true;
}

#define SET(option, value) (curl_easy_setopt(travel->easy, option, value) == CURLE_OK)

static bool set_limits(struct travel *travel)
{
    return SET(CURLOPT_CONNECTTIMEOUT, (long)POST_CONNECT_SECONDS) &&
           SET(CURLOPT_TIMEOUT, (long)POST_SECONDS) &&
           SET(CURLOPT_WRITEFUNCTION, count_bytes) && SET(CURLOPT_WRITEDATA, travel) &&
           SET(CURLOPT_HEADERFUNCTION, count_bytes) && SET(CURLOPT_HEADERDATA, travel) &&
           /* The end of the process does not wait for a resolver. */
           SET(CURLOPT_QUICK_EXIT, 1L) && SET(CURLOPT_NOSIGNAL, 1L);
}

/* Where it may go is where the URL says, whatever the environment or the reply say. */
static bool set_way(const struct posts *posts, struct travel *travel)
{
    return SET(CURLOPT_PROTOCOLS_STR, "https,http") && SET(CURLOPT_FOLLOWLOCATION, 0L) &&
           SET(CURLOPT_PROXY, "") && SET(CURLOPT_SSL_VERIFYPEER, 1L) &&
           SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
           SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           (!posts->ca_file ||
            (SET(CURLOPT_CAINFO, posts->ca_file) && SET(CURLOPT_CAPATH, NULL)));
}

static bool set_message(struct travel *travel, const struct post *post)
{
    return add_headers(travel, post) && SET(CURLOPT_URL, post->url) &&
           SET(CURLOPT_HTTPHEADER, travel->header) && SET(CURLOPT_PRIVATE, travel) &&
           SET(CURLOPT_USERAGENT, "munkeyd/" PACKAGE_VERSION) &&
           SET(CURLOPT_COPYPOSTFIELDS, post->body);
}

int posts_send(struct posts *posts, const struct post *post)
{
    struct travel *travel = posts->travel;
    while (travel->easy)
        if (++travel == posts->travel + POSTS_MAX)
            return fail(MK_EBUSY, "%d callbacks are on their way", POSTS_MAX);
    travel->tag = post->tag;
    if (!(travel->easy = curl_easy_init()) || !set_limits(travel) ||
        !set_way(posts, travel) || !set_message(travel, post) ||
        curl_multi_add_handle(posts->multi, travel->easy) != CURLM_OK) {
        end_travel(posts, travel);
        return fail(MK_ENOMEM, "no memory for a callback");
    }
    return 0;
}

static int count_travels(const struct posts *posts)
{
    int n = 0;
    for (size_t i = 0; i < POSTS_MAX; i++)
        n += posts->travel[i].easy != NULL;
    return n;
}

/* One that ends as soon as it begins leaves nothing that the poll would see. */
void posts_wait(struct posts *posts, int milliseconds)
{
    int running = 0;
    curl_multi_perform(posts->multi, &running);
    if (running < count_travels(posts))
        return;
    curl_multi_poll(posts->multi, NULL, 0, milliseconds, NULL);
    curl_multi_perform(posts->multi, &running);
}

/* A reply that was too long has a status all the same. */
static void read_reply(CURL *easy, CURLcode code, struct posted *ret_posted)
{
    struct travel *travel = NULL;
    curl_off_t wait = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&travel);
    *ret_posted = (struct posted){.tag = travel->tag, .why = curl_easy_strerror(code)};
    if (code == CURLE_OK || code == CURLE_WRITE_ERROR)
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &ret_posted->status);
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &wait);
    ret_posted->wait = wait;
}

bool posts_take(struct posts *posts, struct posted *ret_posted)
{
    int left = 0;
    struct travel *travel = NULL;
    CURLMsg *message = curl_multi_info_read(posts->multi, &left);
    if (!message)
        return false;
    read_reply(message->easy_handle, message->data.result, ret_posted);
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&travel);
    end_travel(posts, travel);
    return true;
}

void posts_wake(struct posts *posts)
{
    curl_multi_wakeup(posts->multi);
}
