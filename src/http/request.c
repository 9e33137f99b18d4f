/* SPDX-License-Identifier: Apache-2.0 */

#include "http/request.h"

#include <strings.h>

const char *http_header(const struct http_request *r, const char *name)
{
        for (size_t i = 0; i < r->n_headers; i++)
                if (strcasecmp(r->headers[i].name, name) == 0)
                        return r->headers[i].value;
        return NULL;
}

const char *http_param(const struct http_request *r, const char *name)
{
        for (size_t i = 0; i < r->n_params; i++)
                if (streq(r->params[i].name, name))
                        return r->params[i].value;
        return NULL;
}
