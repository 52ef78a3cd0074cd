#!/usr/bin/env bash
# async-openai 0.43.0 (crates.io). A model that calls a custom tool answers {"type":"custom","custom":{"name":…,"input":…}}: OpenAI's API and the official SDKs
# (openai 7.57.0 in Node: ChatCompletionMessageCustomToolCall) have it so. This crate reads and writes "custom_tool" in its place:
#   the answer is an error, "missing field `custom_tool`"; with the field called custom_tool, as OpenAI never sends it, it is read.
#   a history with such a call is sent with "custom_tool": {…}, which OpenAI has no such field for.
# Beside that: one word of another server loses an answer that was paid for. Groq's service_tier "on_demand" and Mistral's finish_reason "model_length" are
# errors, streamed or not; and an error body whose code is a number (vLLM) is told as "failed to deserialize api response", the status is lost.
# Seen (November 2026, cargo 1.95, Python 3.11): the lines below.
# What it means for a gateway: fields and words must pass as they are, also where one client can't read them; its user needs an extension that renames them.
# Needs bash, cargo with crates.io, Python 3. Takes about 1 minute with two free cores. Exit 0: still so. Exit 1: changed.
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
async-openai = { version = "=0.43.0", features = ["chat-completion"] }
serde_json = "1"
tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
futures = "0.3"
[profile.dev]
debug = 0
TOML
cat >main.rs <<'RUST'
use async_openai::types::chat::*;
use async_openai::{config::OpenAIConfig, Client};
use futures::StreamExt;

fn short(why: impl std::fmt::Display) -> String {
    let text = why.to_string();
    text.split(", expected one").next().unwrap().split(" at line").next().unwrap().to_string()
}

#[tokio::main]
async fn main() {
    let client = Client::with_config(OpenAIConfig::new().with_api_base(std::env::args().nth(1).unwrap()).with_api_key("k"));
    for model in ["plain", "custom", "custom_tool", "on_demand", "model_length", "code 404"] {
        let hi = ChatCompletionRequestUserMessage::from("hi");
        let asked = CreateChatCompletionRequestArgs::default().model(model).messages([hi.into()]).build().unwrap();
        match client.chat().create(asked.clone()).await {
            Ok(answer) => println!("{model}: read, {}", answer.choices[0].message.tool_calls.as_ref().map_or(0, |calls| calls.len())),
            Err(why) => println!("{model}: {}", short(why)),
        }
        if model.starts_with("custom") || model == "code 404" { continue }
        let mut stream = client.chat().create_stream(asked).await.unwrap();
        let first = stream.next().await.unwrap();
        println!("{model}, streamed: {}", first.map_or_else(short, |_| "read".into()));
    }
    let call = ChatCompletionMessageToolCalls::Custom(ChatCompletionMessageCustomToolCall {
        id: "call_1".into(),
        custom_tool: CustomTool { name: "run".into(), input: "ls".into() },
    });
    println!("sent: {}", serde_json::to_value(call).unwrap());
}
RUST
cat >serve.py <<'PY'
import http.server, json

def answer(message, finish='stop', **more):
    return {'id': 'c', 'object': 'chat.completion', 'created': 1, 'model': 'm', 'usage': {'prompt_tokens': 1, 'completion_tokens': 1, 'total_tokens': 2}, **more,
            'choices': [{'index': 0, 'message': {'role': 'assistant', 'refusal': None, **message}, 'finish_reason': finish, 'logprobs': None}]}

def custom(field):
    return answer({'content': None, 'tool_calls': [{'id': 'call_1', 'type': 'custom', field: {'name': 'run', 'input': 'ls'}}]}, 'tool_calls')

hello = {'content': 'Hello'}
answers = {'plain': answer(hello), 'custom': custom('custom'), 'custom_tool': custom('custom_tool'), 'on_demand': answer(hello, service_tier='on_demand'),
           'model_length': answer(hello, 'model_length'),
           'code 404': {'error': {'message': 'The model `x` does not exist.', 'type': 'NotFoundError', 'param': 'model', 'code': 404}}}

def streamed(whole):
    choice = dict(whole['choices'][0])
    delta = choice.pop('message')
    return {**whole, 'object': 'chat.completion.chunk', 'choices': [{**choice, 'delta': delta}]}

class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *ignored):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers['content-length'])))
        whole = answers[asked['model']]
        body = f'data: {json.dumps(streamed(whole))}\n\ndata: [DONE]\n\n' if asked.get('stream') else json.dumps(whole)
        self.send_response(404 if 'error' in whole else 200)
        self.send_header('content-type', 'text/event-stream' if asked.get('stream') else 'application/json')
        self.end_headers()
        self.wfile.write(body.encode())

server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
PY
cat >expected <<'TXT'
plain: read, 0
plain, streamed: read
custom: failed to deserialize api response: error:missing field `custom_tool`
custom_tool: read, 1
on_demand: failed to deserialize api response: error:unknown variant `on_demand`
on_demand, streamed: failed to deserialize api response: error:unknown variant `on_demand`
model_length: failed to deserialize api response: error:unknown variant `model_length`
model_length, streamed: failed to deserialize api response: error:unknown variant `model_length`
code 404: failed to deserialize api response: error:invalid type: integer `404`, expected a string
sent: {"custom_tool":{"input":"ls","name":"run"},"id":"call_1","type":"custom"}
TXT
python3 serve.py >port &
server=$!
timeout 400 cargo build --quiet
timeout 60 target/debug/finding "http://127.0.0.1:$(cat port)" >seen
diff expected seen || { echo 'changed'; exit 1; }
echo 'still so'
