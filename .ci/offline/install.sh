#!/bin/sh
# Installs chaingraph from this folder, without a network: ./install.sh [FOLDER]. PYTHON names another interpreter.
exec "${PYTHON:-python3}" "$(dirname "$0")/install.py" "$@"
