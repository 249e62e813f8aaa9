/* SPDX-License-Identifier: Apache-2.0 */
/* Images of manifests, folders and IDX files: read, fitted, named, refused. */
#include "tests/images.h"

#include <sys/stat.h>
#include <unistd.h>

#include <jpeglib.h>
#include <png.h>

#include "daemon/folder.h"
#include "daemon/pictures.h"
#include "storage/crypto.h"
#include "storage/label.h"

enum { SIDE = 28, SIZE = SIDE * SIDE, GRAY = 77 };

static const struct frame frame = {SIDE, SIDE, 1};

static void write_png(const char *name, uint32_t width, uint32_t height, bool colour,
                      const uint8_t *pixels)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = width,
                       .height = height,
                       .format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
    assert_int_equal(
        png_image_write_to_file(&image, images_path(name), 0, pixels, 0, NULL), 1);
}

/* A picture of one shade, 40 wide and 30 high. */
static void write_jpeg(const char *name, uint8_t shade)
{
    struct jpeg_compress_struct jpeg = {0};
    struct jpeg_error_mgr errors;
    uint8_t line[40];
    JSAMPROW row = line;
    FILE *file = fopen(images_path(name), "wb");
    assert_non_null(file);
    memset(line, shade, sizeof line);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = 40;
    jpeg.image_height = 30;
    jpeg.input_components = 1;
    jpeg.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (int i = 0; i < 30; i++)
        jpeg_write_scanlines(&jpeg, &row, 1);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    fclose(file);
}

static int paint(void **state)
{
    uint8_t pixels[3 * SIZE];
    (void)state;
    if (images_set_up(state) < 0 || mkdir(images_path("img"), 0700) < 0)
        return -1;
    for (size_t i = 0; i < SIZE; i++)
        pixels[i] = (uint8_t)i;
    write_png("img/same.png", SIDE, SIDE, false, pixels);
    write_png("img/two.png", 2, 1, false, (uint8_t[]){0, 255});
    for (size_t i = 0; i < 3 * SIZE; i += 3)
        memcpy(pixels + i, (uint8_t[]){10, 20, 30}, 3);
    write_png("img/colour.png", SIDE, SIDE, true, pixels);
    write_jpeg("img/photo", GRAY);
    return 0;
}

static int look(struct dataset *data, size_t threads, size_t keep, uint8_t *pixels)
{
    return dataset_read(data, &(struct reading){frame, threads, keep, pixels});
}

static void images_of_any_size_become_the_models(void **state)
{
    uint8_t pixels[4 * SIZE], one[SIZE];
    struct dataset data;
    (void)state;
    assert_ok(images_open("path,label\nimg/same.png,x\nimg/two.png,x\nimg/colour.png,x\n"
                          "img/photo,x\n",
                          &data));
    assert_ok(look(&data, 2, 4, pixels));
    for (size_t i = 0; i < SIZE; i++) {
        assert_int_equal(pixels[i], (uint8_t)i);
        /* centres aligned: 7 columns left of the first pixel's centre, 14 in between */
        const size_t column = i % SIDE;
        const double between = ((double)column + .5) * 2 / SIDE - .5;
        const double value = between < 0 ? 0 : between > 1 ? 255 : 255 * between;
        assert_true(abs((int)(value + .5) - pixels[SIZE + i]) <= 1);
        assert_int_equal(pixels[2 * SIZE + i], 18); /* .299 10 + .587 20 + .114 30 */
        assert_true(abs(pixels[3 * SIZE + i] - GRAY) <= 1);
    }
    for (size_t i = 0; i < data.n; i++) {
        assert_ok(dataset_pixels(&data, &frame, &data.sample[i], one));
        assert_memory_equal(one, pixels + i * SIZE, SIZE);
    }
    dataset_done(&data);
}

static void what_is_kept_is_what_would_be_read(void **state)
{
    static const char text[] = "path,label\nimg/same.png,x\nimg/two.png,x\nimg/photo,x\n";
    uint8_t kept[SIZE], again[SIZE];
    struct dataset data, other;
    (void)state;
    assert_ok(images_open(text, &data));
    assert_ok(images_open(text, &other));
    assert_ok(dataset_read_all(&data, &frame, 2));
    assert_non_null(data.kept);
    for (size_t i = 0; i < data.n; i++) {
        const struct sample *last = &data.sample[data.n - 1 - i];
        assert_ok(dataset_pixels(&data, &frame, last, kept));
        assert_ok(dataset_pixels(&other, &frame, last, again));
        assert_memory_equal(kept, again, SIZE);
    }
    dataset_done(&data);
    dataset_done(&other);
}

static void gray_images_become_coloured_ones(void **state)
{
    const struct frame colour = {SIDE, SIDE, 3};
    uint8_t pixels[3 * SIZE];
    struct dataset data;
    (void)state;
    assert_ok(images_open("path,label\nimg/same.png,x\n", &data));
    assert_ok(dataset_pixels(&data, &colour, data.sample, pixels));
    for (size_t i = 0; i < 3 * SIZE; i++)
        assert_int_equal(pixels[i], (uint8_t)(i / 3));
    dataset_done(&data);
}

static void file_sha256(const char *name, uint8_t *ret_sha256)
{
    uint8_t bytes[4096];
    FILE *file = fopen(images_path(name), "rb");
    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    assert_true(len < sizeof bytes);
    fclose(file);
    crypto_sha256(bytes, len, ret_sha256);
}

/* SHA-256(SHA-256(manifest) || SHA-256(SHA-256(file) ...)), as docs/MODEL.md says. */
static void the_digest_names_the_manifest_and_every_file(void **state)
{
    static const char text[] = "path,label\nimg/two.png,b\nimg/same.png,a\n";
    uint8_t files[2][32], parts[2][32], wanted[32];
    (void)state;
    file_sha256("img/two.png", files[0]);
    file_sha256("img/same.png", files[1]);
    crypto_sha256(text, strlen(text), parts[0]);
    crypto_sha256(files, sizeof files, parts[1]);
    crypto_sha256(parts, sizeof parts, wanted);
    for (size_t threads = 1; threads <= 3; threads++) {
        struct dataset data;
        assert_ok(images_open(text, &data));
        struct sample first = data.sample[0];
        data.sample[0] = data.sample[1]; /* an order of its own */
        data.sample[1] = first;
        assert_ok(look(&data, threads, 0, NULL));
        assert_memory_equal(data.sha256, wanted, 32);
        assert_memory_equal(data.input_sha256, wanted, 32);
        dataset_done(&data);
    }
}

static void labels_are_numbered_in_byte_order(void **state)
{
    static const char *const names[] = {"boot", "Zebra", "shoe", "10", "9"};
    static const uint32_t own[] = {3, 2, 4, 0, 1, 3}, models[] = {0, 1, 2, 3, 4, 0};
    struct model_info info = {.labels = names};
    struct dataset data;
    (void)state;
    assert_ok(images_open("path,label,split\n1,boot,\n2,Zebra,\n3,shoe,\n4,10,\n5,9,\n"
                          "6,boot,test\n",
                          &data));
    assert_ok(dataset_number_labels(&data));
    assert_int_equal(data.classes, 5);
    assert_string_equal(data.label[0], "10");
    for (size_t i = 0; i < data.n; i++)
        assert_int_equal(data.sample[i].label, own[i]);
    info.classes = 5;
    assert_ok(dataset_use_labels(&data, &info));
    for (size_t i = 0; i < data.n; i++)
        assert_int_equal(data.sample[i].label, models[i]);
    info.classes = 4;
    assert_int_equal(dataset_use_labels(&data, &info), MK_EINPUT);
    assert_why_ends("people.csv: line 6: a label that the model does not know");
    dataset_done(&data);
}

static void open_labels_that_are_built_in_come_first(void **state)
{
    static const char *const names[] = {"shoe", "boot"};
    static const uint32_t own[] = {1, 0, 3, 2, 3}, models[] = {0, 1, 3, 2, 3};
    const struct model_info info = {.labels = names, .classes = 2, .open_labels = true};
    struct dataset data;
    (void)state;
    assert_ok(images_open("path,label,split\n1,shoe,base\n2,boot,base\n3,sock,enrol\n"
                          "4,cap,enrol\n5,sock,test\n6,tie,test\n",
                          &data));
    assert_int_equal(dataset_use_labels(&data, &info), MK_EINPUT);
    assert_why_ends("people.csv: line 7: a test row with a label that no other row has");
    data.n--;
    assert_ok(dataset_open_labels(&data, 2));
    assert_int_equal(data.built_in, 2);
    assert_int_equal(data.classes, 4);
    for (size_t i = 0; i < data.n; i++)
        assert_int_equal(data.sample[i].label, own[i]);
    assert_ok(dataset_use_labels(&data, &info));
    for (size_t i = 0; i < data.n; i++)
        assert_int_equal(data.sample[i].label, models[i]);
    assert_int_equal(data.built_in, 2);
    dataset_done(&data);
}

static void open_labels_that_are_too_like_are_refused(void **state)
{
    struct dataset data;
    uint64_t *codes;
    (void)state;
    assert_ok(
        images_open("path,label\n1,cap\n2,product 187278\n3,product 251005\n", &data));
    assert_ok(dataset_open_labels(&data, 3));
    assert_ok(pictures_codes(&data, true, 2, &codes));
    assert_int_equal(codes[0], label_code("cap"));
    free(codes);
    assert_int_equal(pictures_codes(&data, true, 3, &codes), MK_EINPUT);
    assert_why_ends("people.csv: line 4: a label that cannot be told from another: their "
                    "SHA-256 begin with the same 4 bytes; rename one");
    dataset_done(&data);
}

static void what_is_no_image_is_refused_with_its_line(void **state)
{
    static const char unreadable[] =
        "the image is missing, not readable, no regular file, or larger than 256 MiB";
    static const struct {
        const char *name, *why;
    } examples[] = {
        {"nowhere.png", unreadable},
        {"img", unreadable},
        {"link", unreadable},
        {"img/same.png/more", unreadable},
        {"text.png", "neither a PNG nor a JPEG image"},
        {"empty", "neither a PNG nor a JPEG image"},
        {"short.png", "the PNG image is damaged or truncated"},
        {"short.jpg", "the body is not a JPEG image, or it is damaged or truncated"},
        {"huge.png",
         "the image has 70000 x 70000 pixels (height x width); at most 65535 a side and "
         "67108864 in all are read"},
    };
    /* the header of a picture that would have 70,000 pixels a side */
    static const uint8_t huge[33] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\x11p\0\1\x11p\b";
    uint8_t pixels[SIZE];
    char text[256], why[256];
    (void)state;
    assert_int_equal(symlink("img/same.png", images_path("link")), 0);
    images_write("text.png", "a cat", 5);
    images_write("empty", "", 0);
    images_write("short.jpg", "\xff\xd8\xff\xe0", 4);
    images_write("huge.png", huge, sizeof huge);
    images_write("short.png",
                 "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x1c\0\0\0\x1c\b\0\0\0\0WfH", 33);
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        struct dataset data;
        snprintf(text, sizeof text, "path,label\nimg/same.png,x\n%s,x\nimg/two.png,x\n",
                 examples[i].name);
        snprintf(why, sizeof why, "people.csv: line 3: %s", examples[i].why);
        assert_ok(images_open(text, &data));
        assert_int_equal(look(&data, 2, 0, NULL), MK_EINPUT);
        assert_why_ends(why);
        assert_int_equal(dataset_pixels(&data, &frame, &data.sample[1], pixels),
                         MK_EINPUT);
        assert_why_ends(why);
        assert_null(strstr(err_why(), examples[i].name)); /* it may name a person */
        dataset_done(&data);
    }
}

static void of_many_bad_images_the_first_is_told(void **state)
{
    char text[8000] = "path,label\n";
    (void)state;
    for (size_t i = 0; i < 300; i++)
        sprintf(text + strlen(text), "%s%zu,x\n", i < 100 ? "img/" : "gone/", i);
    for (size_t i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof name, "img/%zu", i);
        write_png(name, 1, 1, false, (uint8_t[]){1});
    }
    for (size_t threads = 1; threads <= 4; threads++) {
        struct dataset data;
        assert_ok(images_open(text, &data));
        assert_int_equal(look(&data, threads, 0, NULL), MK_EINPUT);
        assert_non_null(strstr(err_why(), "line 102: "));
        dataset_done(&data);
    }
}

static void make_folder(const char *name)
{
    assert_int_equal(mkdir(images_path(name), 0700), 0);
}

static void class_folders_become_the_manifest_of_them(void **state)
{
    static const char flat[] = "path,label,split\n"
                               "\"Zoo/c.png\",\"Zoo\",\n"
                               "\"a \"\"b\"\", c/1.png\",\"a \"\"b\"\", c\",\n"
                               "\"a \"\"b\"\", c/10.png\",\"a \"\"b\"\", c\",\n"
                               "\"a \"\"b\"\", c/2.png\",\"a \"\"b\"\", c\",\n"
                               "\"train/x\",\"train\",\n";
    static const char tops[] = "path,label,split\n"
                               "\"train/cat/1\",\"cat\",\n"
                               "\"train/dog/2\",\"dog\",\n"
                               "\"test/cat/1\",\"cat\",test\n";
    struct dataset data;
    char *text;
    size_t len;
    (void)state;
    make_folder("flat");
    make_folder("flat/a \"b\", c");
    make_folder("flat/Zoo");
    make_folder("flat/train");
    make_folder("flat/.git");
    images_write("flat/README", "", 0);
    images_write("flat/.git/x", "", 0);
    images_write("flat/train/x", "", 0);
    images_write("flat/Zoo/c.png", "", 0);
    images_write("flat/a \"b\", c/10.png", "", 0);
    images_write("flat/a \"b\", c/2.png", "", 0);
    images_write("flat/a \"b\", c/1.png", "", 0);
    images_write("flat/a \"b\", c/.hidden", "", 0);
    assert_ok(folder_list(images_path("flat"), &text, &len));
    assert_string_equal(text, flat);
    assert_int_equal(len, strlen(flat));
    free(text);

    make_folder("tops");
    make_folder("tops/train");
    make_folder("tops/test");
    make_folder("tops/train/cat");
    make_folder("tops/train/dog");
    make_folder("tops/test/cat");
    images_write("tops/train/cat/1", "", 0);
    images_write("tops/train/dog/2", "", 0);
    images_write("tops/test/cat/1", "", 0);
    assert_ok(folder_list(images_path("tops"), &text, &len));
    assert_string_equal(text, tops);
    free(text);
    assert_ok(dataset_open_folder(images_path("tops"), &data));
    assert_int_equal(data.n, 3);
    assert_int_equal(data.sample[2].split, SPLIT_TEST);
    assert_int_equal(look(&data, 1, 0, NULL), MK_EINPUT);
    assert_why_ends("tops/train/cat/1: neither a PNG nor a JPEG image");
    dataset_done(&data);
}

static void a_folder_without_class_folders_is_refused(void **state)
{
    struct dataset data;
    (void)state;
    make_folder("bare");
    assert_int_equal(dataset_open_folder(images_path("bare"), &data), MK_EINPUT);
    assert_why_ends("bare/ has no class folders");
    make_folder("bare/cat");
    assert_int_equal(dataset_open_folder(images_path("bare"), &data), MK_EINPUT);
    assert_why_ends("bare names no image");
    make_folder("bare/cat/small");
    assert_int_equal(dataset_open_folder(images_path("bare"), &data), MK_EINPUT);
    assert_why_ends("bare/cat/small is a folder in a class folder, where images belong");
    assert_int_equal(dataset_open_folder(images_path("none"), &data), MK_EIO);
}

/* Three images of 2 x 2, labels 1, 0, 2. */
static void idx_files_are_read_whole_or_by_rows(void **state)
{
    static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2,  0,  0,
                                     0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 1, 0, 2};
    static const char rows[] = "index,subject\n2,anna\n0,bert\n";
    const struct frame small = {2, 2, 1};
    uint8_t pixels[4], wanted[32];
    const struct model_info two = {.classes = 2};
    struct dataset data;
    (void)state;
    images_write("images", images, sizeof images);
    images_write("labels", labels, sizeof labels);
    images_write("rows", rows, strlen(rows));
    assert_ok(
        dataset_open_idx(images_path("images"), images_path("labels"), NULL, &data));
    assert_ok(dataset_number_labels(&data));
    assert_int_equal(data.n, 3);
    assert_int_equal(data.classes, 3);
    assert_int_equal(look(&data, 1, 0, NULL), MK_EINPUT);
    assert_string_equal(err_why(),
                        "the images are 2 x 2 x 1, the model takes 28 x 28 x 1");
    assert_ok(dataset_read(&data, &(struct reading){small, 1, 1, pixels}));
    assert_memory_equal(pixels, images + 16, 4);
    crypto_sha256(images, sizeof images, wanted);
    assert_memory_equal(data.sha256, wanted, 32);
    dataset_done(&data);

    assert_ok(dataset_open_idx(images_path("images"), images_path("labels"),
                               images_path("rows"), &data));
    assert_int_equal(data.n, 2);
    assert_int_equal(data.sample[0].label, 2);
    assert_int_equal(data.sample[1].label, 1);
    assert_ok(dataset_pixels(&data, &small, &data.sample[0], pixels));
    assert_memory_equal(pixels, images + 24, 4);
    assert_int_equal(dataset_use_labels(&data, &two), MK_EINPUT);
    assert_why_ends("rows: line 2: label 2: the model knows 0 to 1");
    dataset_done(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_of_any_size_become_the_models),
        cmocka_unit_test(what_is_kept_is_what_would_be_read),
        cmocka_unit_test(gray_images_become_coloured_ones),
        cmocka_unit_test(the_digest_names_the_manifest_and_every_file),
        cmocka_unit_test(labels_are_numbered_in_byte_order),
        cmocka_unit_test(open_labels_that_are_built_in_come_first),
        cmocka_unit_test(open_labels_that_are_too_like_are_refused),
        cmocka_unit_test(what_is_no_image_is_refused_with_its_line),
        cmocka_unit_test(of_many_bad_images_the_first_is_told),
        cmocka_unit_test(class_folders_become_the_manifest_of_them),
        cmocka_unit_test(a_folder_without_class_folders_is_refused),
        cmocka_unit_test(idx_files_are_read_whole_or_by_rows),
    };
    return cmocka_run_group_tests(tests, paint, images_tear_down);
}
