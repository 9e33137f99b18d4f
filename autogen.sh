#!/bin/sh
# Makes ./configure from a checkout: autoconf, automake, libtool, pkg-config needed.
set -e
cd "$(dirname "$0")"
mkdir -p m4 build-aux
exec autoreconf --install --force
