/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon: starts its parts in order, serves until a signal, closes them in reverse.
 */
#include <argp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "api/courier.h"
#include "api/http.h"
#include "api/journal.h"
#include "api/receivers.h"
#include "api/reload.h"
#include "api/tls.h"
#include "core/err.h"
#include "daemon/config.h"
#include "daemon/model_file.h"
#include "daemon/residual.h"

const char *argp_program_version = "munkeyd " PACKAGE_VERSION;

/* What runs.  Parts that have not started are NULL. */
struct running {
    struct config config;
    struct model *model;
    char *residual;
    struct service service;
    struct receivers *receivers;
    struct http *http;
    struct courier *courier;
};

/* The kernel shows neither memory nor a core dump of this process to others of its user.
 */
static void hide_memory(void)
{
    if (prctl(PR_SET_DUMPABLE, 0) < 0)
        journal_say(LOG_WARNING,
                    "this system lets other processes of this user read my memory: %m");
}

/* No limit, or the capability that lifts it (mlockall(2)). */
static bool may_lock_all(void)
{
    struct rlimit limit;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY)
        return true;
    return syscall(SYS_capget, &header, data) == 0 &&
           data[0].effective & 1u << CAP_IPC_LOCK;
}

/* Keys are in the bank, which locks its own pages as far as it may, and for moments in stacks,
 * activations and buffers of libraries.  Each page is locked when it is first used: most of what
 * is mapped never is.  Under a limit this would make later allocations fail. */
static void lock_memory(void)
{
    if (!may_lock_all() || mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
        journal_say(
            LOG_NOTICE,
            "not all memory is locked into RAM, and what is computed from keys "
            "could reach the swap: set LimitMEMLOCK to infinity, or turn swap off");
}

static pthread_t main_thread;

static void hand_on(int number)
{
    pthread_kill(main_thread, number);
}

/* Blocked before there are threads of ours, so that all of them inherit it.  OpenBLAS
 * starts its own before main(), which block nothing: unless they handed it on, a signal
 * that comes while this thread is not in sigwait() would end the process. */
static sigset_t block_signals(void)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = hand_on, .sa_flags = SA_RESTART};
    sigset_t signals;

    main_thread = pthread_self();
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaddset(&signals, numbers[i]);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signals;
}

static int start_bank(struct running *running)
{
    struct service *service = &running->service;
    const long capacity = running->config.capacity;

    service->bank = memory_new(model_info(running->model)->key_dim, capacity);
    if (!service->bank)
        return fail(MK_ENOMEM, "no memory for %ld instances; lower the setting capacity",
                    capacity);
    return 0;
}

static int start_state(struct running *running)
{
    const struct config *config = &running->config;
    struct state_options options = config_state(config);
    struct service *service = &running->service;
    int rc;

    if (!state_is_initialised(config->state))
        return fail(MK_EREFUSED,
                    "%s has no log/checkpoint; put it back, or make a new folder: "
                    "munkeyctl init --state %s --model %s",
                    config->state, config->state, config->model);
    options.scrub = http_wipe;
    options.scrub_context = service;
    if ((rc = state_open(&options, model_info(running->model), service->model_sha256,
                         service->bank, true, &service->state)) < 0)
        return rc;
    if (state_warning(service->state))
        journal_say(LOG_WARNING, "%s", state_warning(service->state));
    return tokens_open(config->state, &service->tokens);
}

/* Personal data and tokens go where others could read them. */
static void warn_of_plain_text(const struct config *config)
{
    if (strncmp(config->address, "127.", 4) != 0 && strcmp(config->address, "::1") != 0)
        journal_say(
            LOG_WARNING,
            "%s is reached without TLS: set tls_certificate and tls_key, or keep to the "
            "loopback behind a proxy that speaks TLS",
            config->address);
}

static int start_tls(struct running *running)
{
    const struct config *config = &running->config;

    if (!*config->tls_certificate != !*config->tls_key)
        return fail(MK_EINPUT, "tls_certificate and tls_key need each other: set both");
    if (*config->tls_key)
        return tls_open(config->tls_certificate, config->tls_key, &running->service.tls);
    warn_of_plain_text(config);
    return 0;
}

/* Connections of strangers must not take the files that a change needs, whose commit could then not be
 * finished.  The operator's socket has as many as the public one, and so have metrics. */
static int reserve_files(const struct config *config)
{
    enum { OTHERS = 64 };
    const rlim_t listeners = *config->metrics_address ? 3 : 2,
                 wanted = listeners * (rlim_t)config->connections + OTHERS;
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur >= wanted)
        return 0;
    files.rlim_cur = wanted;
    return wanted <= files.rlim_max && setrlimit(RLIMIT_NOFILE, &files) == 0
               ? 0
               : fail(MK_EINPUT,
                      "%ld connections need %ju open files: raise their limit "
                      "(LimitNOFILE of the unit, ulimit -n), or lower connections",
                      (long)config->connections, (uintmax_t)wanted);
}

static int start_http(struct running *running)
{
    const struct config *config = &running->config;
    char admin_socket[4096];
    struct http_options options = {
        .address = config->address,
        .port = config->port,
        .listen_fd = sd_listen_fds(0) > 0 ? SD_LISTEN_FDS_START : -1,
        .admin_socket = admin_socket,
        .metrics_address = *config->metrics_address ? config->metrics_address : NULL,
        .metrics_port = config->metrics_port,
        .predict_threads = config->predict_threads,
    };

    snprintf(admin_socket, sizeof admin_socket, "%s/control.sock", config->state);
    running->service.limits = config_limits(config);
    running->service.public_log = config->public_log;
    return http_start(&options, &running->service, &running->http);
}

static int start_journal(const struct config *config)
{
    return journal_open(
        &(struct journal_options){.form = config->log, .requests = config->log_requests});
}

/* Not a reason to refuse to serve. */
static void start_residual(struct running *running)
{
    if (residual_load(running->config.model, running->service.model_sha256,
                      &running->residual) < 0)
        journal_say(LOG_WARNING, "GET /version serves no verdict of an audit: %s",
                    err_why());
    running->service.residual = running->residual;
}

/* Without receivers there is nobody to send to, unless some wait from before. */
static int start_courier(struct running *running)
{
    const struct courier_options options = config_courier(&running->config);
    struct state_status status;

    state_status(running->service.state, &status);
    if (receivers_count(running->receivers) == 0 && status.callbacks == 0)
        return 0;
    return courier_start(&options, &running->service, &running->courier);
}

/* In this order; stop() closes in reverse. */
static int start(const struct config_source *source, struct running *running)
{
    int rc;

    if ((rc = config_load(source, &running->config)) < 0 ||
        (rc = start_journal(&running->config)) < 0 ||
        (rc = receivers_parse(running->config.callback_allow, &running->receivers)) < 0 ||
        (rc = model_file_load(running->config.model, &running->model,
                              running->service.model_sha256)) < 0)
        return rc;
    running->service.model = running->model;
    running->service.receivers = running->receivers;
    start_residual(running);
    if ((rc = reserve_files(&running->config)) < 0 || (rc = start_tls(running)) < 0 ||
        (rc = start_bank(running)) < 0 || (rc = start_state(running)) < 0 ||
        (rc = start_http(running)) < 0)
        return rc;
    return start_courier(running);
}

static void announce(const struct running *running)
{
    struct state_status status;

    state_status(running->service.state, &status);
    journal_say(LOG_INFO, "model %s, %ju instances, log of %ju entries",
                model_info(running->service.model)->name, (uintmax_t)status.instances,
                (uintmax_t)status.entries);
    journal_say(LOG_INFO, "listening on %s port %u", running->config.address,
                (unsigned)http_port(running->http));
    if (http_metrics_port(running->http))
        journal_say(LOG_INFO, "metrics on %s port %u", running->config.metrics_address,
                    (unsigned)http_metrics_port(running->http));
    sd_notifyf(0, "READY=1\nSTATUS=Serving %ju instances on port %u.",
               (uintmax_t)status.instances, (unsigned)http_port(running->http));
}

static void reload(struct running *running)
{
    sd_notify(0, "RELOADING=1");
    service_reload(&running->service);
    sd_notify(0, "READY=1");
}

static void wait_for_end(struct running *running, const sigset_t *signals)
{
    static const struct timespec day = {.tv_sec = 86400};
    int number;

    do {
        service_check_certificate(&running->service);
        while ((number = sigtimedwait(signals, NULL, &day)) == SIGHUP)
            reload(running);
    } while (number < 0);
    sd_notify(0, "STOPPING=1");
    journal_say(LOG_INFO, "stopping: answering what was asked");
}

static void stop(struct running *running)
{
    courier_stop(running->courier);
    if (running->http) {
        http_drain(running->http);
        http_stop(running->http);
    }
    state_close(running->service.state);
    tokens_close(running->service.tokens);
    tls_close(running->service.tls);
    memory_free(running->service.bank);
    model_free(running->model);
    free(running->residual);
    receivers_free(running->receivers);
    config_done(&running->config);
}

/* 78 tells systemd that starting again would not help. */
static int exit_status(int rc)
{
    return rc == MK_EREFUSED || rc == MK_EINPUT ? EX_CONFIG : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    const struct argp_child children[] = {{&config_argp, 0, "Settings:", 0}, {0}};
    const struct argp argp = {.doc = "Serves predictions from a memory that can forget.",
                              .children = children};
    struct config_source source = {0};
    struct running running = {0};
    int rc;

    journal_open(&(struct journal_options){.form = "auto"});
    hide_memory();
    lock_memory();
    argp_parse(&argp, argc, argv, 0, NULL, &source);
    const sigset_t signals = block_signals();
    if ((rc = start(&source, &running)) == 0) {
        announce(&running);
        wait_for_end(&running, &signals);
    } else {
        journal_say(LOG_ERR, "%s", err_why());
    }
    stop(&running);
    return rc < 0 ? exit_status(rc) : EXIT_SUCCESS;
}
