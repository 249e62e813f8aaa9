/* SPDX-License-Identifier: Apache-2.0 */
/* KServe's Open Inference Protocol (v2) but for inference itself: health and metadata. */
#include "api/kserve.h"

#include <string.h>

#include "api/outputs.h"
#include "api/parts.h"
#include "api/routes.h"
#include "api/tensor.h"
#include "core/err.h"

enum { VERSION_BYTES = 6 };

json_t *kserve_version(const struct service *service)
{
    return json_hex(service->model_sha256, VERSION_BYTES);
}

/* v2/models/{m} and perhaps versions/{v}, before what is asked for. */
int kserve_check_model(const struct request *request)
{
    const struct target *target = request->target;
    const struct service *service = request->service;
    if (strcmp(target->segment[2].data, model_info(service->model)->name) != 0)
        return fail(MK_ENOTFOUND,
                    "there is no model of this name here; GET /version has the name");
    if (target->segments < 5)
        return 0;
    json_auto_t *version = kserve_version(service);
    if (!version)
        return fail(MK_ENOMEM, "no memory for a version");
    if (strcmp(target->segment[4].data, json_string_value(version)) != 0)
        return fail(MK_ENOTFOUND, "the model has no such version; its metadata has the "
                                  "one that is served");
    return 0;
}

int kserve_get(struct request *request, struct reply *ret_reply)
{
    (void)request;
    return reply_json(ret_reply, 200,
                      json_pack("{s:s, s:s, s:[s, s]}", "name", "munkeyd", "version",
                                PACKAGE_VERSION, "extensions", "binary_tensor_data",
                                "classification"));
}

int kserve_live_get(struct request *request, struct reply *ret_reply)
{
    (void)request;
    return reply_json(ret_reply, 200, json_pack("{s:b}", "live", 1));
}

/* KServe's own server says `ready`, the protocol's text `live`. */
int kserve_ready_get(struct request *request, struct reply *ret_reply)
{
    int rc = service_ready(request->service);
    if (rc < 0)
        return rc;
    return reply_json(ret_reply, 200, json_pack("{s:b, s:b}", "ready", 1, "live", 1));
}

int kserve_model_ready_get(struct request *request, struct reply *ret_reply)
{
    int rc;
    if ((rc = kserve_check_model(request)) < 0 ||
        (rc = service_ready(request->service)) < 0)
        return rc;
    return reply_json(ret_reply, 200,
                      json_pack("{s:s, s:b}", "name",
                                model_info(request->service->model)->name, "ready", 1));
}

static json_t *outputs(const struct model_info *info)
{
    json_t *list = json_array();
    for (enum output i = 0; i < OUTPUTS; i++)
        json_array_append_new(list, output_described(i, info));
    return list;
}

int kserve_model_get(struct request *request, struct reply *ret_reply)
{
    const struct model_info *info = model_info(request->service->model);
    int rc = kserve_check_model(request);
    if (rc < 0)
        return rc;
    return reply_json(
        ret_reply, 200,
        json_pack("{s:s, s:[o], s:s, s:[{s:s, s:s, s:[i, i, i, i]}], s:o}", "name",
                  info->name, "versions", kserve_version(request->service), "platform",
                  "munkey_safetensors", "inputs", "name", TENSOR_INPUT, "datatype",
                  TENSOR_DATATYPE, "shape", -1, (int)info->height, (int)info->width,
                  (int)info->channels, "outputs", outputs(info)));
}
