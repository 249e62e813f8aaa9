#!/bin/sh
# Makes ./configure from configure.ac; needed once after a clone.
cd "$(dirname "$0")" && exec autoreconf --install --force
