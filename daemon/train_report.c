/* SPDX-License-Identifier: Apache-2.0 */
/* The findings of a training run, and warnings. */
#include "daemon/train_report.h"

#include <math.h>
#include <sys/resource.h>

/* "They should differ by less than one point or three standard errors, whichever is larger":
 * otherwise the encoder has seen the classifier's queries, or their people. */
static bool agreements_differ(const struct train_findings *f, size_t n_val)
{
    double p = f->agreement_val, error = sqrt(p * (1 - p) / (double)n_val);
    return fabs(f->agreement_b2 - f->agreement_val) > fmax(.01, 3 * error);
}

static void print_findings(FILE *out, const struct train_findings *f,
                           const struct model_info *info)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    fprintf(out,
            "neighbour agreement: %.2f %% on B2, %.2f %% on val\n"
            "calibration: K %u, lambda %.2f, tau_mix %.2f\n"
            "on val: %.2f %%, null pass %.2f %%, loss %.4f\n"
            "peak memory: %ld MiB\n",
            100 * f->agreement_b2, 100 * f->agreement_val, info->k, info->lambda,
            info->tau_mix, 100 * f->val_accuracy, 100 * f->val_null, f->val_loss,
            usage.ru_maxrss / 1024);
}

int report_findings(FILE *out, const struct train_findings *f,
                    const struct model_info *info, size_t n_val)
{
    int warnings = 0;
    print_findings(out, f, info);
    if (agreements_differ(f, n_val) && ++warnings)
        fputs("warning: neighbours agree with B2's queries more or less often than with "
              "held-out ones: the model trusts its memory wrongly; see that B1, B2 and "
              "val share no person and no picture\n",
              out);
    if (f->val_accuracy <= f->val_null && ++warnings)
        fputs("warning: the memory adds nothing over the image alone: forgetting changes "
              "no answer of this model, and its receipts prove little\n",
              out);
    return warnings;
}
