/* SPDX-License-Identifier: Apache-2.0 */
/* Training: from labelled images to a model.
 *
 *     struct trainer *t;
 *     trainer_new(&plan, &images, &t);
 *     rc = trainer_run(t, tell, context);      encoder, keys, classifier, calibration
 *     trainer_model(t)                         frozen
 *     trainer_free(t);
 *
 * docs/MODEL.md, "Training", says what the stages do.  The same plan and images give the
 * same bits, whatever the number of threads and interruptions.
 */
#ifndef MUNKEY_CORE_TRAIN_H
#define MUNKEY_CORE_TRAIN_H

#include "core/model_parts.h"
#include "core/train_data.h"

/* Choices that are compared with one another; those of train_method_default are ours, and
 * docs/MODEL.md says why. */
struct train_method {
    bool free_tokens;             /* each instance of B2 learns a token of its own */
    bool retrieve_self;           /* a query may retrieve itself */
    enum aggregation aggregation; /* of the passes, in the finished model */
    double drop;                  /* of the neighbours, at most: rho ~ U(0, drop) */
    double blind_weight;          /* of the memory-only loss */
    double smoothing;             /* of labels */
    double new_labels;            /* share of open labels that calibration has not met */
    bool upright;                 /* otherwise half of the images are seen in a mirror */
};
extern const struct train_method train_method_default;

struct train_plan {
    struct vit *encoder_take; /* frozen already: there is no encoder stage; or NULL */
    /* Its encoder and P are copied, so that keys are the same and there is no encoder stage; or
     * NULL.  A comparison retrains what comes after a public encoder. */
    const struct model *keys_of;
    uint8_t encoder_sha256[32]; /* names either, for a checkpoint */
    struct shape shape;
    struct train_method method;
    struct row_range b1, b2, val; /* encoder, classifier, calibration */
    uint64_t seed;
    size_t threads;
    size_t steps_encoder, steps_fusion;
    size_t batch; /* a multiple of 8 */
    double rate;
    const uint64_t *codes;     /* (classes): of open labels; NULL where they are closed */
    uint8_t data_sha256[32];   /* names the images, for a checkpoint; */
    uint8_t labels_sha256[32]; /* and their labels */
};

enum train_stage {
    STAGE_ENCODER,
    STAGE_KEYS,
    STAGE_FUSION,
    STAGE_CALIBRATION,
    STAGE_DONE
};

struct train_news {
    enum train_stage stage;
    size_t done, total; /* steps, or images */
    double loss;        /* running mean over 100 steps; 0 where there is none */
    double accuracy;    /* ... and of the pass that sees the image and no memory */
};

/* Called between steps.  Returns false to stop. */
typedef bool train_tell(void *context, const struct train_news *news);

/* What training found out about itself. */
struct train_findings {
    double agreement_b2,
        agreement_val;             /* share of the 8 nearest with the query's label */
    double val_loss, val_accuracy; /* of the calibrated model */
    double val_null;               /* accuracy of the null pass */
};

/* The plan's encoder becomes the trainer's, and is freed also when this fails. */
struct trainer;
int trainer_new(const struct train_plan *plan, const struct images *images,
                struct trainer **ret_trainer);
void trainer_free(struct trainer *t);

/* Returns 0 when the model is finished, 1 when tell() asked to stop, or MK_ENOMEM. */
int trainer_run(struct trainer *t, train_tell *tell, void *context);

/* The finished model; whoever knows the data completes its name, labels and digests. */
struct model *trainer_model(struct trainer *t);
struct train_findings trainer_findings(const struct trainer *t);

/* All that an interrupted run needs to go on, as one safetensors file that the caller
 * frees. May be called from tell(). */
int trainer_save(const struct trainer *t, void **ret_bytes, size_t *ret_len);

/* Continues from such a file.  MK_EINPUT when it belongs to another plan. */
int trainer_resume(struct trainer *t, const void *bytes, size_t len);

#endif
