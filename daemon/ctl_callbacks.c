/* SPDX-License-Identifier: Apache-2.0 */
/* munkeyctl callbacks: what receivers check the signatures of callbacks with. */
#include <stdio.h>
#include <stdlib.h>

#include "api/receivers.h"
#include "core/err.h"
#include "daemon/ctl.h"
#include "storage/callback_secret.h"
#include "storage/encode.h"

/* The form that Standard Webhooks libraries read: whsec_ and base64. */
static void print(const uint8_t key[static SECRET_SIZE], const char *prefix)
{
    uint8_t secret[SECRET_SIZE];
    char text[BASE64_SIZE(SECRET_SIZE)];

    callback_secret(key, prefix, secret);
    base64_encode(secret, sizeof secret, text);
    printf("%s whsec_%s\n", prefix, text);
    crypto_wipe(secret, sizeof secret);
    crypto_wipe(text, sizeof text);
}

static int list(const struct config *config, void *wishes)
{
    struct receivers *receivers;
    uint8_t key[SECRET_SIZE];
    int rc;

    (void)wishes;
    if ((rc = receivers_parse(config->callback_allow, &receivers)) < 0)
        return rc;
    if (receivers_count(receivers) == 0)
        rc = fail(MK_EINPUT, "callback_allow lists nobody: set it in munkeyd.conf first");
    else
        rc = callback_root_read(config->state, key);
    for (size_t i = 0; rc == 0 && i < receivers_count(receivers); i++)
        print(key, receivers_prefix(receivers, i));
    crypto_wipe(key, sizeof key);
    receivers_free(receivers);
    return rc;
}

int ctl_callbacks(int argc, char **argv)
{
    const struct argp argp = {
        .doc = "Prints each prefix of callback_allow and the secret of its receiver.",
        .children = ctl_settings};
    struct config_source source = {0};

    return ctl_run(&argp, argc, argv, &source, list);
}
