/* SPDX-License-Identifier: Apache-2.0 */
/* SIGHUP and POST /reload of the operator's socket. */
#include "api/reload.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "api/journal.h"
#include "api/routes.h"
#include "api/tls.h"
#include "core/err.h"

void service_check_certificate(const struct service *service)
{
    char warning[TLS_WARNING];
    if (service->tls && tls_warning(service->tls, time(NULL), warning))
        journal_say(LOG_WARNING, "%s", warning);
}

static int reload(struct service *service)
{
    char tokens[512] = "", certificate[512] = "";
    int of_tokens = tokens_reload(service->tokens), of_tls = 0;
    if (of_tokens < 0)
        snprintf(tokens, sizeof tokens, "the tokens stay as they were: %s", err_why());
    if (service->tls && (of_tls = tls_reload(service->tls)) < 0)
        snprintf(certificate, sizeof certificate, "%sthe certificate stays as it was: %s",
                 *tokens ? "; " : "", err_why());
    if (of_tokens == 0 && of_tls == 0)
        return 0;
    return fail(of_tokens < 0 ? of_tokens : of_tls, "%s%s", tokens, certificate);
}

/* One at a time: what one has read must not replace what another has read after it. */
int service_reload(struct service *service)
{
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&one);
    int rc = reload(service);
    pthread_mutex_unlock(&one);
    if (rc < 0)
        journal_say(LOG_ERR, "%s", err_why());
    else
        journal_say(LOG_INFO, "read the tokens%s again",
                    service->tls ? " and the certificate" : "");
    service_check_certificate(service);
    return rc;
}

int reload_post(struct request *request, struct reply *ret_reply)
{
    int rc = service_reload(request->service);
    if (rc < 0)
        return rc;
    return reply_json(ret_reply, 200, json_pack("{s:s}", "status", "reloaded"));
}
