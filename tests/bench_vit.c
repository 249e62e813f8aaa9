/* SPDX-License-Identifier: Apache-2.0 */
/* A Vision Transformer with random weights, of the size of ViT-B/16, and its time.
 *
 *     tests/bench_vit write FOLDER         its three files, as Hugging Face has them
 *     tests/bench_vit time FOLDER N        ms per image on N threads, and the memory
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <jansson.h>

#include "core/err.h"
#include "core/rng.h"
#include "core/train_parallel.h"
#include "core/vit.h"
#include "daemon/files.h"

enum { D = 768, HIDDEN = 3072, LAYERS = 12, ROWS = 197, ROUNDS = 8, FILE_MAX = 1 << 30 };

static const char config[] = "{\"model_type\": \"vit\"}\n",
                  preprocessor[] = "{\"size\": 224}\n";

static void must(int rc)
{
    if (rc == 0)
        return;
    fprintf(stderr, "bench_vit: %s\n", err_why());
    exit(EXIT_FAILURE);
}

/* Adds a tensor to a header; shape is JSON. */
static void add(json_t *header, const char *name, const char *shape, size_t *end)
{
    json_t *sizes = json_loads(shape, 0, NULL), *size;
    size_t i, n = sizeof(float), begin = *end;
    json_array_foreach(sizes, i, size) n *= (size_t)json_integer_value(size);
    *end += n;
    json_object_set_new(header, name,
                        json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", sizes,
                                  "data_offsets", (json_int_t)begin, (json_int_t)*end));
}

/* NAME.weight and NAME.bias; in is 0 for a norm. */
static void add_pair(json_t *header, const char *name, size_t in, size_t out, size_t *end)
{
    char full[128], shape[64];
    snprintf(full, sizeof full, "%s.weight", name);
    snprintf(shape, sizeof shape, in ? "[%zu, %zu]" : "[%zu]", out, in);
    add(header, full, shape, end);
    snprintf(full, sizeof full, "%s.bias", name);
    snprintf(shape, sizeof shape, "[%zu]", out);
    add(header, full, shape, end);
}

static void add_layer(json_t *header, int layer, size_t *end)
{
    static const struct {
        const char *name;
        size_t in, out;
    } parts[] = {
        {"layernorm_before", 0, D},        {"attention.attention.query", D, D},
        {"attention.attention.key", D, D}, {"attention.attention.value", D, D},
        {"attention.output.dense", D, D},  {"layernorm_after", 0, D},
        {"intermediate.dense", D, HIDDEN}, {"output.dense", HIDDEN, D},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char name[96];
        snprintf(name, sizeof name, "encoder.layer.%d.%s", layer, parts[i].name);
        add_pair(header, name, parts[i].in, parts[i].out, end);
    }
}

static json_t *describe(size_t *ret_end)
{
    json_t *header = json_object();
    *ret_end = 0;
    add(header, "embeddings.cls_token", "[1, 1, 768]", ret_end);
    add(header, "embeddings.position_embeddings", "[1, 197, 768]", ret_end);
    add(header, "embeddings.patch_embeddings.projection.weight", "[768, 3, 16, 16]",
        ret_end);
    add(header, "embeddings.patch_embeddings.projection.bias", "[768]", ret_end);
    for (int i = 0; i < LAYERS; i++)
        add_layer(header, i, ret_end);
    add_pair(header, "layernorm", 0, D, ret_end);
    return header;
}

static void write_file(const char *folder, const char *name, const void *bytes,
                       size_t len)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    must(file_write(path, bytes, len));
}

static void write_folder(const char *folder)
{
    size_t data;
    json_t *header = describe(&data);
    char *text = json_dumps(header, 0);
    uint64_t len = strlen(text);
    uint8_t *bytes = malloc(8 + len + data);
    struct rng rng = rng_at(1, RNG_TEST, 0, 0);
    memcpy(bytes, &len, 8);
    memcpy(bytes + 8, text, len);
    for (size_t i = 0; i < data; i += sizeof(float)) {
        float x = (float)(.07 * (rng_uniform(&rng) - .5)); /* deviation .02 */
        memcpy(bytes + 8 + len + i, &x, sizeof x);
    }
    write_file(folder, "config.json", config, strlen(config));
    write_file(folder, "preprocessor_config.json", preprocessor, strlen(preprocessor));
    write_file(folder, "model.safetensors", bytes, 8 + len + data);
    printf("%zu numbers\n", data / sizeof(float));
    free(bytes);
    free(text);
    json_decref(header);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static struct vit *read_folder(const char *folder)
{
    struct vit *vit;
    uint8_t *bytes;
    char path[4096];
    struct vit_files files = {config,         preprocessor,         NULL,
                              strlen(config), strlen(preprocessor), 0};
    snprintf(path, sizeof path, "%s/model.safetensors", folder);
    must(file_read(path, FILE_MAX, &bytes, &files.model_len));
    files.model = bytes;
    must(vit_parse(&files, &vit));
    free(bytes);
    return vit;
}

struct work {
    const struct vit *vit;
    struct vit_run *run[THREADS_MAX];
    const uint8_t *pixels;
};

static void embed(void *context, size_t worker, size_t number)
{
    struct work *work = context;
    float z[D];
    (void)number;
    vit_embed(work->vit, work->run[worker], work->pixels, z);
}

static void measure(const char *folder, size_t threads)
{
    double start = now();
    struct vit *vit = read_folder(folder);
    struct rusage usage;
    static uint8_t pixels[480 * 640 * 3];
    struct work work = {.vit = vit, .pixels = pixels};
    for (size_t i = 0; i < threads; i++)
        work.run[i] = vit_run_new(vit, 480, 640, 3);
    printf("read in %.1f s\n", now() - start);
    parallel_for(threads, threads, embed, &work);
    start = now();
    parallel_for(threads, ROUNDS * threads, embed, &work);
    double each = 1000 * (now() - start) / (double)(ROUNDS * threads);
    getrusage(RUSAGE_SELF, &usage);
    printf("munkeyd: %.0f ms per image of 640x480, %zu thread(s), peak memory %ld MiB\n",
           each, threads, usage.ru_maxrss / 1024);
    for (size_t i = 0; i < threads; i++)
        vit_run_free(work.run[i]);
    vit_free(vit);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "write") == 0)
        write_folder(argv[2]);
    else if (argc == 4 && strcmp(argv[1], "time") == 0 && atoi(argv[3]) > 0 &&
             atoi(argv[3]) <= THREADS_MAX)
        measure(argv[2], (size_t)atoi(argv[3]));
    else
        return fprintf(stderr, "usage: bench_vit write FOLDER | time FOLDER THREADS\n"),
               2;
    return 0;
}
