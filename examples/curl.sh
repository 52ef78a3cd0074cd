#!/bin/sh
# Use NexCode with curl (7.76 or later, for --fail-with-body).
#
#   OPENAI_BASE_URL   where NexCode listens, with /v1 (default: http://localhost:8000/v1)
#   OPENAI_API_KEY    your OpenAI key, or NexCode's API token where REQUIRE_AUTH is on
#
# The exit code is 1 if a step does not go as it should.
set -u

base_url="${OPENAI_BASE_URL:-http://localhost:8000/v1}"
api_key="${OPENAI_API_KEY:-your-openai-api-key}"
failed=0

# Usage: call PATH [CURL_OPTION…]. Prints the answer as it comes, then the status; fails where that is 400 or more.
call() {
  path=$1
  shift
  curl -sS -N --fail-with-body -w '\n[status %{http_code}]\n' "$base_url$path" \
    -H "Authorization: Bearer $api_key" "$@"
}

echo "NexCode at $base_url"

printf '\n=== 1. Chat completion ===\n'
call /chat/completions -H 'Content-Type: application/json' -d '{
  "model": "gpt-3.5-turbo",
  "messages": [{"role": "user", "content": "你好"}],
  "temperature": 0.7
}' || failed=1

printf '\n=== 2. Text completion ===\n'
call /completions -H 'Content-Type: application/json' -d '{
  "model": "gpt-3.5-turbo-instruct",
  "prompt": "请解释：什么是网关？",
  "max_tokens": 200
}' || failed=1

printf '\n=== 3. Streaming ===\n'
call /chat/completions -H 'Content-Type: application/json' -d '{
  "model": "gpt-3.5-turbo",
  "messages": [{"role": "user", "content": "用一句话介绍你自己"}],
  "stream": true
}' || failed=1

printf '\n=== 4. Models ===\n'
call /models || failed=1

printf '\n=== 5. Error handling: a model that does not exist ===\n'
# curl exits with 22 for a status of 400 or more, which is what is wanted here.
call /chat/completions -H 'Content-Type: application/json' -d '{
  "model": "unknown-model",
  "messages": [{"role": "user", "content": "你好"}]
}' 2>/dev/null
[ $? -eq 22 ] || failed=1

exit "$failed"
