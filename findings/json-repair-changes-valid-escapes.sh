#!/usr/bin/env bash
# json-repair 0.64.6 (PyPI): reads the JSON that models leave unfinished, say tool arguments cut off by max_tokens. A whole document goes to
# json.loads; with ONE brace missing at the end the library's own parser reads it, and that one reads VALID escapes in the finished part otherwise:
#   \/ (valid by RFC 8259; PHP and some servers write each slash so) keeps its backslash: "src\/main.py" becomes a path that does not exist.
#   \f keeps its backslash too; \b, \n, \r, \t, \uXXXX don't.
#   a string that starts with a ```json fence loses the fence and keeps a stray "n", the rest of its "\n"; ```bash is left alone.
# So the same string value is two strings, by whether the last brace came or not. Nothing is raised or told; the README does not say so.
# Seen (November 2026, Python 3.11): the lines below.
# What it means for a gateway: finish_reason "length" has to reach the client exactly, for whoever repairs the arguments can't tell that they were
# damaged; and a gateway that writes JSON anew must not choose \/ for /.
# Needs bash and Python 3.10 or newer with venv. Takes about 15 s. Exit 0: still so. Exit 1: changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
timeout 90 venv/bin/pip install --quiet --disable-pip-version-check json-repair==0.64.6

cat >read.py <<'PY'
import json
import json_repair

VALUES = [r'"src\/main.py"', r'"a\fb"', r'"a\nb\tc\u00e9"', r'"```json\n[1]\n```"', r'"```bash\nls\n```"']
for value in VALUES:
    whole = '{"text":' + value + ',"n":1}'
    right = json.loads(whole)["text"]
    for document in (whole, whole[:-1]):
        read = json_repair.loads(document)
        kind = "whole" if document == whole else "cut  "
        print(kind, value, "right" if read["text"] == right else "READ AS " + json.dumps(read["text"]), read["n"])
PY

cat >expected <<'TXT'
whole "src\/main.py" right 1
cut   "src\/main.py" READ AS "src\\/main.py" 1
whole "a\fb" right 1
cut   "a\fb" READ AS "a\\fb" 1
whole "a\nb\tc\u00e9" right 1
cut   "a\nb\tc\u00e9" right 1
whole "```json\n[1]\n```" right 1
cut   "```json\n[1]\n```" READ AS "n[1]\n```" 1
whole "```bash\nls\n```" right 1
cut   "```bash\nls\n```" right 1
TXT
timeout 20 venv/bin/python read.py >seen
diff expected seen || { echo 'changed'; exit 1; }
echo 'still so'
