#!/usr/bin/env bash
# openai-api-rs 10.0.2 (crates.io), chat_completion_stream(). Its stream is not what the server sent, while chat_completion() reads the same words rightly:
#   a backslash and an n in the text (LaTeX's \nabla, C:\new, "\n" in code) become a line break, since "\n" is replaced once more behind the JSON.
#   a tool call in pieces, as OpenAI sends each one: only the first piece comes out, with arguments "". The others have no id and are dropped.
#   an event with reasoning and content, or with content and a tool call: only one of the two comes out.
#   an error event: nothing comes out, then Done. The half answer looks whole.
#   two choices in an event: the second is dropped; finish_reason and usage can't be had.
# Seen (November 2026, cargo 1.95, Python 3.11): the lines below.
# What it means for a gateway: nothing that it could mend for this client but to break the connection behind an error event; do not join tool calls' pieces
# or choices for its sake. Agents on this crate need stream: false.
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
openai-api-rs = "=10.0.2"
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
futures = "0.3"
[profile.dev]
debug = 0
TOML
cat >main.rs <<'RUST'
use futures::StreamExt;
use openai_api_rs::v1::api::OpenAIClient;
use openai_api_rs::v1::chat_completion::chat_completion::ChatCompletionRequest;
use openai_api_rs::v1::chat_completion::chat_completion_stream::{ChatCompletionStreamRequest, ChatCompletionStreamResponse as Piece};
use openai_api_rs::v1::chat_completion::{ChatCompletionMessage, Content, MessageRole};

#[tokio::main]
async fn main() {
    let base = std::env::args().nth(1).unwrap();
    for model in ["backslash", "tool call", "reasoning beside", "error event", "two choices"] {
        let client = OpenAIClient::builder().with_endpoint(&base).with_api_key("k").build().unwrap();
        let said = || vec![ChatCompletionMessage { role: MessageRole::user, content: Content::Text("hi".into()), name: None, tool_calls: None, tool_call_id: None }];
        let mut stream = client.chat_completion_stream(ChatCompletionStreamRequest::new(model.into(), said())).await.unwrap();
        let mut seen: Vec<String> = vec![];
        while let Some(piece) = stream.next().await {
            match piece {
                Piece::Content(text) => seen.push(format!("{text:?}")),
                Piece::Reasoning(text) => seen.push(format!("reasoning {text:?}")),
                Piece::ToolCall(calls) => for call in calls { seen.push(format!("call {} {:?}", call.id, call.function.arguments.unwrap_or_default())) },
                Piece::Done => { seen.push("Done".into()); break }
            }
        }
        println!("{model}: {}", seen.join(" "));
        if model == "backslash" {
            let whole = client.chat_completion(ChatCompletionRequest::new(model.into(), said())).await.unwrap();
            println!("{model}, not streamed: {:?}", whole.inner.choices[0].message.content.as_ref().unwrap());
        }
    }
}
RUST
cat >serve.py <<'PY'
import http.server, json

def choice(delta, finish=None, index=0):
    return {'index': index, 'delta': delta, 'finish_reason': finish}

def chunk(*choices):
    return {'id': 'c', 'object': 'chat.completion.chunk', 'created': 1, 'model': 'm', 'choices': list(choices)}

def call(**piece):
    return chunk(choice({'tool_calls': [{'index': 0, **piece}]}))

text = '\\nabla in C:\\new'
stop = chunk(choice({}, 'stop'))
streams = {
    'backslash': [chunk(choice({'role': 'assistant', 'content': text})), stop, '[DONE]'],
    'tool call': [call(id='call_1', type='function', function={'name': 'f', 'arguments': ''}), call(function={'arguments': '{"a":'}),
                  call(function={'arguments': '1}'}), chunk(choice({}, 'tool_calls')), '[DONE]'],
    'reasoning beside': [chunk(choice({'reasoning': 'why', 'content': 'because'})), stop, '[DONE]'],
    'error event': [chunk(choice({'content': 'Hel'})), {'error': {'message': 'overloaded', 'type': 'server_error', 'param': None, 'code': None}}, '[DONE]'],
    'two choices': [chunk(choice({'content': 'a'}), choice({'content': 'b'}, index=1)), stop, '[DONE]'],
}
whole = {'id': 'c', 'object': 'chat.completion', 'created': 1, 'model': 'm', 'usage': {'prompt_tokens': 1, 'completion_tokens': 1, 'total_tokens': 2},
         'choices': [{'index': 0, 'message': {'role': 'assistant', 'content': text}, 'finish_reason': 'stop'}]}

class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *ignored):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers['content-length'])))
        events = ''.join(f'data: {event if isinstance(event, str) else json.dumps(event)}\n\n' for event in streams[asked['model']])
        self.send_response(200)
        self.send_header('content-type', 'text/event-stream' if asked.get('stream') else 'application/json')
        self.end_headers()
        self.wfile.write((events if asked.get('stream') else json.dumps(whole)).encode())

server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PY
cat >expected <<'TXT'
backslash: "\nabla in C:\new" Done
backslash, not streamed: "\\nabla in C:\\new"
tool call: call call_1 "" Done
reasoning beside: reasoning "why" Done
error event: "Hel" Done
two choices: "a" Done
TXT
python3 serve.py >port &
server=$!
timeout 400 cargo build --quiet
timeout 60 target/debug/finding "http://127.0.0.1:$(cat port)" >seen
diff expected seen || { echo 'changed'; exit 1; }
echo 'still so'
