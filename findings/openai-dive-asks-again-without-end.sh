#!/usr/bin/env bash
# openai_dive 1.4.3 (crates.io, feature "stream"; reqwest-eventsource 0.6 below it), create_stream(). It takes the answer for an EventSource, which connects
# again whenever a stream ends: where no "[DONE]" came, it POSTs the SAME paid request again, by itself, for as long as the program reads on.
#   a whole answer with finish_reason "stop" whose server writes no [DONE] (transformers serve, many small servers): asked again.
#   an answer that ends with an error event: asked again behind the error.
# The program sees each answer's words once more, one behind the other, with an error "Stream ended" between them.
# Seen (November 2026, cargo 1.95, Python 3.11): the lines below. The reader stops at the 12th word; without that it goes on.
# What it means for a gateway: requests that nobody's code sent are paid for; limits by key are what ends this. A [DONE] must never be lost on the way.
# Needs bash, cargo with crates.io, Python 3. Takes about 1 minute. Exit 0: still so. Exit 1: changed.
set -euo pipefail
work=$(mktemp -d)
server=''
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
cd "$work"
export CARGO_HOME="$work/cargo"
cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.1.0"
edition = "2021"
[[bin]]
name = "finding"
path = "main.rs"
[dependencies]
openai_dive = { version = "=1.4.3", features = ["stream"] }
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
futures = "0.3"
[profile.dev]
debug = 0
TOML
cat >main.rs <<'RUST'
use futures::StreamExt;
use openai_dive::v1::{api::Client, resources::chat::*};

#[tokio::main]
async fn main() {
    let base = std::env::args().nth(1).unwrap();
    for model in ["whole", "no done", "error event"] {
        let mut client = Client::new("k".into());
        client.set_base_url(&base);
        let message = ChatMessage::User { content: ChatMessageContent::Text("hi".into()), name: None };
        let asked = ChatCompletionParametersBuilder::default().model(model).messages(vec![message]).build().unwrap();
        let mut stream = client.chat().create_stream(asked).await.unwrap();
        let mut seen: Vec<String> = vec![];
        while let Some(item) = stream.next().await {
            match item {
                Ok(chunk) => for choice in chunk.choices {
                    if let DeltaChatMessage::Untagged { content: Some(ChatMessageContent::Text(text)), .. } = choice.delta { seen.push(text) }
                },
                Err(why) => seen.push(format!("<{}>", why.to_string().split(" at ").next().unwrap())),
            }
            if seen.len() >= 12 { break }
        }
        println!("{model}: {}", seen.join(" "));
    }
}
RUST
cat >serve.py <<'PY'
import collections, http.server, json, sys

asked = collections.Counter()

def chunk(delta, finish=None):
    return {'id': 'c', 'object': 'chat.completion.chunk', 'created': 1, 'model': 'm', 'choices': [{'index': 0, 'delta': delta, 'finish_reason': finish}]}

answer = [json.dumps(one) for one in (chunk({'role': 'assistant', 'content': ''}), chunk({'content': 'Hel'}), chunk({'content': 'lo'}), chunk({}, 'stop'))]
failure = json.dumps({'error': {'message': 'overloaded', 'type': 'server_error', 'param': None, 'code': None}})
streams = {'whole': [*answer, '[DONE]'], 'no done': answer, 'error event': [*answer[:2], failure]}

class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *ignored):
        pass

    def do_POST(self):
        model = json.loads(self.rfile.read(int(self.headers['content-length'])))['model']
        asked[model] += 1
        self.send_response(200)
        self.send_header('content-type', 'text/event-stream')
        self.end_headers()
        self.wfile.write(''.join(f'data: {event}\n\n' for event in streams[model]).encode())

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(''.join(f'POSTs for {model!r}: {"4 or more" if count >= 4 else count}\n' for model, count in asked.items()).encode())

server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PY
cat >expected <<'TXT'
whole: Hel lo
no done: Hel lo <Stream ended> Hel lo <Stream ended> Hel lo <Stream ended> Hel lo <Stream ended>
error event: Hel <missing field `choices`> <Stream ended> Hel <missing field `choices`> <Stream ended> Hel <missing field `choices`> <Stream ended> Hel <missing field `choices`> <Stream ended>
POSTs for 'whole': 1
POSTs for 'no done': 4 or more
POSTs for 'error event': 4 or more
TXT
python3 serve.py >port &
server=$!
timeout 400 cargo build --quiet
base="http://127.0.0.1:$(cat port)"
timeout 60 target/debug/finding "$base" >seen
timeout 10 python3 -c 'import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1]).read().decode())' "$base" >>seen
diff expected seen || { echo 'changed'; exit 1; }
echo 'still so'
