import { expect, test } from 'bun:test'
import { linesOf } from '../load-file.ts'

/** Of the shape: keys, types and bounds. The text of a file, and its problems: line, column, path, what is wrong, the cure. */
const FILES: readonly [text: string, problems: readonly string[]][] = [
  ['- a', ['1:1  is a list, where a map belongs | Write its keys below it, indented, such as debug_headers.']],
  ['just text', ['1:1  is not a map | Write its keys below it, indented, such as debug_headers.']],
  [
    'retry:',
    [
      '1:1 retry is empty, where a map belongs | Write its keys below it, indented, such as attempts, or take the key out.',
    ],
  ],
  ['retry: 5', ['1:8 retry 5 is not a map | Write its keys below it, indented, such as attempts.']],
  ['upstreamz: {}', ['1:1 upstreamz is not known here | Did you mean "upstreams"?']],
  ['xyzzy: 1', ['1:1 xyzzy is not known here | See docs/configuration.md for what there is.']],
  [
    '<<: 1',
    ['1:1 ["<<"] is not known here | YAML 1.2 knows no merge keys: an alias (*name) stands for a whole value.'],
  ],
  ['retry: { attempts: 11 }', ['1:20 retry.attempts 11 is out of range | Use a whole number from 1 to 10.']],
  [
    'retry: { attempts: "3" }',
    ['1:20 retry.attempts "3" is not a whole number from 1 to 10 | Write a whole number from 1 to 10, such as 3.'],
  ],
  [
    'retry: { attempts: 1.5 }',
    ['1:20 retry.attempts 1.5 is not a whole number from 1 to 10 | Write a whole number from 1 to 10, such as 3.'],
  ],
  [
    'retry: { on: [conect, 399, true, 5yy] }',
    [
      '1:15 retry.on[0] "conect" is not known here | Did you mean "connect"? A whole number from 400 to 599 is good, too.',
      '1:23 retry.on[1] 399 is out of range | Use a whole number from 400 to 599.',
      '1:28 retry.on[2] true is not a word or a whole number from 400 to 599 | Known here: connect, timeout, reset, invalid, 5xx. A whole number from 400 to 599 is good, too.',
      '1:34 retry.on[3] "5yy" is not known here | Known here: connect, timeout, reset, invalid, 5xx. A whole number from 400 to 599 is good, too.',
    ],
  ],
  [
    'retry: { on: connect }',
    ['1:14 retry.on "connect" is not a list | Write a list: "- " before each entry, or [one, another].'],
  ],
  ['unknown_models: refuze', ['1:17 unknown_models "refuze" is not known here | Did you mean "refuse"?']],
  ['unknown_models: 5', ['1:17 unknown_models 5 is not a word | Known here: pass, refuse.']],
  ['unknown_models: [pass]', ['1:17 unknown_models is a list, where a word belongs | Known here: pass, refuse.']],
  ['debug_headers: yes', ['1:16 debug_headers "yes" is not true or false | Write true or false.']],
  ['client_deadline: 1', ['1:18 client_deadline 1 is not true or false | Write true or false.']],
  [
    'timeouts: { total: 5 minutes, first_byte: -1, stream_idle: 99999h }',
    [
      '1:20 timeouts.total "5 minutes" is not a length of time | Use milliseconds, or a whole number with ms, s, m or h.',
      '1:43 timeouts.first_byte "-1" is not a length of time | Use milliseconds, or a whole number with ms, s, m or h.',
      '1:60 timeouts.stream_idle "99999h" is out of range | Use a value from 0 to 2147483647.',
    ],
  ],
  [
    'timeouts: { total: [1], first_byte: 0.5 }',
    [
      '1:20 timeouts.total is a list, where a length of time belongs | Use milliseconds, or a whole number with ms, s, m or h.',
      '1:37 timeouts.first_byte "0.5" is not a length of time | Use milliseconds, or a whole number with ms, s, m or h.',
    ],
  ],
  ['breaker: true', ['1:10 breaker true is not false or a map | Write false or a map.']],
  ['breaker: { window: 0 }', ['1:20 breaker.window is 0 | Use at least 1 millisecond.']],
  [
    'hedge: { percentile: 100, budget: 101, min: }',
    [
      '1:22 hedge.percentile 100 is out of range | Use a number from 1 to 99.',
      '1:35 hedge.budget 101 is out of range | Use a number from 0 to 100.',
      '1:40 hedge.min is empty, where a length of time belongs | Use milliseconds, or a whole number with ms, s, m or h, or take the key out.',
    ],
  ],
  [
    'breaker: { rate: .nan }',
    ['1:18 breaker.rate NaN is not a number from 0 to 1 | Write a number from 0 to 1, such as 0.5.'],
  ],
  ['pins: { file: a }', ['1:9 pins.file is not known here | Did you mean "files"?']],
  ['upstreams: {}', ['1:12 upstreams has nothing in it | Name at least one, or take the key out.']],
  [
    'upstreams: { a: }',
    [
      '1:14 upstreams.a is empty, where a map belongs | Write its keys below it, indented, such as preset, or take the key out.',
    ],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", concurrency: {} } }',
    ['1:44 upstreams.a.concurrency.max is missing | Add "max", such as 4.'],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1", concurrency: { max: 0 } } }',
    ['1:64 upstreams.a.concurrency.max 0 is out of range | Use a whole number from 1 to 65535.'],
  ],
  [
    'upstreams: { a: { preset: opnai } }',
    ['1:27 upstreams.a.preset "opnai" is not known here | Did you mean "openai"?'],
  ],
  [
    'upstreams: { a: { preset: zzzzzz } }',
    ['1:27 upstreams.a.preset "zzzzzz" is not known here | See docs/configuration.md for what there is.'],
  ],
  [
    'upstreams: { a: { apiKey: x, preset: ollama } }',
    ['1:19 upstreams.a.apiKey is not known here | Did you mean "api_key"?'],
  ],
  [
    'models: { m: { targets: [] } }',
    ['1:25 models.m.targets has nothing in it | Name at least one, or take the key out.'],
  ],
  [
    'models: { m: {} }',
    ['1:11 models.m.targets is missing | Add "targets", such as [{"upstream":"openai","model":"gpt-4o"}].'],
  ],
  [
    'models: { m: { targets: [{ upstrem: a }, x] } }',
    [
      '1:26 models.m.targets[0].upstream is missing | Add "upstream", such as "openai".',
      '1:28 models.m.targets[0].upstrem is not known here | Did you mean "upstream"?',
      '1:42 models.m.targets[1] "x" is not a map | Write its keys below it, indented, such as upstream.',
    ],
  ],
  [
    'models: { m: { targets: 5 } }',
    ['1:25 models.m.targets 5 is not a list | Write a list: "- " before each entry, or [one, another].'],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1" } }\nmodels: { m: { targets: [{ upstream: a, weight: 0, order: -1 }], strategy: wieghted } }',
    [
      '2:49 models.m.targets[0].weight 0 is out of range | Use a number above 0, up to 1000000.',
      '2:59 models.m.targets[0].order -1 is out of range | Use a whole number from 0 to 1000000.',
      '2:76 models.m.strategy "wieghted" is not known here | Did you mean "weighted"?',
    ],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1" } }\nmodels: { m: { targets: [{ upstream: "" }] } }',
    ['2:38 models.m.targets[0].upstream is empty | Write a text, or take the key out.'],
  ],
  [
    'params: [{ drop: [] }, { defaults: {} }, { drop: [1, a] }]',
    [
      '1:18 params[0].drop has nothing in it | Name at least one, or take the key out.',
      '1:36 params[1].defaults has nothing in it | Name at least one, or take the key out.',
      '1:51 params[2].drop[0] 1 is not a text | Put it in quotes.',
    ],
  ],
  [
    'params: [{ match: { model: [1, ""], principal: { a: b } }, drop: [a] }]',
    [
      '1:29 params[0].match.model[0] 1 is not a text | Put it in quotes.',
      '1:32 params[0].match.model[1] is empty | Write a text, or take the key out.',
      '1:48 params[0].match.principal is a map, where a text or a list belongs | Write a text or a list, such as "alice".',
    ],
  ],
  [
    'params: [{ defaults: { a: .nan, b: 12345678901234567890, c: [.inf] } }]',
    [
      '1:27 params[0].defaults.a is a number that JSON cannot carry exactly | Use a smaller one.',
      '1:36 params[0].defaults.b is a number that JSON cannot carry exactly | Use a smaller one.',
      '1:62 params[0].defaults.c[0] is a number that JSON cannot carry exactly | Use a smaller one.',
    ],
  ],
  [
    'params: [{ clamp: { a: { min: x } }, values: { b: 1 } }]',
    [
      '1:31 params[0].clamp.a.min "x" is not a number | Write a number, such as 0.',
      '1:51 params[0].values.b 1 is not a list | Write a list: "- " before each entry, or [one, another].',
    ],
  ],
]

test.each(FILES)('%j is refused', (text, problems) => {
  expect(linesOf(text)).toEqual([...problems])
})
