#!/usr/bin/env bash
# Checks what the compiler does not: the format of every Swift file, and that no target imports what it does not name.
#
# Config/check.sh [format|imports]; both without an argument.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
what="${1:-all}"

case "$what" in all | format)
    swift format lint --strict --parallel --recursive --configuration Config/swift-format.json \
        Package.swift Sources Tests
    echo "The format is in order."
    ;;
esac

case "$what" in all | imports)
    # A folder of its own: another flag for the same build folder would build every dependency again.
    swift build --scratch-path .build-check --build-tests --explicit-target-dependency-import-check error
    echo "The imports are in order."
    ;;
esac
