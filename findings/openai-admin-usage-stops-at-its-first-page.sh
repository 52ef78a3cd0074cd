#!/usr/bin/env bash
# openai 3.57.0 (PyPI) and openai 7.59.0 (npm), both official: client.admin.organization. Its lists (users, projects, keys, ...) are pages that fetch the next one
# while one loops over them. usage.completions, usage.costs and the other answers of usage have has_more and a next_page too, and are no pages:
#   Python: a loop over the answer runs four times, over the names and values of its fields, ("data", [...]) first, and no error; there is neither
#     has_next_page nor get_next_page. A sum over answer.data is that of the first page only, by OpenAI's default seven days of costs, not a month.
#   Node: a loop over it throws, "not async iterable"; over answer.data it is the first page only as well.
#   The next page is had by hand, with page=answer.next_page, and all arguments said again.
# Seen (November 2026, Python 3.11, Node 20): the lines below, at a stand-in with two pages each. (group_by goes out as group_by[]=, in both.)
# What it means for a gateway: a caller's own report of what was spent may be a quarter of the truth; compare days, not totals, before a number is doubted.
# Needs bash, npm, Node 20 or newer, Python 3.10 or newer with venv. Takes about 20 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
export npm_config_update_notifier=false
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
timeout 180 npm install --prefix . --ignore-scripts --no-audit --no-fund --loglevel=error openai@7.59.0 >/dev/null
python3 -m venv venv
timeout 180 venv/bin/pip install --quiet --disable-pip-version-check --prefer-binary openai==3.57.0

cat >by_node.mjs <<'JS'
import OpenAI from 'openai'
const { organization } = new OpenAI({ adminAPIKey: 'k', apiKey: 'k', baseURL: process.argv[2], maxRetries: 0 }).admin
let users = 0
for await (const _ of organization.users.list()) users += 1
console.log('node, users:', users)
const costs = await organization.usage.costs({ start_time: 1_730_419_200, group_by: ['project_id'] })
const sum = costs.data.reduce((total, { results }) => total + results[0].amount.value, 0)
try {
  for await (const _ of costs);
} catch (error) {
  console.log(`node, costs: sum of data ${sum}, has_more ${costs.has_more}, looped over: ${error.name}`)
}
JS
cat >run.py <<'PY'
import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import openai

asked = []


def user(number):
    return {"object": "organization.user", "id": f"user_{number}", "name": "A", "email": "a@example.com", "role": "reader", "added_at": 1}


def bucket(value):
    result = {"object": "organization.costs.result", "amount": {"value": value, "currency": "usd"}, "line_item": None, "project_id": "proj_1"}
    return {"object": "bucket", "start_time": 1730419200, "end_time": 1730505600, "results": [result]}


class Server(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        asked.append(query)
        if path.endswith("/users"):
            more = "after" not in query
            answer = {"object": "list", "data": [user(1), user(2)] if more else [user(3)], "first_id": "user_1", "last_id": "user_2" if more else "user_3", "has_more": more}
        else:
            more = "page" not in query
            answer = {"object": "page", "data": [bucket(1.0), bucket(2.0)] if more else [bucket(4.0)], "has_more": more, "next_page": "page_2" if more else None}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def dollars(answer):
    return sum(each.results[0].amount.value for each in answer.data)


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
BASE = f"http://127.0.0.1:{server.server_port}/v1"
organization = openai.OpenAI(admin_api_key="k", api_key="k", base_url=BASE, max_retries=0).admin.organization

print("python, users:", sum(1 for _ in organization.users.list()))
costs = organization.usage.costs(start_time=1730419200, group_by=["project_id"])
print(f"python, costs: sum of data {dollars(costs)}, has_more {costs.has_more}, looped over: {sorted(name for name, _ in costs)}")
print("python, group_by:", [name for name in asked[-1] if name.startswith("group_by")], "| pages as of users:", hasattr(costs, "get_next_page"))
print("python, by hand:", dollars(costs) + dollars(organization.usage.costs(start_time=1730419200, group_by=["project_id"], page=costs.next_page)))
print(subprocess.run(["node", "by_node.mjs", BASE], stdout=subprocess.PIPE, text=True, timeout=120, check=True).stdout, end="")
PY

cat >expected <<'TXT'
python, users: 3
python, costs: sum of data 3.0, has_more True, looped over: ['data', 'has_more', 'next_page', 'object']
python, group_by: ['group_by[]'] | pages as of users: False
python, by hand: 7.0
node, users: 3
node, costs: sum of data 3, has_more true, looped over: TypeError
TXT
timeout 180 venv/bin/python -W ignore run.py >seen 2>notes
diff expected seen || { tail -5 notes; echo 'changed'; exit 1; }
echo 'still so'
