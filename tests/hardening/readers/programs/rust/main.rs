// A real reader in Rust, serde_json as axum has it (TGI, mistral.rs), that answers with what it has read of a request. Argument: the
// routes, as JSON. Prints its port, as JSON.
use serde::{Deserialize, Serialize};
use serde_json::{json, Value};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

#[derive(Deserialize, Serialize)]
struct Call {
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    best_of: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logit_bias: Option<Value>,
}

fn main() {
    let routes: Vec<String> = serde_json::from_str(&std::env::args().nth(1).unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", json!({ "serde": listener.local_addr().unwrap().port() }));
    for stream in listener.incoming().flatten() {
        let routes = routes.clone();
        std::thread::spawn(move || serve(stream, &routes));
    }
}

fn serve(mut stream: TcpStream, routes: &[String]) -> Option<()> {
    let mut raw = Vec::new();
    let mut part = [0; 65536];
    let end = loop {
        if let Some(at) = raw.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
        raw.extend_from_slice(&part[..count]);
    };
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let named = |line: &str| line.to_ascii_lowercase().strip_prefix("content-length:").map(|text| text.trim().parse());
    let length: usize = head.lines().find_map(named)?.ok()?;
    while raw.len() < end + 4 + length {
        let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
        raw.extend_from_slice(&part[..count]);
    }
    let path = head.split(' ').nth(1)?.split('?').next()?.to_owned();
    let found = routes.iter().find_map(|route| Some((route, model_in(route, &path)?)));
    let said = match found {
        Some((route, model)) => json!({ "route": route, "model": model, "query": {}, "bodies": bodies_of(&raw[end + 4..]) }),
        None => json!({}),
    };
    let text = said.to_string();
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{}", text.len(), text).ok()
}

// The model that a path names at a route; nothing where it is not the route's.
fn model_in(route: &str, path: &str) -> Option<String> {
    let Some((before, behind)) = route.split_once("{model}") else {
        return (route == path).then(String::new);
    };
    let model = path.strip_prefix(before)?.strip_suffix(behind)?;
    (!model.is_empty() && !model.contains('/')).then(|| model.to_owned())
}

fn bodies_of(bytes: &[u8]) -> Vec<Value> {
    let typed = serde_json::from_slice::<Call>(bytes).ok().and_then(|call| serde_json::to_value(call).ok());
    let loose = serde_json::from_slice::<Value>(bytes).ok();
    typed.into_iter().chain(loose).collect()
}
