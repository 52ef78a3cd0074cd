#!/usr/bin/env bash
# @biomejs/biome 2.5.15 (npm): a lint rule of one's own (a GritQL plugin) can be limited to some files by `includes`. The same glob has two meanings
# in one biome.json: in `files.includes` and `overrides[].includes` "src/**" is relative to the file's folder; in `plugins[].includes` it is held
# against the absolute path, so "src/**" fits no file, the rule never runs, and the linter says that all is well. "**/src/**" fits.
# Nothing is warned of, with --error-on-warnings neither.
# Seen (November 2026, Node 20): the lines below.
# What it means for a gateway: a rule that guards a security property (one way out, no authorisation by path) can be off from its first day.
# Have a test that shows each rule a line that it has to stop (tests/lint.test.ts).
# Needs bash and Node 20 or newer with npm. Takes about 10 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{ "private": true }' >package.json
timeout 90 npm install --ignore-scripts --no-audit --no-fund --loglevel=error @biomejs/biome@2.5.15 >/dev/null

mkdir src
echo 'export const answer = fetch("http://127.0.0.1/")' >src/a.js
cat >no-fetch.grit <<'GRIT'
language js
`fetch($...)` as $call where { register_diagnostic(span = $call, message = "no fetch", severity = "error") }
GRIT

# Prints how many places the rule stops: count <how it is said> <biome.json>
count() {
  echo "$2" >biome.json
  local said
  said=$(npx biome lint --error-on-warnings src 2>&1 || true)
  echo "$1 $(grep -c 'plugin ━' <<<"$said" || true)"
}

{
  count 'no includes' '{ "plugins": ["./no-fetch.grit"] }'
  count 'files.includes src/**' '{ "files": { "includes": ["src/**"] }, "plugins": ["./no-fetch.grit"] }'
  count 'overrides.includes src/**' '{ "overrides": [{ "includes": ["src/**"], "plugins": ["./no-fetch.grit"] }] }'
  count 'plugins.includes src/**' '{ "plugins": [{ "path": "./no-fetch.grit", "includes": ["src/**"] }] }'
  count 'plugins.includes **/src/**' '{ "plugins": [{ "path": "./no-fetch.grit", "includes": ["**/src/**"] }] }'
} >seen

cat >expected <<'TXT'
no includes 1
files.includes src/** 1
overrides.includes src/** 1
plugins.includes src/** 0
plugins.includes **/src/** 1
TXT
diff expected seen || { echo 'changed'; exit 1; }
echo 'still so'
