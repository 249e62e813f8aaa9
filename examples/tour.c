/* SPDX-License-Identifier: Apache-2.0 */
/* A tour of munkeyd with libcurl and jansson: predict a picture, enrol it for somebody, see what is
 * held, forget them, have the receipt checked, predict again.
 *
 *     cc -o tour examples/tour.c $(pkg-config --cflags --libs libcurl jansson)
 *     set -a && . ./quickstart.env && set +a     MUNKEYD_URL, MUNKEYD_TOKEN
 *     ./tour PICTURE [PERSON]                    PNG, JPEG or raw pixels of the model's size
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    char *data;
    size_t len;
};

static void die(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static const char *setting(const char *name)
{
    if (!getenv(name))
        die("set MUNKEYD_URL and MUNKEYD_TOKEN: they stand in quickstart.env");
    return getenv(name);
}

static struct bytes read_file(const char *path)
{
    struct bytes file = {0};
    FILE *stream = fopen(path, "rb");
    if (!stream || fseek(stream, 0, SEEK_END) < 0)
        die("the picture cannot be read");
    file.len = (size_t)ftell(stream);
    file.data = malloc(file.len + 1);
    rewind(stream);
    if (!file.data || fread(file.data, 1, file.len, stream) != file.len)
        die("the picture cannot be read");
    fclose(stream);
    return file;
}

static const char *media_of(const char *path)
{
    const char *end = strrchr(path, '.');
    if (end && strcmp(end, ".png") == 0)
        return "Content-Type: image/png";
    if (end && (strcmp(end, ".jpg") == 0 || strcmp(end, ".jpeg") == 0))
        return "Content-Type: image/jpeg";
    return "Content-Type: application/octet-stream";
}

static size_t append(char *some, size_t size, size_t n, void *context)
{
    struct bytes *reply = context;
    char *data = realloc(reply->data, reply->len + n + 1);
    if (!data)
        return 0;
    memcpy(data + reply->len, some, n);
    *reply = (struct bytes){data, reply->len + n};
    return size * n;
}

/* method and target; header: NULL, or one; body: NULL, or what is sent.  The caller owns the reply. */
static json_t *call(const char *method, const char *target, const char *header,
                    const struct bytes *body)
{
    char *url, *token;
    struct bytes reply = {0};
    struct curl_slist *headers = header ? curl_slist_append(NULL, header) : NULL;
    CURL *curl = curl_easy_init();
    if (asprintf(&url, "%s%s", setting("MUNKEYD_URL"), target) < 0 ||
        asprintf(&token, "Authorization: Bearer %s", setting("MUNKEYD_TOKEN")) < 0)
        die("no memory");
    headers = curl_slist_append(headers, token);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply);
    if (body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body->len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->data);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK)
        die(curl_easy_strerror(code));
    long status;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    json_t *json = json_loadb(reply.data, reply.len, 0, NULL);
    if (status >= 300)
        die(json ? json_string_value(json_object_get(json, "detail")) : "no answer");
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    free(reply.data);
    free(token);
    free(url);
    return json;
}

static const char *text(const json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

static long long number(const json_t *json, const char *name)
{
    return json_integer_value(json_object_get(json, name));
}

static json_t *predict(const struct bytes *image, const char *media)
{
    return call("POST", "/predict", media, image);
}

/* The path of somebody, with the bytes encoded that may not stand in a URL; `/` is one of them inside
 * an id. */
static char *path_of(const char *person)
{
    char *id = curl_easy_escape(NULL, person, 0), *path;
    if (asprintf(&path, "/subjects/%s", id) < 0)
        die("no memory");
    curl_free(id);
    return path;
}

static void enrol(const char *path, const char *label, const struct bytes *image,
                  const char *media)
{
    char *escaped = curl_easy_escape(NULL, label, 0), *target;
    if (asprintf(&target, "%s/instances?label=%s&lawful_basis=consent", path, escaped) <
        0)
        die("no memory");
    json_t *reply = call("POST", target, media, image);
    printf("enrolled: %zu, now a memory of %lld\n",
           json_array_size(json_object_get(reply, "instances")),
           number(json_object_get(reply, "memory"), "n"));
    json_decref(reply);
    curl_free(escaped);
    free(target);
}

static void show_held(const char *path)
{
    json_t *reply = call("GET", path, NULL, NULL);
    const json_t *instance = json_array_get(json_object_get(reply, "instances"), 0);
    printf("held: %lld, %s, %s, %s\n", number(reply, "total"), text(instance, "label"),
           text(instance, "class"), text(instance, "lawful_basis"));
    json_decref(reply);
}

/* The same key gives the same receipt: a request without an answer can be sent again. */
static json_t *erase(const char *path)
{
    char uuid[37] = "", header[64];
    FILE *stream = fopen("/proc/sys/kernel/random/uuid", "r");
    if (!stream || !fgets(uuid, sizeof uuid, stream))
        die("no random number");
    fclose(stream);
    snprintf(header, sizeof header, "Idempotency-Key: %s", uuid);
    json_t *reply = call("DELETE", path, header, NULL);
    printf("%s: %lld, receipt %s\n", text(reply, "status"), number(reply, "erased"),
           text(reply, "receipt_id"));
    return reply;
}

static bool verify(const json_t *erased)
{
    json_t *question =
        json_pack("{s:O, s:O, s:O}", "receipt", json_object_get(erased, "receipt"),
                  "opening", json_object_get(erased, "opening"), "proof",
                  json_object_get(json_object_get(erased, "log"), "proof"));
    struct bytes body = {.data = json_dumps(question, 0)};
    body.len = strlen(body.data);
    json_t *reply =
        call("POST", "/receipts/verify", "Content-Type: application/json", &body);
    const bool valid = json_is_true(json_object_get(reply, "valid"));
    const char *name;
    json_t *check;
    printf("verified: %s", valid ? "true" : "false");
    json_object_foreach(json_object_get(reply, "checks"), name, check)
        printf(", %s %s", name, text(check, "result"));
    printf("\n");
    json_decref(reply);
    json_decref(question);
    free(body.data);
    return valid;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        die("usage: tour PICTURE [PERSON]");
    const struct bytes image = read_file(argv[1]);
    const char *media = media_of(argv[1]);
    char *path = path_of(argc > 2 ? argv[2] : "a guest of the tour");

    json_t *before = predict(&image, media);
    const json_t *first = json_array_get(json_object_get(before, "predictions"), 0);
    printf("predicted: %s, %.9g, by a memory of %lld\n", text(first, "label"),
           json_real_value(json_object_get(first, "probability")),
           number(json_object_get(before, "memory"), "n"));
    enrol(path, text(first, "label"), &image, media);
    show_held(path);
    json_t *erased = erase(path);
    const bool valid = verify(erased);
    json_t *after = predict(&image, media);
    const bool same = json_equal(before, after);
    printf("as if nobody had come: %s\n", same ? "true" : "false");
    json_decref(before);
    json_decref(erased);
    json_decref(after);
    free(image.data);
    free(path);
    return valid && same ? 0 : 1;
}
