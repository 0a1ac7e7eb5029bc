#!/usr/bin/env bash
# Runs what authz can say of policies and of a change to them. Everything is run, whatever failed before; exits 1 if anything did.
# Annotations go to the log, everything else to the summary. What policies say is never taken for a command of the workflow.
set -uo pipefail

scratch=$(mktemp -d "${RUNNER_TEMP:-/tmp}/policies.XXXXXX")
report="$scratch/report.md"
rows="$scratch/rows.md"
token="stop-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
failed=0
touch "$report" "$rows"

# shown FILE: print a file that may say anything; the runner obeys no line of it.
shown() {
  [ -s "$1" ] || return 0
  echo "::stop-commands::$token"
  cat "$1"
  echo
  echo "::$token::"
}

# step NAME FORM COMMAND...: run a command; FORM says what its output is: annotations for the log, or markdown for the summary.
step() {
  local name=$1 form=$2 status=0
  shift 2
  echo "::group::authz $name"
  "$@" >"$scratch/out" 2>"$scratch/err" || status=$?
  if [ "$form" = annotations ]; then cat "$scratch/out"; else shown "$scratch/out"; fi
  shown "$scratch/err"
  echo "::endgroup::"
  if [ "$status" = 0 ]; then
    echo "| $name | passed |" >>"$rows"
  else
    echo "| $name | **failed** (exit $status) |" >>"$rows"
    failed=1
  fi
  if [ "$form" = markdown ] && [ -s "$scratch/out" ]; then
    { echo; echo "### authz $name"; echo; cat "$scratch/out"; } >>"$report"
  fi
}

# has_base: make sure that the commit to compare with is here; a shallow checkout does not have it.
has_base() {
  case "$BASE" in -*) return 1 ;; esac # an option of git fetch can run commands
  git cat-file -e "$BASE^{commit}" 2>/dev/null || git fetch --quiet --depth=1 origin "$BASE" 2>/dev/null
}

# comment FILE: make or renew the one comment of this action; a token that may not is told and fails nothing.
comment() {
  local known
  known=$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" \
    --jq '.[] | select(.user.type == "Bot" and (.body | startswith("<!-- authz policies -->"))) | .id' 2>/dev/null | head -n 1)
  if [ -n "$known" ]; then
    gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$known" --field "body=@$1" >/dev/null
  else
    gh api --method POST "repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments" --field "body=@$1" >/dev/null
  fi || echo "::warning::the pull request was not commented on: it needs pull-requests: write, which forks do not have"
}

[ "$LINT" = true ] && lint=(--lint --strict) || lint=()
step check annotations authz check "${lint[@]}" --output github -- "$POLICIES"
[ "$FORMAT" = true ] && step fmt text authz fmt --diff --check -- "$POLICIES"
step test annotations authz test --coverage --fail-under "$FAIL_UNDER" --output github -- "$POLICIES"
if [ -n "$BASE" ]; then
  case "$FAIL_ON" in
    change) fail=(--fail-on-change) ;;
    widen) fail=(--fail-on-widen) ;;
    *) fail=() ;;
  esac
  more=()
  [ -n "$RECORDS" ] && more=(--records "$RECORDS")
  if has_base; then
    step diff markdown authz diff --policies "$POLICIES" --output markdown "${fail[@]}" "${more[@]}" -- "$BASE"
  else
    echo "::error::$(printf %s "$BASE" | tr -d '\r\n') can't be fetched, and nothing was compared"
    echo "| diff | **failed** (no base) |" >>"$rows"
    failed=1
  fi
fi
[ -n "$RECORDS" ] && step replay markdown authz replay --policies "$POLICIES" --output markdown -- "$RECORDS"

summary="$scratch/summary.md"
{ echo "## Policies"; echo; echo "| | |"; echo "|---|---|"; cat "$rows" "$report"; } >"$summary"
head -c 1000000 "$summary" >>"$GITHUB_STEP_SUMMARY"
if [ "$COMMENT" = true ] && [ -n "$PULL_REQUEST" ]; then
  # No name in a policy may call somebody, and a comment holds 65 536 characters.
  { echo "<!-- authz policies -->"; sed 's/@/@\xe2\x80\x8b/g' "$summary"; } | head -c 60000 >"$scratch/comment.md"
  comment "$scratch/comment.md"
fi
exit "$failed"
