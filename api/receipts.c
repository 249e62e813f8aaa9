/* SPDX-License-Identifier: Apache-2.0 */
/* A receipt again, without its opening; and POST /receipts/verify: anybody may ask whether one is
 * ours and what it proves. */
#include <stdlib.h>
#include <string.h>

#include "api/answer.h"
#include "api/json.h"
#include "api/routes.h"
#include "core/err.h"
#include "storage/answer.h"
#include "storage/log.h"
#include "storage/verify.h"

enum { VALUES_MAX = 32 };

int receipt_get(struct request *request, struct reply *ret_reply)
{
    struct answer answer __attribute__((cleanup(answer_done))) = {0};
    struct state *state = request->service->state;
    struct state_status status;
    uint64_t index;
    int rc;
    if (!target_number(request->target->segment[1].data, &index))
        return fail(MK_EINPUT,
                    "a receipt is named by the decimal number of its log entry");
    if ((rc = answer_read(state, index, &answer)) < 0)
        return rc;
    state_status(state, &status);
    return reply_json(ret_reply, 200,
                      json_pack("{s:o, s:s, s:o}", "receipt_id", json_receipt_id(&answer),
                                "receipt", answer.receipt, "log",
                                json_log(&answer, status.origin)));
}

/* The running log's keys, retired ones too, an entry and its neighbours; owned. */
struct evidence {
    char *jwks, *vkeys, *entry, *before, *after;
};

static void evidence_done(struct evidence *evidence)
{
    free(evidence->jwks);
    free(evidence->vkeys);
    free(evidence->entry);
    free(evidence->before);
    free(evidence->after);
}

static int read_claim(const json_t *body, struct claim *ret_claim)
{
    struct claim claim = {0};
    const json_t *opening = json_object_get(body, "opening");
    int rc;
    if ((rc = json_known(body, "receipt proof opening")) < 0 ||
        (rc = json_text(body, "receipt", true, &claim.receipt)) < 0 ||
        (rc = json_text(body, "proof", false, &claim.proof)) < 0)
        return rc;
    if (opening && ((rc = json_known(opening, "subject request salt")) < 0 ||
                    (rc = json_text(opening, "subject", true, &claim.subject)) < 0 ||
                    (rc = json_text(opening, "request", true, &claim.request)) < 0 ||
                    (rc = json_text(opening, "salt", true, &claim.salt)) < 0))
        return rc;
    claim.subject_len = claim.subject ? strlen(claim.subject) : 0;
    *ret_claim = claim;
    return 0;
}

/* An entry that the log does not have is no evidence, and no error. */
static int neighbour(struct state *state, uint64_t index, char **ret_entry)
{
    int rc = log_entry(state, index, ret_entry);
    return rc == MK_ENOTFOUND ? 0 : rc;
}

/* The proof says where the entry stands; without one it has no neighbours. */
static int gather(struct state *state, const struct claim *claim,
                  struct evidence *evidence)
{
    uint64_t index;
    int rc;
    if ((rc = log_jwks(state, &evidence->jwks)) < 0 ||
        (rc = log_vkeys(state, &evidence->vkeys)) < 0)
        return rc;
    if (!claim->proof || verify_proof_index(claim->proof, &index) < 0)
        return 0;
    if ((rc = neighbour(state, index, &evidence->entry)) < 0)
        return rc;
    if (!evidence->entry && !(evidence->entry = strdup("")))
        return fail(MK_ENOMEM, "no memory for a log entry");
    if (index > 0 && (rc = neighbour(state, index - 1, &evidence->before)) < 0)
        return rc;
    return neighbour(state, index + 1, &evidence->after);
}

static json_t *verdict_json(const struct verdict *verdict)
{
    static const char *const results[] = {[CHECK_SKIPPED] = "skipped",
                                          [CHECK_PASSED] = "passed",
                                          [CHECK_FAILED] = "failed"};
    json_t *checks = json_object();
    for (int i = 0; i < CHECKS; i++)
        json_object_set_new(checks, verdict->check[i].name,
                            json_pack("{s:s, s:s*}", "result",
                                      results[verdict->check[i].result], "why",
                                      verdict->check[i].why));
    return json_pack("{s:b, s:o}", "valid", (int)verdict->valid, "checks", checks);
}

static int verify(struct state *state, const struct claim *claim,
                  struct verdict *ret_verdict)
{
    struct evidence evidence __attribute__((cleanup(evidence_done))) = {0};
    int rc = gather(state, claim, &evidence);
    if (rc < 0)
        return rc;
    const struct trust trust = {evidence.jwks, evidence.vkeys, evidence.entry,
                                evidence.before, evidence.after};
    return verify_receipt(claim, &trust, ret_verdict);
}

int verify_post(struct request *request, struct reply *ret_reply)
{
    json_auto_t *body = NULL;
    struct claim claim;
    struct verdict verdict;
    int rc;
    if ((rc = json_read(request->body, request->body_len, VALUES_MAX, &body)) < 0 ||
        (rc = read_claim(body, &claim)) < 0 ||
        (rc = verify(request->service->state, &claim, &verdict)) < 0)
        return rc;
    return reply_json(ret_reply, 200, verdict_json(&verdict));
}
