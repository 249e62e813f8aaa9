/* SPDX-License-Identifier: Apache-2.0 */
/* TLS 1.2 and 1.3, in the GnuTLS that libmicrohttpd has; the only file that includes gnutls.
 *
 *     rc = tls_open("fullchain.pem", "privkey.pem", &tls);
 *     certificate = tls_attach(tls, session);         a connection begins
 *     tls_reload(tls);                                 new ones get what the files hold now
 *     certificate_release(certificate);                the connection is gone
 *
 * Each connection keeps the certificate that it began with: a reload disturbs none.
 */
#ifndef MUNKEY_API_TLS_H
#define MUNKEY_API_TLS_H

#include <stddef.h>
#include <stdint.h>

struct tls;         /* opaque; safe for many threads */
struct certificate; /* opaque: a chain and its key, as long as a connection uses them */

/* What is offered, for libmicrohttpd: GnuTLS's priority string. */
extern const char tls_priorities[];

/* libmicrohttpd's MHD_OPTION_HTTPS_CERT_CALLBACK: gives none.  It is asked for a connection alone that
 * there was no memory for, all others have theirs from tls_attach(). */
extern void *const tls_none;

/* PEM files: the chain, the server's own certificate first, and its key.  MK_EINPUT with what to
 * change.  Has GnuTLS wipe all memory that it frees from here on, in the whole process. */
int tls_open(const char *certificate, const char *key, struct tls **ret_tls);
int tls_reload(struct tls *tls); /* on failure the old certificate stays */
void tls_close(struct tls *tls);

/* Gives a new connection's gnutls_session_t the present certificate. */
struct certificate *tls_attach(struct tls *tls, void *session);
void certificate_release(struct certificate *certificate);

/* A sentence about a certificate that is not valid now or ends within 30 days; or NULL.  now: Unix
 * seconds. */
enum { TLS_WARNING = 128 };
const char *tls_warning(struct tls *tls, int64_t now, char ret_text[static TLS_WARNING]);

#endif
