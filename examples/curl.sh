#!/bin/sh
# Use NexCode with curl (7.63 or later).
#
#   sh examples/curl.sh
#
#   OPENAI_BASE_URL   where NexCode listens, with /v1 (default: http://localhost:8000/v1)
#   OPENAI_API_KEY    your OpenAI key, or NexCode's API token where REQUIRE_AUTH is on
#
# The exit code is 1 if a step does not go as it should. Nothing is there yet? In another terminal: npm run demo
set -u

base_url="${OPENAI_BASE_URL:-http://localhost:8000/v1}"
api_key="${OPENAI_API_KEY:-your-openai-api-key}"
steps=0
failed=0

# Usage: call WANTED PATH [CURL_OPTION…]. Prints the answer as it comes, then its status; a step whose status is another one has
# failed, whatever it is.
call() {
  wanted=$1
  path=$2
  shift 2
  steps=$((steps + 1))
  # The answer goes past the variable, so that it is printed as it comes; the status, and what curl says of errors, into it.
  { said=$(curl -sS -N -w '%{stderr}%{http_code}' "$base_url$path" -H "Authorization: Bearer $api_key" "$@" 2>&1 1>&3); } 3>&1
  status=$(printf '%s' "$said" | tail -c 3)
  if [ "$status" = 000 ]; then
    printf 'Nobody answers at %s. Is NexCode running? Start it with npm start, or npm run demo.\n' "$base_url"
    exit 1
  fi
  printf '\n[status %s]\n' "$status"
  if [ "$status" != "$wanted" ]; then
    failed=$((failed + 1))
    printf 'FAILED. The status should be %s.\n' "$wanted"
    [ "$status" != 401 ] || printf 'The key was refused; set OPENAI_API_KEY.\n'
  fi
}

echo "NexCode at $base_url"

printf '\n=== 1. Chat completion ===\n'
call 200 /chat/completions -H 'Content-Type: application/json' -d '{
  "model": "gpt-3.5-turbo",
  "messages": [{"role": "user", "content": "你好"}],
  "temperature": 0.7
}'

printf '\n=== 2. Text completion ===\n'
call 200 /completions -H 'Content-Type: application/json' -d '{
  "model": "gpt-3.5-turbo-instruct",
  "prompt": "请解释：什么是网关？",
  "max_tokens": 200
}'

printf '\n=== 3. Streaming ===\n'
call 200 /chat/completions -H 'Content-Type: application/json' -d '{
  "model": "gpt-3.5-turbo",
  "messages": [{"role": "user", "content": "用一句话介绍你自己"}],
  "stream": true
}'

printf '\n=== 4. Models ===\n'
call 200 /models

printf '\n=== 5. Error handling: a model that does not exist ===\n'
call 404 /chat/completions -H 'Content-Type: application/json' -d '{
  "model": "unknown-model",
  "messages": [{"role": "user", "content": "你好"}]
}'

printf '\n%s of %s steps went as they should.\n' "$((steps - failed))" "$steps"
[ "$failed" -eq 0 ]
