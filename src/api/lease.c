/* SPDX-License-Identifier: Apache-2.0 */

/* Host ports, and what a spec may ask of the host: decisions before anything is written. */

#include "api/install.h"
#include "core/image.h"
#include "sys/port.h"

#include <stdio.h>

static const char *address_of(const struct daemon *d, const struct spec_port *port)
{
        return port->address[0] ? port->address : d->config->publish_address;
}

/* Two ports of one spec on the same outside? The decoder cannot know about leased ones. */
static bool used_by_sibling(const struct spec *spec, size_t self, uint16_t external)
{
        for (size_t i = 0; i < spec->n_ports; i++)
                if (i != self && spec->ports[i].external == external && spec->ports[i].udp == spec->ports[self].udp)
                        return true;
        return false;
}

static bool holds_already(const struct gear *gear, const struct spec_port *port, uint16_t external)
{
        for (size_t i = 0; gear && i < gear->n_ports; i++)
                if (gear->ports[i].external == external && gear->ports[i].udp == port->udp)
                        return true;
        return false;
}

/* The port that the gear has had for the same inside one. */
static uint16_t kept_port(const struct gear *gear, const struct spec_port *port)
{
        for (size_t i = 0; gear && i < gear->n_ports; i++)
                if (gear->ports[i].internal == port->internal && gear->ports[i].udp == port->udp)
                        return gear->ports[i].external;
        return 0;
}

static int no_such_address(size_t i, const char *address, struct fault *f)
{
        char field[48];

        (void) snprintf(field, sizeof field, "ports[%zu].address", i);
        return fault_set(f, FAULT_INVALID, field, "%s: %s is no address of this host", field, address);
}

static int refuse_held(const struct daemon *d, const struct gear *self, const struct spec *spec, size_t i, struct fault *f)
{
        const struct spec_port *port = &spec->ports[i];
        const struct gear *holder = gears_port_holder(d->gears, port->external, port->udp, address_of(d, port));
        char field[48];

        if (!holder || holder == self)
                return 0;
        (void) snprintf(field, sizeof field, "ports[%zu].external", i);
        return fault_set(f, FAULT_CONFLICT, field, "%s: port %u is held by gear %s", field, port->external, holder->id);
}

static int claim_port(const struct daemon *d, const struct gear *self, const struct spec *spec, size_t i, struct fault *f)
{
        const struct spec_port *port = &spec->ports[i];
        const char *address = address_of(d, port);
        char field[48];
        int r = refuse_held(d, self, spec, i, f);

        if (r < 0 || (self && holds_already(self, port, port->external)))
                return r;
        (void) snprintf(field, sizeof field, "ports[%zu].external", i);
        r = port_try(address, port->external, port->udp);
        if (r == -EADDRINUSE)
                return fault_set(f, FAULT_CONFLICT, field, "%s: port %u is in use by another program on this host",
                                 field, port->external);
        return r == -EADDRNOTAVAIL ? no_such_address(i, address, f) : 0;
}

static int lease_port(const struct daemon *d, const struct gear *self, struct spec *spec, size_t i, struct fault *f)
{
        const struct config *c = d->config;
        struct spec_port *port = &spec->ports[i];
        const char *address = address_of(d, port);
        uint16_t kept = kept_port(self, port);

        if (kept && !used_by_sibling(spec, i, kept)) {
                port->external = kept;
                return 0;
        }
        for (uint32_t candidate = c->port_first; candidate <= c->port_last; candidate++) {
                int r;

                if (used_by_sibling(spec, i, (uint16_t) candidate) ||
                    gears_port_holder(d->gears, (uint16_t) candidate, port->udp, address))
                        continue;
                r = port_try(address, (uint16_t) candidate, port->udp);
                if (r == -EADDRNOTAVAIL)
                        return no_such_address(i, address, f);
                if (r != 0)
                        continue;
                port->external = (uint16_t) candidate;
                return 0;
        }
        return fault_set(f, FAULT_CONFLICT, "ports", "ports[%zu]: every port of PortRange=%u-%u is taken", i,
                         c->port_first, c->port_last);
}

int install_claim(const struct daemon *d, const struct spec *spec, bool now, struct fault *f)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < spec->n_ports; i++)
                r = now ? claim_port(d, NULL, spec, i, f) : refuse_held(d, NULL, spec, i, f);
        return r;
}

int install_lease(const struct daemon *d, const char *id, struct spec *spec, struct fault *f)
{
        const struct gear *self = gears_find(d->gears, id);
        int r = 0;

        for (size_t i = 0; r == 0 && i < spec->n_ports; i++)
                if (spec->ports[i].external)
                        r = claim_port(d, self, spec, i, f);
        for (size_t i = 0; r == 0 && i < spec->n_ports; i++)
                if (!spec->ports[i].external)
                        r = lease_port(d, self, spec, i, f);
        return r;
}

/* --- what may be asked for ------------------------------------------------------------------- */

static bool below_allowed(char *const *allowed, const char *path)
{
        for (; allowed && *allowed; allowed++) {
                size_t n = strlen(*allowed);

                while (n > 1 && (*allowed)[n - 1] == '/')
                        n--;
                if (strncmp(*allowed, path, n) == 0 && (path[n] == '\0' || path[n] == '/' || n == 1))
                        return true;
        }
        return false;
}

static int check_sources(const struct daemon *d, const struct spec *spec, struct fault *f)
{
        for (size_t i = 0; i < spec->n_volumes; i++) {
                const char *source = spec->volumes[i].source;
                _cleanup_free_ char *real = NULL;
                char field[48];

                if (!source)
                        continue;
                (void) snprintf(field, sizeof field, "volumes[%zu].source", i);
                real = realpath(source, NULL); /* a symlink must not lead out of what is allowed */
                if (!real)
                        return fault_set(f, FAULT_INVALID, field, "%s: %s is not there", field, source);
                if (!below_allowed(d->config->volume_paths, real))
                        return fault_set(f, FAULT_DENIED, field, "%s: %s is not below VolumePaths=", field, source);
        }
        return 0;
}

/* The engine refuses more than the host has, and only when the gear is in place and starts. */
static int check_cpus(const struct spec *spec, struct fault *f)
{
        long online = sysconf(_SC_NPROCESSORS_ONLN);

        if (online > 0 && spec->cpu_milli > (uint64_t) online * 1000)
                return fault_set(f, FAULT_INVALID, "cpus", "cpus: this host has %ld", online);
        return 0;
}

int install_check(const struct daemon *d, const struct spec *spec, bool may_reach_host, struct fault *f)
{
        const char *field = spec_host_field(spec);
        struct image image;
        int r;

        if (field && !may_reach_host)
                return fault_set(f, FAULT_DENIED, field,
                                 "%s: reaching into the host needs the right gear.host, which no token has by default",
                                 field);
        r = image_parse(spec->image, "image", &image, f);
        if (r < 0)
                return r;
        if (!image_allowed(&image, d->config->allow_registries))
                return fault_set(f, FAULT_DENIED, "image", "image: the registry %s is not in AllowRegistries=",
                                 image.registry);
        r = check_cpus(spec, f);
        return r < 0 ? r : check_sources(d, spec, f);
}
