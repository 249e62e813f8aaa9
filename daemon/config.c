/* SPDX-License-Identifier: Apache-2.0 */
/* Settings, read by libconfuse from the file and by argp from the flags. */
#include "daemon/config.h"

#include <confuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"

enum { KEY_CONFIG = 0x100, KEY_SETTING }; /* above what could be a short option */

static const struct argp_option flags[] = {
    {"config", KEY_CONFIG, "FILE", 0,
     "file of settings (default: " MUNKEY_CONFIG ", if it is there)", 0},
#define FLAG_TEXT(id, flag, argument, preset, doc)                                       \
    {flag, KEY_SETTING + CONFIG_##id, argument, 0, doc " (default: " preset ")", 0},
#define FLAG_NUMBER(id, flag, preset, least, most, doc)                                  \
    {flag, KEY_SETTING + CONFIG_##id, "N", 0, doc, 0},
#define FLAG_SWITCH(id, flag, preset, doc)                                               \
    {flag, KEY_SETTING + CONFIG_##id, "BOOL", 0, doc, 0},
    CONFIG_SETTINGS(FLAG_TEXT, FLAG_NUMBER, FLAG_SWITCH){0}};

static error_t take_flag(int key, char *argument, struct argp_state *state)
{
    struct config_source *source = state->input;

    if (key == KEY_CONFIG)
        source->file = argument;
    else if (key >= KEY_SETTING && key < KEY_SETTING + CONFIG_COUNT)
        source->flag[key - KEY_SETTING] = argument;
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

const struct argp config_argp = {.options = flags, .parser = take_flag};

static cfg_opt_t options[] = {/* const to us: libconfuse copies it */
#define OPTION_TEXT(id, flag, argument, preset, doc) CFG_STR(#id, preset, CFGF_NONE),
#define OPTION_NUMBER(id, flag, preset, ...) CFG_INT(#id, preset, CFGF_NONE),
#define OPTION_SWITCH(id, flag, preset, doc) CFG_BOOL(#id, preset, CFGF_NONE),
                              CONFIG_SETTINGS(OPTION_TEXT, OPTION_NUMBER, OPTION_SWITCH)
                                  CFG_END()};

static const struct range {
    bool set;
    long least, most;
} ranges[CONFIG_COUNT] = {
#define RANGE_NONE(...)
#define RANGE_NUMBER(id, flag, preset, least, most, doc)                                 \
    [CONFIG_##id] = {true, least, most},
    CONFIG_SETTINGS(RANGE_NONE, RANGE_NUMBER, RANGE_NONE)};

/* libconfuse reports here, with the file and line that it is at. */
static void complain(cfg_t *cfg, const char *format, va_list arguments)
{
    char sentence[256];

    vsnprintf(sentence, sizeof sentence, format, arguments);
    if (cfg->filename)
        fail(MK_EINPUT, "%s, line %d: %s", cfg->filename, cfg->line, sentence);
    else
        fail(MK_EINPUT, "%s", sentence);
}

static int check_range(cfg_t *cfg, cfg_opt_t *option)
{
    const struct range *range = &ranges[option - cfg->opts];
    const long value = cfg_opt_getnint(option, 0);

    if (value >= range->least && value <= range->most)
        return 0;
    cfg_error(cfg, "%s is %ld, but must lie between %ld and %ld", option->name, value,
              range->least, range->most);
    return -1;
}

static int read_file(cfg_t *cfg, const char *file)
{
    if (!file && access(MUNKEY_CONFIG, F_OK) < 0)
        return 0; /* the defaults are enough */
    if (!file)
        file = MUNKEY_CONFIG;
    switch (cfg_parse(cfg, file)) {
    case CFG_SUCCESS:
        return 0;
    case CFG_FILE_ERROR:
        return fail(MK_EINPUT, "cannot read the settings in %s: %m", file);
    default:
        return MK_EINPUT;
    }
}

static int read_flags(cfg_t *cfg, const char *const *flag)
{
    free(cfg->filename);
    cfg->filename = NULL; /* complaints have no line any more */
    for (size_t i = 0; i < CONFIG_COUNT; i++) {
        cfg_opt_t *option = &cfg->opts[i];
        if (!flag[i])
            continue;
        if (!cfg_setopt(cfg, option, flag[i]))
            return MK_EINPUT;
        if (ranges[i].set && check_range(cfg, option) < 0)
            return MK_EINPUT;
    }
    return 0;
}

static int copy(cfg_t *cfg, struct config *ret_config)
{
    struct config config = {0};
    bool complete = true;

#define COPY_TEXT(id, ...) complete &= !!(config.id = strdup(cfg_getstr(cfg, #id)));
#define COPY_NUMBER(id, ...) config.id = cfg_getint(cfg, #id);
#define COPY_SWITCH(id, ...) config.id = cfg_getbool(cfg, #id);
    CONFIG_SETTINGS(COPY_TEXT, COPY_NUMBER, COPY_SWITCH)
    if (!complete) {
        config_done(&config);
        return fail(MK_ENOMEM, "no memory for the settings");
    }
    *ret_config = config;
    return 0;
}

int config_load(const struct config_source *source, struct config *ret_config)
{
    cfg_t *cfg = cfg_init(options, CFGF_NONE);
    int rc;

    if (!cfg)
        return fail(MK_ENOMEM, "no memory for the settings");
    cfg_set_error_function(cfg, complain);
    for (size_t i = 0; i < CONFIG_COUNT; i++)
        if (ranges[i].set)
            cfg_set_validate_func(cfg, options[i].name, check_range);
    if ((rc = read_file(cfg, source->file)) == 0 &&
        (rc = read_flags(cfg, source->flag)) == 0)
        rc = copy(cfg, ret_config);
    cfg_free(cfg);
    return rc;
}

void config_done(struct config *config)
{
#define FREE_TEXT(id, ...) free(config->id);
#define FREE_NONE(...)
    CONFIG_SETTINGS(FREE_TEXT, FREE_NONE, FREE_NONE)
    *config = (struct config){0};
}

struct limits config_limits(const struct config *config)
{
    return (struct limits){
        .predict_body = config->predict_body,
        .json_body = config->json_body,
        .batch = config->batch,
        .image_side = config->image_side,
        .image_pixels = config->image_pixels,
        .queue = config->queue,
        .connections = config->connections,
        .connections_per_ip = config->connections_per_ip,
        .request_seconds = config->request_seconds,
        .idle_seconds = config->idle_seconds,
        .rate = {[POLICY_PREDICT] = config->rate_predict,
                 [POLICY_ENROLL] = config->rate_enroll,
                 [POLICY_ERASE] = config->rate_erase,
                 [POLICY_ACCESS] = config->rate_access,
                 [POLICY_RESTRICT] = config->rate_restrict,
                 [POLICY_AUDIT] = config->rate_audit,
                 [POLICY_ADMIN] = config->rate_admin,
                 [POLICY_ADDRESS] = config->rate_address,
                 [POLICY_UNAUTHORIZED] = config->rate_unauthorized},
        .rate_window = config->rate_window,
    };
}

static const char *path_or_null(const char *text)
{
    return *text ? text : NULL;
}

struct state_options config_state(const struct config *config)
{
    return (struct state_options){
        .folder = config->state,
        .keyring_mirror = path_or_null(config->keyring_mirror),
        .log_key = path_or_null(config->log_key),
        .receipt_key = path_or_null(config->receipt_key),
        .log_time_granularity = config->log_time_granularity,
    };
}

struct courier_options config_courier(const struct config *config)
{
    return (struct courier_options){
        .ca_file = path_or_null(config->callback_ca),
        .seconds = config->callback_seconds,
    };
}
