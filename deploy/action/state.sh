#!/usr/bin/env bash
# The state of a bot without a server: one commit on an orphan branch of the repository that is checked out here.
#   state.sh fetch FOLDER   brings it into a folder that is not there yet
#   state.sh keep FOLDER    writes the folder back, replacing what was there
# $STATE_TOKEN may push there. It reaches git through its environment: nothing of it stays in the checkout.
set -euo pipefail
what=$1 folder=$2 branch=${STATE_BRANCH:-refit-state} remote=${STATE_REMOTE:-origin}
index=$(mktemp -u)
trap 'rm -f "$index"' EXIT

if [ -n "${STATE_TOKEN:-}" ]; then
  # The empty one takes back what a checkout may have kept: GitHub refuses two.
  header="http.$GITHUB_SERVER_URL/.extraheader"
  login=$(printf 'x-access-token:%s' "$STATE_TOKEN" | base64 | tr -d '\n')
  export GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_0=$header GIT_CONFIG_VALUE_0= GIT_CONFIG_KEY_1=$header
  export GIT_CONFIG_VALUE_1="AUTHORIZATION: basic $login"
fi

fetch() {
  mkdir -p -m 700 "$folder"
  if ! git ls-remote --exit-code --quiet "$remote" "refs/heads/$branch" > /dev/null; then
    echo "no state yet: the first run makes it"
    return
  fi
  git fetch --quiet --depth 1 "$remote" "+refs/heads/$branch:refs/refit/state"
  GIT_INDEX_FILE=$index git --work-tree="$folder" read-tree refs/refit/state
  GIT_INDEX_FILE=$index git --work-tree="$folder" checkout-index --all --force
}

keep() {
  # What a cache can give back, and what only counts while a process runs, is no state.
  rm -rf "$folder"/trivy "$folder"/mirrors "$folder"/work "$folder"/lease.*
  # The write-ahead log goes into the database: the file alone must be whole.
  if [ -f "$folder/refit.sqlite3" ]; then
    python3 -c 'import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
database.execute("PRAGMA journal_mode=DELETE")' "$folder/refit.sqlite3"
  fi
  GIT_INDEX_FILE=$index git --work-tree="$folder" add --all --force .
  local tree commit who=(-c user.name=refit -c user.email=refit@users.noreply.github.com)
  tree=$(GIT_INDEX_FILE=$index git write-tree)
  # One commit without a parent, every time: history would keep what was cleaned up, for ever.
  commit=$(git "${who[@]}" commit-tree "$tree" -m "State of $(date -u +%Y-%m-%dT%H:%MZ)")
  git push --quiet --force "$remote" "$commit:refs/heads/$branch"
}

case $what in
  fetch) fetch ;;
  keep) keep ;;
  *) echo "state.sh fetch|keep FOLDER" >&2; exit 2 ;;
esac
