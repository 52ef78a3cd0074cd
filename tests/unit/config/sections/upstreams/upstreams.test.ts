import { expect, test } from 'bun:test'
import { linesOf } from '../../load-file.ts'

/** Of the upstreams. The text of a file, and its problems: line, column, path, what is wrong, the cure. */
const FILES: readonly [text: string, problems: readonly string[]][] = [
  [
    'default_upstream: api.openai.con',
    ['1:19 default_upstream "api.openai.con" is no upstream | Did you mean "api.openai.com"?'],
  ],
  [
    'pins: { files: a#2, batches: a#3, uploads: a#0, evals: "a#", skills: a#x, threads: b#1, responses: c#1 }\nupstreams: { a: { base_url: "http://a/v1", api_keys: [k1, k2] }, c: { base_url: "http://c/v1" } }',
    [
      '1:30 pins.batches names a key that is not there: a has 2 keys | Use #1 to #2.',
      '1:44 pins.uploads names no key | Write the number of a key behind the "#", from 1, such as openai#2; or the upstream alone.',
      '1:56 pins.evals names no key | Write the number of a key behind the "#", from 1, such as openai#2; or the upstream alone.',
      '1:70 pins.skills names no key | Write the number of a key behind the "#", from 1, such as openai#2; or the upstream alone.',
      '1:84 pins.threads "b" is no upstream | Known here: a, c.',
      '1:100 pins.responses names a key that is not there: c has no keys | Name the upstream alone.',
    ],
  ],
  ['pins: { files: opnai }', ['1:16 pins.files "opnai" is no upstream | Known here: api.openai.com.']],
  [
    'default_upstream: b\npins: { files: c }\nupstreams: { a: { base_url: "http://a/v1" } }\n',
    [
      '1:19 default_upstream "b" is no upstream | Known here: a.',
      '2:16 pins.files "c" is no upstream | Known here: a.',
    ],
  ],
  [
    'upstreams: 5\ndefault_upstream: b',
    ['1:12 upstreams 5 is not a map | Write a map, such as {"openai":{"preset":"openai"}}.'],
  ],
  [
    'upstreams: { "a b": { base_url: "http://a/v1" } }',
    [
      '1:14 upstreams["a b"] has a name that cannot be used | Use letters, digits, ".", ":", "_" and "-"; at most 64 characters.',
    ],
  ],
  [
    'upstreams: { a: {} }',
    ['1:14 upstreams.a has no base_url | Add base_url, such as https://api.example.com/v1, or a preset.'],
  ],
  [
    'upstreams: { a: { preset: azure, api_key: k } }',
    ['1:14 upstreams.a has no base_url | Add base_url: with Azure OpenAI, it is yours alone.'],
  ],
  ['upstreams: { a: { base_url: 5 } }', ['1:29 upstreams.a.base_url 5 is not a text | Put it in quotes.']],
  [
    'upstreams: { a: { preset: openai } }',
    [
      '1:14 upstreams.a has no key, which OpenAI asks for | Set api_key, or auth: caller where each caller brings their own.',
    ],
  ],
  [
    'upstreams: { a: { preset: openai, auth: none } }',
    [
      '1:14 upstreams.a has no key, which OpenAI asks for | Set api_key, or auth: caller where each caller brings their own.',
    ],
  ],
  [
    'upstreams: { a: { preset: openai, auth: server } }',
    [
      '1:14 upstreams.a has no key, which OpenAI asks for | Set api_key, or auth: caller where each caller brings their own.',
    ],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", auth: server } }',
    [
      '1:50 upstreams.a.auth is server, though there is no key | Set api_key, api_keys or api_key_file; or auth: caller.',
    ],
  ],
  [
    'upstreams: { a: { preset: openai, auth: sever } }',
    ['1:41 upstreams.a.auth "sever" is not known here | Did you mean "server"?'],
  ],
  [
    'upstreams: { a: { preset: groq, api_key: k, api_keys: [k], api_key_file: keys } }',
    [
      '1:45 upstreams.a.api_keys is set, and api_key too | Set one of the two.',
      '1:60 upstreams.a.api_key_file is set, and api_key too | Set one of the two.',
    ],
  ],
  [
    'upstreams: { a: { preset: groq, api_key: "" } }',
    ['1:42 upstreams.a.api_key is empty | Write the key, or set the variable that it is taken from.'],
  ],
  [
    'upstreams: { a: { preset: groq, api_key: "a b" } }',
    ['1:42 upstreams.a.api_key has whitespace inside | Take it out: it cannot travel in a header.'],
  ],
  [
    'upstreams: { a: { preset: groq, api_key: Bearer k } }',
    ['1:42 upstreams.a.api_key begins with "Bearer" | Leave the word out: only the key itself.'],
  ],
  ['upstreams: { a: { preset: groq, api_key: 5 } }', ['1:42 upstreams.a.api_key is not a text | Put it in quotes.']],
  [
    'upstreams: { a: { preset: groq, api_keys: [1, "", "c\\u0007"] } }',
    [
      '1:44 upstreams.a.api_keys[0] is not a text | Put it in quotes.',
      '1:47 upstreams.a.api_keys[1] is empty | Write the key, or set the variable that it is taken from.',
      '1:51 upstreams.a.api_keys[2] has characters that cannot travel in a header | Use visible ASCII characters only.',
    ],
  ],
  [
    'upstreams: { a: { preset: groq, api_keys: k } }',
    ['1:43 upstreams.a.api_keys is not a list | Write a list: "- " before each entry, or [one, another].'],
  ],
  [
    'upstreams: { a: { preset: groq, api_key_file: bad-keys } }',
    [
      '1:47 upstreams.a.api_key_file names a file whose line 2 has whitespace inside | Take it out: it cannot travel in a header.',
    ],
  ],
  [
    'upstreams: { a: { preset: groq, api_key_file: none } }',
    [
      '1:47 upstreams.a.api_key_file names a file that cannot be read: there is no such file or folder (ENOENT) | Check the path, and that the secret is mounted; it takes the path of a file, not the value itself.',
    ],
  ],
  [
    'upstreams: { a: { preset: groq, api_key_file: blank } }',
    ['1:47 upstreams.a.api_key_file names an empty file | Write the value into it.'],
  ],
  [
    'upstreams: { a: { preset: groq, api_key_file: "" } }',
    ['1:47 upstreams.a.api_key_file names no file | Name a file.'],
  ],
  [
    'upstreams: { a: { base_url: "ftp://x" } }',
    ['1:29 upstreams.a.base_url is not an http or https URL | Write it in full, with http:// or https:// in front.'],
  ],
  [
    'upstreams: { a: { base_url: "http://u:p@x/v1" } }',
    [
      '1:29 upstreams.a.base_url has a user name or password in it | Take out what stands before the @; a key is set by api_key.',
    ],
  ],
  [
    'upstreams: { a: { base_url: "" } }',
    ['1:29 upstreams.a.base_url is not an http or https URL | Write it in full, with http:// or https:// in front.'],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", key_header: "a b" } }',
    [
      '1:56 upstreams.a.key_header is no name that can be sent | Use letters, digits, "-" and "_"; no spaces, no colon.',
    ],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", key_header: Host } }',
    ['1:56 upstreams.a.key_header is a header that the gateway writes itself | Take it out.'],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", headers: { Host: x, Connection: y, "x y": z, X-A: "é", x-a: b } } }',
    [
      '1:55 upstreams.a.headers.Host is a header that the gateway writes itself | Take it out.',
      '1:64 upstreams.a.headers.Connection is a header that the gateway writes itself | Take it out.',
      '1:79 upstreams.a.headers["x y"] is no name that can be sent | Use letters, digits, "-" and "_"; no spaces, no colon.',
      '1:94 upstreams.a.headers.X-A has characters that cannot travel in a header | Use visible ASCII characters.',
      '1:99 upstreams.a.headers.x-a is set a second time | Take one of the two out.',
    ],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", headers: { X-A: 1 } } }',
    ['1:60 upstreams.a.headers.X-A is not a text | Put it in quotes.'],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", organization: o, headers: { OpenAI-Organization: p }, project: "a\\nb" } }',
    [
      '1:44 upstreams.a.organization is set a second time | Take one of the two out.',
      '1:107 upstreams.a.project has characters that cannot travel in a header | Use visible ASCII characters.',
    ],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", api_key: k, headers: { Authorization: x } } }',
    ['1:67 upstreams.a.headers.Authorization is the header that carries the key | Set api_key, or auth: none.'],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", query: { "a b": c } } }',
    [
      '1:53 upstreams.a.query["a b"] is no name that can be sent | Use letters, digits, "-" and "_"; no spaces, no colon.',
    ],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", path: "x" } }',
    ['1:50 upstreams.a.path does not begin with one slash | Begin it with one.'],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", path: "//x" } }',
    ['1:50 upstreams.a.path does not begin with one slash | Begin it with one.'],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", path: "/x y" } }',
    ['1:50 upstreams.a.path has a character in it that no path has | Take out spaces, "?", "#" and backslashes.'],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", path: "/{modle}" } }',
    ['1:50 upstreams.a.path has a placeholder that is not known | Did you mean "{model}"?'],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", path: "/{x" } }',
    ['1:50 upstreams.a.path has a brace that is no part of {model} or {path} | Take it out.'],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", path: "/{path}{path}" } }',
    ['1:50 upstreams.a.path has a placeholder twice | Take one of them out.'],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", path: "/a/{path}" } }',
    ['1:50 upstreams.a.path has a slash before {path} | Take the slash out: {path} begins with one.'],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", path: "/a/" } }',
    ['1:50 upstreams.a.path ends with a slash | End it with {path}, or without the slash.'],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", path: "/../x" } }',
    ['1:50 upstreams.a.path leads upwards | Take out the "..".'],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", tls_ca: none.pem } }',
    [
      '1:52 upstreams.a.tls_ca names a file that cannot be read: there is no such file or folder (ENOENT) | Check the path, and that the secret is mounted; it takes the path of a file, not the value itself.',
    ],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", tls_ca: keys } }',
    [
      '1:52 upstreams.a.tls_ca names a file without a PEM certificate | Name the authorities: -----BEGIN CERTIFICATE-----',
    ],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", proxy: "socks5://x" } }',
    [
      '1:51 upstreams.a.proxy is no URL of a proxy | Write its URL, such as http://proxy:3128, with nothing behind the port; or none.',
    ],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", proxy: "http://x/y" } }',
    [
      '1:51 upstreams.a.proxy is no URL of a proxy | Write its URL, such as http://proxy:3128, with nothing behind the port; or none.',
    ],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", check: { path: models, every: 0 } } }',
    [
      '1:59 upstreams.a.check.path does not begin with one slash | Begin it with one.',
      '1:74 upstreams.a.check.every is 0 | Use at least 1 millisecond.',
    ],
  ],
  ['breaker: { open: 600s }', ['1:1 breaker has an open longer than its open_max | Set open_max to as much, or more.']],
  [
    'upstreams: { a: { base_url: "http://a/v1", breaker: { open_max: 1s } } }',
    ['1:44 upstreams.a.breaker has an open longer than its open_max | Set open_max to as much, or more.'],
  ],
  ['retry: { base: 9s }', ['1:1 retry has a base longer than its max | Set max to as much, or more.']],
  [
    'upstreams: { a: { base_url: "http://a/v1" } }\nmodels: { m: { targets: [{ upstream: a }], retry: { max: 1 } } }',
    ['2:44 models.m.retry has a base longer than its max | Set max to as much, or more.'],
  ],
  [
    'retry: { base: 9s }\nupstreams: { a: { base_url: "http://a/v1" } }\nmodels: { m: { targets: [{ upstream: a }], retry: { attempts: 2 } } }',
    ['1:1 retry has a base longer than its max | Set max to as much, or more.'],
  ],
]

test.each(FILES)('%j is refused', (text, problems) => {
  expect(linesOf(text)).toEqual([...problems])
})
