/* SPDX-License-Identifier: Apache-2.0 */
/* What of a data set is enrolled, and as what class. */
#include "tests/images.h"

#include "daemon/intake.h"

enum { DATA = 0xda };

/* Rows 0 to 3 of some data were seen, the first of them by a public encoder. */
static const struct row_range seen[] = {{0, 1}, {1, 3}, {3, 4}};

static struct model_info model_of(bool by_subject, size_t n_public)
{
    struct model_info info = {.seen = seen,
                              .n_seen = ARRAY_SIZE(seen),
                              .n_public = n_public,
                              .by_subject = by_subject,
                              .seed = 5};
    memset(info.data_sha256, DATA, sizeof info.data_sha256);
    return info;
}

/* Opens a manifest whose digest is the model's or not. */
static int choose(const char *text, const struct model_info *info, bool known,
                  bool unseen, struct dataset *data, struct intake *ret_intake)
{
    assert_ok(images_open(text, data));
    memset(data->sha256, known ? DATA : 0, sizeof data->sha256);
    return intake_choose(data, info, unseen, ret_intake);
}

static void assert_classes(const struct intake *intake, const char *paths,
                           const char *classes)
{
    assert_int_equal(intake->n, strlen(paths));
    for (size_t i = 0; i < intake->n; i++) {
        assert_int_equal(intake->item[i].sample->path[0], paths[i]);
        assert_int_equal(intake->item[i].class,
                         classes[i] == 't' ? CLASS_TRAINED : CLASS_EXACT);
    }
}

#define SPLITS "path,label,subject,split\n"

static void the_model_knows_the_data_it_was_trained_on(void **state)
{
    static const char text[] = SPLITS "1,x,a,enrol\n2,x,b,base\n3,x,c,base\n4,x,d,test\n"
                                      "5,x,e,base\n6,x,f,enrol\n7,x,g,base\n";
    struct model_info info = model_of(true, 0);
    struct dataset data;
    struct intake intake;
    (void)state;
    assert_ok(choose(text, &info, true, false, &data, &intake));
    assert_classes(&intake, "235716", "ttttee");
    intake_done(&intake);
    dataset_done(&data);
}

static void without_a_column_its_ranges_say_what_was_seen(void **state)
{
    static const char text[] =
        "path,label,subject\n1,x,a\n2,x,b\n3,x,c\n4,x,d\n5,x,e\n6,x,f\n";
    struct model_info info = model_of(true, 0);
    struct dataset data;
    struct intake intake;
    (void)state;
    assert_ok(choose(text, &info, true, false, &data, &intake));
    assert_int_equal(intake.n, 6);
    for (size_t i = 0; i < intake.n; i++) { /* data is in the order of subjects now */
        const size_t place = (size_t)(intake.item[i].sample - data.sample);
        assert_int_equal(intake.item[i].class, place < 4 ? CLASS_TRAINED : CLASS_EXACT);
    }
    intake_done(&intake);
    dataset_done(&data);
}

static void what_is_public_is_not_enrolled(void **state)
{
    static const char text[] = "path,label,subject\n1,x,a\n2,x,b\n3,x,c\n4,x,d\n5,x,e\n";
    struct model_info info = model_of(true, 1);
    struct dataset data;
    struct intake intake;
    (void)state;
    assert_ok(choose(text, &info, true, false, &data, &intake));
    assert_int_equal(intake.n, 4);
    for (size_t i = 0; i < intake.n; i++)
        assert_ptr_not_equal(intake.item[i].sample, &data.sample[0]);
    intake_done(&intake);
    dataset_done(&data);
}

static void of_other_data_each_row_has_to_say_it(void **state)
{
    struct model_info info = model_of(true, 0), idx = model_of(false, 0);
    struct dataset data;
    struct intake intake;
    (void)state;
    assert_ok(choose(SPLITS "1,x,a,enrol\n2,x,b,base\n3,x,c,enrol\n4,x,,test\n", &info,
                     false, false, &data, &intake));
    assert_classes(&intake, "213", "tee");
    intake_done(&intake);
    dataset_done(&data);

    assert_ok(
        choose("path,label,subject\n1,x,a\n2,x,b\n", &info, false, true, &data, &intake));
    assert_classes(&intake, "12", "ee");
    intake_done(&intake);
    dataset_done(&data);

    /* the digest of an IDX file says nothing about rows of a manifest */
    assert_ok(choose(SPLITS "1,x,a,enrol\n", &idx, true, true, &data, &intake));
    assert_classes(&intake, "1", "e");
    intake_done(&intake);
    dataset_done(&data);
}

static void a_row_of_base_is_never_exact(void **state)
{
    struct model_info info = model_of(true, 0);
    struct dataset data;
    struct intake intake;
    (void)state;
    for (int known = 0; known < 2; known++) {
        assert_ok(choose(SPLITS
                         "1,x,a,base\n2,x,b,base\n3,x,c,base\n4,x,d,base\n5,x,e,base\n",
                         &info, known, true, &data, &intake));
        assert_classes(&intake, "12345", "ttttt");
        intake_done(&intake);
        dataset_done(&data);
    }
}

/* Files 1 and 4 are the same, as are 2 and 3. */
static void a_copy_of_what_was_seen_is_not_exact(void **state)
{
    struct model_info info = model_of(true, 0);
    struct dataset data;
    struct intake intake;
    (void)state;
    assert_ok(images_open(
        SPLITS "1,x,a,enrol\n2,x,b,enrol\n3,x,c,test\n4,x,d,base\n5,x,e,enrol\n", &data));
    data.digest = calloc(5, sizeof *data.digest);
    for (size_t i = 0; i < 5; i++)
        data.digest[i][31] = "12213"[i];
    assert_ok(intake_choose(&data, &info, false, &intake));
    assert_classes(&intake, "1425", "ttee");
    intake_done(&intake);
    dataset_done(&data);
}

static void what_cannot_be_answered_for_is_refused(void **state)
{
    struct model_info info = model_of(true, 0);
    struct dataset data;
    struct intake intake;
    (void)state;
    assert_int_equal(
        choose("path,label,subject\n1,x,a\n", &info, false, false, &data, &intake),
        MK_EINPUT);
    assert_why_ends(
        "line 2: the model was trained on other data, and no split says whether "
        "its weights saw this row: write base or enrol, or give --unseen when they "
        "saw none of these");
    dataset_done(&data);
    assert_int_equal(
        choose("path,label,subject\n1,x,a\n2,x,\n", &info, false, true, &data, &intake),
        MK_EINPUT);
    assert_why_ends("line 3: no subject: nobody could ask for its erasure");
    dataset_done(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_model_knows_the_data_it_was_trained_on),
        cmocka_unit_test(without_a_column_its_ranges_say_what_was_seen),
        cmocka_unit_test(what_is_public_is_not_enrolled),
        cmocka_unit_test(of_other_data_each_row_has_to_say_it),
        cmocka_unit_test(a_row_of_base_is_never_exact),
        cmocka_unit_test(a_copy_of_what_was_seen_is_not_exact),
        cmocka_unit_test(what_cannot_be_answered_for_is_refused),
    };
    return cmocka_run_group_tests(tests, images_set_up, images_tear_down);
}
