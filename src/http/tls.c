/* SPDX-License-Identifier: Apache-2.0 */

#include "http/tls.h"

#include "util/text.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>

struct tls {
        SSL_CTX *context;
};

struct tls *tls_free(struct tls *t)
{
        if (!t)
                return NULL;
        SSL_CTX_free(t->context);
        free(t);
        return NULL;
}

/* The oldest error in OpenSSL's queue is the cause; the later ones only say who passed it on. */
static int fail(struct fault *f, const char *what, const char *path)
{
        unsigned long code = ERR_get_error();
        const char *reason = ERR_reason_error_string(code);

        ERR_clear_error();
        return fault_set(f, FAULT_INVALID, NULL, "cannot use %s \"%s\": %s", what, path,
                         reason                   ? reason
                         : ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
                                                  : "unknown error");
}

static int load(SSL_CTX *context, const struct listen_options *o, struct fault *f)
{
        const char *key = o->key ? o->key : o->certificate;

        if (SSL_CTX_use_certificate_chain_file(context, o->certificate) != 1)
                return fail(f, "certificate", o->certificate);
        if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
                return fail(f, "key", key);
        if (SSL_CTX_check_private_key(context) != 1)
                return fail(f, "key", key);
        if (!o->client_ca)
                return 0;
        if (SSL_CTX_load_verify_file(context, o->client_ca) != 1)
                return fail(f, "client CA", o->client_ca);
        SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(o->client_ca));
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        return 0;
}

/*
 * Resumption is off where clients are known by certificate: a ticket would carry
 * the identity past a change of the CA.  Renegotiation, compression and buffers
 * of idle connections cost more than they give.
 */
static void harden(SSL_CTX *context, bool client_certificates)
{
        (void) SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
        SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                             SSL_OP_CIPHER_SERVER_PREFERENCE);
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
        (void) SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
        if (!client_certificates)
                return;
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        (void) SSL_CTX_set_num_tickets(context, 0);
        (void) SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

int tls_new(const struct listen_options *o, struct tls **ret, struct fault *f)
{
        _cleanup_(tls_freep) struct tls *t = calloc(1, sizeof *t);
        int r;

        if (!t)
                return fault_oom(f);
        t->context = SSL_CTX_new(TLS_server_method());
        if (!t->context)
                return fault_oom(f);
        harden(t->context, o->client_ca);
        r = load(t->context, o, f);
        if (r < 0)
                return r;
        *ret = TAKE(t);
        return 0;
}

struct bufferevent *tls_accept(struct tls *t, struct event_base *base, int fd)
{
        SSL *ssl = SSL_new(t->context);
        struct bufferevent *socket;

        if (!ssl)
                return NULL;
        socket = bufferevent_openssl_socket_new(base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                                BEV_OPT_CLOSE_ON_FREE);
        if (!socket)
                SSL_free(ssl);
        return socket;
}

static int add_name(struct peer *peer, const GENERAL_NAME *name)
{
        static const char *const kinds[] = { [GEN_DNS] = "dns", [GEN_URI] = "uri", [GEN_EMAIL] = "email" };
        int type;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
        const char *bytes;
        size_t n;

        if (type < 0 || (size_t) type >= ARRAY_SIZE(kinds) || !kinds[type])
                return 0;
        bytes = (const char *) ASN1_STRING_get0_data(value);
        n = (size_t) ASN1_STRING_length(value);
        /* A NUL in it is an old way to be taken for somebody else. */
        if (n == 0 || memchr(bytes, '\0', n))
                return 0;
        return strv_addf(&peer->names, "%s:%.*s", kinds[type], (int) n, bytes);
}

static int read_names(X509 *certificate, struct peer *peer)
{
        GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
        int r = 0;

        for (int i = 0; r == 0 && i < sk_GENERAL_NAME_num(names); i++)
                r = add_name(peer, sk_GENERAL_NAME_value(names, i));
        GENERAL_NAMES_free(names);
        ERR_clear_error();
        return r;
}

int tls_peer_certificate(struct bufferevent *socket, struct peer *peer)
{
        SSL *ssl = bufferevent_openssl_get_ssl(socket);
        X509 *certificate = SSL_get0_peer_certificate(ssl);
        unsigned char digest[32];
        unsigned len = sizeof digest;

        if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK)
                return 0;
        if (X509_digest(certificate, EVP_sha256(), digest, &len) != 1)
                return -ENOMEM;
        for (size_t i = 0; i < sizeof digest; i++) {
                peer->certificate[2 * i] = "0123456789abcdef"[digest[i] >> 4];
                peer->certificate[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
        }
        return read_names(certificate, peer);
}

void tls_goodbye(struct bufferevent *socket)
{
        (void) SSL_shutdown(bufferevent_openssl_get_ssl(socket));
        ERR_clear_error();
}
