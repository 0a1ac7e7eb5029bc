#!/usr/bin/env bash
# Installs authz of the same commit as this action, with the libraries that its lock names, and puts it on the path of later steps.
set -euo pipefail
source="$GITHUB_ACTION_PATH/../../.."
environment="$RUNNER_TEMP/authz"
"$PYTHON" -m venv "$environment"
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check --constraint <(grep -oE '^[A-Za-z0-9._-]+==[^ ;\\]+' "$source/requirements.lock") "$source[replay]"
echo "$environment/bin" >> "$GITHUB_PATH"
