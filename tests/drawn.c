/* SPDX-License-Identifier: Apache-2.0 */
/* A model of open labels with drawn weights. */
#include "tests/drawn.h"

#include "core/label_code.h"
#include "core/train_optimizer.h"
#include "tests/check.h"

struct model *drawn_model(const char *const *names, uint32_t n)
{
    struct shape shape;
    struct model *model;
    assert_ok(shape_of_profile("T", n, &shape));
    shape.open_labels = true;
    shape.label_dim = LABEL_CODE_DIM;
    assert_ok(model_new(&shape, &model));
    params_start(model->encoder, 1);
    params_start(model->classifier, 2);
    for (size_t i = 0; i < shape.key_dim; i++)
        model->projection->projection.matrix[i * shape.key_dim + i] = 1;
    assert_ok(model_set_labels(model, names));
    strcpy(model->name, "drawn");
    return model;
}
