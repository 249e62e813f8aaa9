/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: read, checked, handed to connections, replaced while they are in use. */
#include "api/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"

enum { FILE_MAX = 1 << 20, WARN_DAYS = 30, DAY = 86400 };

/* Keys that are forgotten with the connection, and ciphers that notice every change: whoever records
 * what is sent about a person, and gets the key later, reads nothing.  X25519 first, which is what
 * clients guess: another group costs them a round trip. */
const char tls_priorities[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:"
    "-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"
    "-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:"
    "-MAC-ALL:+AEAD:"
    "-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:"
    "%SERVER_PRECEDENCE";

struct certificate {
    _Atomic unsigned users;
    gnutls_certificate_credentials_t credentials;
    int64_t begins, ends; /* Unix seconds */
};

struct tls {
    char *certificate_file, *key_file;
    pthread_mutex_t mutex; /* of present */
    struct certificate *present;
};

/* ---- wiping ---- */

/* Requests and replies pass through buffers of GnuTLS, which frees them as they are: ids, images and
 * provenance of an erased person were found in them. */
static void wipe_and_free(void *memory)
{
    if (memory)
        explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

/* ---- files ---- */

/* A key that others may read is no secret; one that a group may, such as Debian's ssl-cert, is. */
static int check_file(int fd, const char *path, bool secret)
{
    struct stat status;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size > FILE_MAX)
        return fail(MK_EINPUT, "%s is no PEM file of at most 1 MiB", path);
    if (secret && status.st_mode & S_IRWXO)
        return fail(MK_EINPUT,
                    "%s is a private key that every user of this machine may read: "
                    "chmod o= it, and better make a new one",
                    path);
    return 0;
}

static int fail_to_read(const char *path)
{
    return fail(MK_EINPUT, "cannot read %s: %s", path, strerror(errno));
}

/* The caller wipes and frees ret_text->data. */
static int read_text(int fd, const char *path, gnutls_datum_t *ret_text)
{
    unsigned char *text = malloc(FILE_MAX);
    ssize_t len = text ? read(fd, text, FILE_MAX) : 0;
    if (len <= 0) {
        free(text);
        return text && len < 0 ? fail_to_read(path)
                               : fail(MK_EINPUT, "%s is empty", path);
    }
    *ret_text = (gnutls_datum_t){text, (unsigned)len};
    return 0;
}

static int read_pem(const char *path, bool secret, gnutls_datum_t *ret_text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail_to_read(path);
    int rc = check_file(fd, path, secret);
    if (rc == 0)
        rc = read_text(fd, path, ret_text);
    close(fd);
    return rc;
}

/* ---- certificates ---- */

void certificate_release(struct certificate *certificate)
{
    if (!certificate || --certificate->users > 0)
        return;
    if (certificate->credentials)
        gnutls_certificate_free_credentials(certificate->credentials);
    free(certificate);
}

/* From when to when: of the chain's first, which is the server's own. */
static int read_dates(struct certificate *certificate, const gnutls_datum_t *chain)
{
    gnutls_x509_crt_t own;
    int rc = gnutls_x509_crt_init(&own);
    if (rc < 0)
        return rc;
    if ((rc = gnutls_x509_crt_import(own, chain, GNUTLS_X509_FMT_PEM)) == 0) {
        certificate->begins = gnutls_x509_crt_get_activation_time(own);
        certificate->ends = gnutls_x509_crt_get_expiration_time(own);
    }
    gnutls_x509_crt_deinit(own);
    return rc;
}

/* Also compares the key with the certificate. */
static int fill(struct certificate *certificate, const gnutls_datum_t *chain,
                const gnutls_datum_t *key)
{
    int rc = gnutls_certificate_allocate_credentials(&certificate->credentials);
    if (rc == 0)
        rc = gnutls_certificate_set_x509_key_mem2(certificate->credentials, chain, key,
                                                  GNUTLS_X509_FMT_PEM, NULL, 0);
    return rc < 0 ? rc : read_dates(certificate, chain);
}

static int make_certificate(const struct tls *tls, const gnutls_datum_t *chain,
                            const gnutls_datum_t *key,
                            struct certificate **ret_certificate)
{
    struct certificate *certificate = calloc(1, sizeof *certificate);
    if (!certificate)
        return fail(MK_ENOMEM, "no memory for a certificate");
    certificate->users = 1;
    int rc = fill(certificate, chain, key);
    if (rc < 0) {
        certificate_release(certificate);
        return fail(MK_EINPUT, "%s and %s are no certificate with its key, in PEM: %s",
                    tls->certificate_file, tls->key_file, gnutls_strerror(rc));
    }
    *ret_certificate = certificate;
    return 0;
}

static int load(const struct tls *tls, struct certificate **ret_certificate)
{
    gnutls_datum_t chain = {0}, key = {0};
    int rc = read_pem(tls->certificate_file, false, &chain);
    if (rc == 0)
        rc = read_pem(tls->key_file, true, &key);
    if (rc == 0)
        rc = make_certificate(tls, &chain, &key, ret_certificate);
    wipe_and_free(key.data);
    free(chain.data);
    return rc;
}

static struct certificate *hold(struct tls *tls)
{
    pthread_mutex_lock(&tls->mutex);
    struct certificate *certificate = tls->present;
    certificate->users++;
    pthread_mutex_unlock(&tls->mutex);
    return certificate;
}

struct certificate *tls_attach(struct tls *tls, void *session)
{
    struct certificate *certificate = hold(tls);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, certificate->credentials);
    return certificate;
}

static int give_none(gnutls_session_t session, const gnutls_datum_t *authorities, int n,
                     const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
                     gnutls_pcert_st **ret_chain, unsigned *ret_n,
                     gnutls_privkey_t *ret_key)
{
    (void)session, (void)authorities, (void)n, (void)algorithms, (void)n_algorithms;
    (void)ret_chain, (void)ret_n, (void)ret_key;
    return GNUTLS_E_MEMORY_ERROR;
}
void *const tls_none = (void *)give_none;

/* ---- the whole ---- */

int tls_open(const char *certificate, const char *key, struct tls **ret_tls)
{
    struct tls *tls = calloc(1, sizeof *tls);
    if (!tls || !(tls->certificate_file = strdup(certificate)) ||
        !(tls->key_file = strdup(key))) {
        tls_close(tls);
        return fail(MK_ENOMEM, "no memory for a certificate");
    }
    gnutls_free = wipe_and_free;
    pthread_mutex_init(&tls->mutex, NULL);
    int rc = load(tls, &tls->present);
    if (rc < 0)
        tls_close(tls);
    else
        *ret_tls = tls;
    return rc;
}

int tls_reload(struct tls *tls)
{
    struct certificate *fresh = NULL;
    int rc = load(tls, &fresh);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&tls->mutex);
    struct certificate *old = tls->present;
    tls->present = fresh;
    pthread_mutex_unlock(&tls->mutex);
    certificate_release(old);
    return 0;
}

void tls_close(struct tls *tls)
{
    if (!tls)
        return;
    certificate_release(tls->present);
    free(tls->certificate_file);
    free(tls->key_file);
    free(tls);
}

const char *tls_warning(struct tls *tls, int64_t now, char ret_text[static TLS_WARNING])
{
    struct certificate *certificate = hold(tls);
    const int64_t begins = certificate->begins, left = certificate->ends - now;
    certificate_release(certificate);
    if (left <= 0)
        snprintf(ret_text, TLS_WARNING,
                 "the certificate expired %jd days ago, and clients refuse it",
                 (intmax_t)(-left / DAY));
    else if (now < begins)
        snprintf(ret_text, TLS_WARNING,
                 "the certificate is not valid yet, and clients refuse it");
    else if (left < WARN_DAYS * (int64_t)DAY)
        snprintf(ret_text, TLS_WARNING, "the certificate expires in %jd days",
                 (intmax_t)(left / DAY));
    else
        return NULL;
    return ret_text;
}
