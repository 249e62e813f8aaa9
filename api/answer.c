/* SPDX-License-Identifier: Apache-2.0 */
/* JSON of what the owner of a receipt is told. */
#include "api/answer.h"

#include "api/parts.h"
#include "core/err.h"

enum outcome outcome_of(int rc, enum act act)
{
    if (rc == 0)
        return act == ACT_ERASE ? ERASED : NOT_HELD;
    if (rc == MK_ECONFLICT)
        return HELD;
    return rc == MK_EINPUT || rc == MK_ETOOBIG || rc == MK_EUNPROCESSABLE ? REFUSED
                                                                          : FAILED;
}

static json_t *json_classes(const struct forgotten *done)
{
    json_t *classes = json_object();
    if (done->answer.exact)
        json_object_set_new(classes, "exact",
                            json_integer((json_int_t)done->answer.exact));
    if (done->answer.trained)
        json_object_set_new(classes, "trained",
                            json_integer((json_int_t)done->answer.trained));
    return classes;
}

/* What a receipt does not say, said where it is read. */
static json_t *json_limitations(const struct forgotten *done)
{
    json_t *list = json_array();
    json_array_append_new(
        list, json_string("The scope is this memory: copies, replicas, logs and "
                          "backups outside of munkeyd are not covered."));
    if (done->answer.trained)
        json_array_append_new(
            list, json_string(
                      "The weights were trained on the instances of class trained: their "
                      "keys are gone; what the weights may retain of them is measured "
                      "and published with the model."));
    json_array_append_new(
        list, json_string("Answers that were sent before this erasure cannot be "
                          "called back."));
    return list;
}

json_t *json_receipt_id(const struct answer *answer)
{
    return json_sprintf("%llu", (unsigned long long)answer->index);
}

json_t *json_opening(const struct answer *answer, struct subject subject,
                     const char *request)
{
    return json_pack("{s:s%, s:s, s:s}", "subject", subject.id, subject.len, "request",
                     request, "salt", answer->salt);
}

json_t *json_log(const struct answer *answer, const char *origin)
{
    return json_pack("{s:s, s:I, s:o, s:s}", "origin", origin, "index",
                     (json_int_t)answer->index, "leaf_hash",
                     json_hex(answer->leaf_hash, sizeof answer->leaf_hash), "proof",
                     answer->proof);
}

json_t *json_forgotten(const struct forgotten *done, struct subject subject,
                       const char *request, const char *origin)
{
    return json_pack("{s:s, s:I, s:o, s:o, s:s, s:o, s:o, s:{s:I, s:b}, s:o}", "status",
                     done->answer.act == ACT_ERASE ? "erased" : "not_held", "erased",
                     (json_int_t)(done->answer.exact + done->answer.trained), "classes",
                     json_classes(done), "receipt_id", json_receipt_id(&done->answer),
                     "receipt", done->answer.receipt, "opening",
                     json_opening(&done->answer, subject, request), "log",
                     json_log(&done->answer, origin), "verified", "records_left",
                     (json_int_t)done->records_left, "digest_match",
                     (int)done->digest_match, "limitations", json_limitations(done));
}
