/* SPDX-License-Identifier: Apache-2.0 */

/* Digests on OpenSSL's EVP, and the two ways to write their bytes down. */

#include "util/digest.h"

#include <openssl/evp.h>

#define SHA256_LEN 32

/* The only way this fails is that EVP finds no memory. */
static int sha256(const void *bytes, size_t n, unsigned char ret[static SHA256_LEN])
{
        unsigned len = 0;

        if (EVP_Digest(bytes, n, ret, &len, EVP_sha256(), NULL) != 1 || len != SHA256_LEN)
                return -ENOMEM;
        return 0;
}

int digest_hex(const void *bytes, size_t n, char ret[static DIGEST_HEX_LEN + 1])
{
        static const char digits[] = "0123456789abcdef";
        unsigned char sum[SHA256_LEN];
        int r = sha256(bytes, n, sum);

        if (r < 0)
                return r;
        for (size_t i = 0; i < SHA256_LEN; i++) {
                ret[2 * i] = digits[sum[i] >> 4];
                ret[2 * i + 1] = digits[sum[i] & 15];
        }
        ret[DIGEST_HEX_LEN] = '\0';
        return 0;
}

int digest_base64url(const void *bytes, size_t n, char ret[static DIGEST_BASE64URL_LEN + 1])
{
        _cleanup_text_ struct text t = { 0 };
        unsigned char sum[SHA256_LEN];
        int r = sha256(bytes, n, sum);

        if (r < 0)
                return r;
        base64url_add(&t, sum, sizeof sum);
        if (!text_ok(&t))
                return -ENOMEM;
        memcpy(ret, t.data, DIGEST_BASE64URL_LEN + 1);
        return 0;
}

void base64url_add(struct text *t, const void *bytes, size_t n)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        const unsigned char *p = bytes;

        for (size_t i = 0; i < n; i += 3) {
                size_t left = n - i;
                uint32_t group = (uint32_t) p[i] << 16;

                if (left > 1)
                        group |= (uint32_t) p[i + 1] << 8;
                if (left > 2)
                        group |= p[i + 2];
                text_addc(t, digits[group >> 18]);
                text_addc(t, digits[group >> 12 & 63]);
                if (left > 1)
                        text_addc(t, digits[group >> 6 & 63]);
                if (left > 2)
                        text_addc(t, digits[group & 63]);
        }
}
