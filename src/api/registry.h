/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a registry asks for before it gives out an image: from the systemd
 * credential `registry', a file in the form of docker's config.json, read anew
 * for every pull.  Never from a request.
 */

#include "util/base.h"
#include "util/fault.h"

/*
 * The X-Registry-Auth for an image's registry; NULL in *ret when the credential
 * says nothing of it or there is none.  A credential that cannot be read is a
 * fault: a pull without it would fail for a reason nobody could guess.
 */
int registry_auth(const char *image, char **ret, struct fault *f);
