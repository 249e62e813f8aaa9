/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: one list names them all; the file, the flags and --help are made from it.
 *
 *     struct config_source source = {0};
 *     argp_parse(&argp, argc, argv, 0, NULL, &source);   config_argp is its child
 *     if ((rc = config_load(&source, &config)) < 0)
 *         fprintf(stderr, "munkeyd: %s\n", err_why());
 *     ...
 *     config_done(&config);
 *
 * A flag wins over the file, the file over the default.  An unknown setting is refused.
 */
#ifndef MUNKEY_DAEMON_CONFIG_H
#define MUNKEY_DAEMON_CONFIG_H

#include <argp.h>
#include <stdbool.h>

#include "api/courier.h"
#include "api/service.h"
#include "storage/state.h"

#define CONFIG_RATE(NUMBER, name, flag, preset, doc)                                     \
    NUMBER(name, flag, preset, 0, 1000000000, "requests " doc "; 0: no limit")

/* TEXT(name, flag, argument, default, what it is), NUMBER(..., default, least, most,
 * ...). Every one of them is explained in systemd/munkeyd.conf. */
#define CONFIG_SETTINGS(TEXT, NUMBER, SWITCH)                                            \
    TEXT(model, "model", "FILE", MUNKEY_MODEL, "model to serve")                         \
    TEXT(state, "state", "FOLDER", MUNKEY_STATE, "state folder")                         \
    TEXT(address, "address", "IP", "127.0.0.1", "address to listen on")                  \
    NUMBER(port, "port", 8470, 0, 65535, "TCP port to listen on; 0: any free one")       \
    TEXT(metrics_address, "metrics-address", "IP", "",                                   \
         "address that serves GET /metrics; empty: none")                                \
    NUMBER(metrics_port, "metrics-port", 9470, 0, 65535,                                 \
           "its TCP port; 0: any free one")                                              \
    TEXT(log, "log", "FORM", "auto", "journal, json, text or auto")                      \
    SWITCH(log_requests, "log-requests", true, "a record of each request in the log")    \
    SWITCH(public_log, "public-log", true, "log and keys are readable without a token")  \
    TEXT(keyring_mirror, "keyring-mirror", "FILE", "", "copy of the keyring, elsewhere") \
    TEXT(log_key, "log-key", "FILE", "", "PEM file that signs the log")                  \
    TEXT(receipt_key, "receipt-key", "FILE", "", "PEM file that signs receipts")         \
    NUMBER(log_time_granularity, "log-time-granularity", 1, 1, 604800,                   \
           "seconds to which times in the log are rounded down")                         \
    TEXT(callback_allow, "callback-allow", "PREFIXES", "",                               \
         "beginnings of URLs that callbacks may go to")                                  \
    TEXT(callback_ca, "callback-ca", "FILE", "",                                         \
         "PEM file of certificates to trust there, instead of the system's")             \
    NUMBER(callback_seconds, "callback-seconds", 259200, 1, 2592000,                     \
           "how long a callback is repeated")                                            \
    NUMBER(capacity, "capacity", 1 << 20, 1, 1 << 26,                                    \
           "instances that fit into the memory")                                         \
    NUMBER(predict_threads, "predict-threads", 0, 0, 256, "0: one per core")             \
    NUMBER(predict_body, "predict-body", 8 << 20, 1 << 10, 1 << 30,                      \
           "bytes of a body of predictions or of a batch")                               \
    NUMBER(json_body, "json-body", 64 << 10, 1 << 10, 1 << 26,                           \
           "bytes of any other body")                                                    \
    NUMBER(batch, "batch", 256, 1, 10000, "images in one request")                       \
    NUMBER(image_side, "image-side", 4096, 1, 65535, "pixels, before decoding")          \
    NUMBER(image_pixels, "image-pixels", 16 << 20, 1, 1 << 28,                           \
           "pixels, before decoding")                                                    \
    NUMBER(queue, "queue", 1024, 1, 1 << 20, "predictions that wait")                    \
    NUMBER(connections, "connections", 1000, 4, 1 << 20, "open connections")             \
    NUMBER(connections_per_ip, "connections-per-ip", 256, 1, 1 << 20,                    \
           "open connections of one address")                                            \
    NUMBER(request_seconds, "request-seconds", 10, 1, 3600, "time to send a request")    \
    NUMBER(idle_seconds, "idle-seconds", 30, 1, 3600,                                    \
           "time a connection may say nothing")                                          \
    TEXT(tls_certificate, "tls-certificate", "FILE", "", "PEM file of the TLS chain")    \
    TEXT(tls_key, "tls-key", "FILE", "", "PEM file of its private key")                  \
    NUMBER(rate_window, "rate-window", 60, 1, 86400,                                     \
           "seconds in which the rates count requests")                                  \
    CONFIG_RATE(NUMBER, rate_predict, "rate-predict", 600000, "of a token that predict") \
    CONFIG_RATE(NUMBER, rate_enroll, "rate-enroll", 60000, "of a token that enroll")     \
    CONFIG_RATE(NUMBER, rate_erase, "rate-erase", 60000, "of a token that erase")        \
    CONFIG_RATE(NUMBER, rate_access, "rate-access", 6000,                                \
                "of a token that read about people")                                     \
    CONFIG_RATE(NUMBER, rate_restrict, "rate-restrict", 60000,                           \
                "of a token that restrict")                                              \
    CONFIG_RATE(NUMBER, rate_audit, "rate-audit", 6000, "of a token that audit")         \
    CONFIG_RATE(NUMBER, rate_admin, "rate-admin", 6000, "of a token that hold")          \
    CONFIG_RATE(NUMBER, rate_address, "rate-address", 0,                                 \
                "of an address without a token")                                         \
    CONFIG_RATE(NUMBER, rate_unauthorized, "rate-unauthorized", 600,                     \
                "of an address that are 401")

struct config {
#define CONFIG_TEXT(name, ...) char *name;
#define CONFIG_NUMBER(name, ...) long name;
#define CONFIG_SWITCH(name, ...) bool name;
    CONFIG_SETTINGS(CONFIG_TEXT, CONFIG_NUMBER, CONFIG_SWITCH)
#undef CONFIG_TEXT
#undef CONFIG_NUMBER
#undef CONFIG_SWITCH
};

enum config_setting {
#define CONFIG_ENUM(name, ...) CONFIG_##name,
    CONFIG_SETTINGS(CONFIG_ENUM, CONFIG_ENUM, CONFIG_ENUM)
#undef CONFIG_ENUM
        CONFIG_COUNT
};

/* Where settings come from: filled by config_argp, whose input it is.  Text is borrowed.
 */
struct config_source {
    const char *file;               /* --config; NULL: MUNKEY_CONFIG if it is there */
    const char *flag[CONFIG_COUNT]; /* as given, or NULL */
};
extern const struct argp config_argp;

/* Reads file and flags over the defaults.  MK_EINPUT with file, line and setting. */
int config_load(const struct config_source *source, struct config *ret_config);
void config_done(struct config *config);

/* What the other parts want to know of it; text is borrowed from config. */
struct limits config_limits(const struct config *config);
struct state_options config_state(const struct config *config);
struct courier_options config_courier(const struct config *config);

#endif
