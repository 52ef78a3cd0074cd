import { expect, test } from 'bun:test'
import { linesOf } from '../load-file.ts'

/** Of the models and the rules. The text of a file, and its problems: line, column, path, what is wrong, the cure. */
const FILES: readonly [text: string, problems: readonly string[]][] = [
  [
    'upstreams: { a: { base_url: "http://a/v1" } }\nmodels: { m: { targets: [{ upstream: b, model: "x*" }] } }',
    [
      '2:38 models.m.targets[0].upstream "b" is no upstream | Known here: a.',
      '2:48 models.m.targets[0].model has a *, though the model\'s own name has none | Write the whole name; a * here is what the * of a name such as "gpt-*" stood for.',
    ],
  ],
  [
    'upstreams: { a: { base_url: "http://a/v1" } }\nmodels: { "a*b*": { targets: [{ upstream: a }] }, "": { targets: [{ upstream: a }] } }',
    [
      '2:11 models["a*b*"] has more than one * in its name | Use one: it stands for any characters, and a target can name only what one of them stood for.',
      '2:51 models[""] has a name that no caller can use | Write the name that callers use, such as "gpt-4o" or "gpt-*".',
    ],
  ],
  [
    'params: [{}]',
    [
      '1:10 params[0] does nothing | Give it one of defaults, overrides, clamp, drop, rename, require, deny, allow, values; or take it out.',
    ],
  ],
  [
    'params: [{ match: { model: x }, on_violation: drop }]',
    [
      '1:10 params[0] does nothing | Give it one of defaults, overrides, clamp, drop, rename, require, deny, allow, values; or take it out.',
    ],
  ],
  [
    'params: [{ defaults: { "a..b": 1, model: x }, overrides: { model: y }, clamp: { model: { max: 1 } } }]',
    [
      '1:24 params[0].defaults["a..b"] is no name of a parameter | Write names with single dots between them, such as response_format.type.',
      '1:35 params[0].defaults.model is about the model, which only models decide | Take it out, and write what stands behind a name in models; values may list the names there are.',
      '1:60 params[0].overrides.model is about the model, which only models decide | Take it out, and write what stands behind a name in models; values may list the names there are.',
      '1:81 params[0].clamp.model is about the model, which only models decide | Take it out, and write what stands behind a name in models; values may list the names there are.',
    ],
  ],
  [
    'params: [{ drop: [model, 5, "a b"], rename: { model: m, b: model.x, ".c": d }, deny: [model] }]',
    [
      '1:19 params[0].drop[0] is about the model, which only models decide | Take it out, and write what stands behind a name in models; values may list the names there are.',
      '1:26 params[0].drop[1] 5 is not a text | Put it in quotes.',
      '1:29 params[0].drop[2] is no name of a parameter | Write names with single dots between them, such as response_format.type.',
      '1:47 params[0].rename.model is about the model, which only models decide | Take it out, and write what stands behind a name in models; values may list the names there are.',
      '1:60 params[0].rename.b is a name in another object | Keep what stands before the last dot: a parameter keeps its place in its object.',
      '1:60 params[0].rename.b is about the model, which only models decide | Take it out, and write what stands behind a name in models; values may list the names there are.',
      '1:69 params[0].rename[".c"] is no name of a parameter | Write names with single dots between them, such as response_format.type.',
      '1:87 params[0].deny[0] is about the model, which only models decide | Take it out, and write what stands behind a name in models; values may list the names there are.',
    ],
  ],
  [
    'params: [{ require: [model, a.], allow: [model, .a], values: { model: [a], "": [] } }]',
    [
      '1:29 params[0].require[1] is no name of a parameter | Write names with single dots between them, such as response_format.type.',
      '1:49 params[0].allow[1] is no name of a parameter | Write names with single dots between them, such as response_format.type.',
      '1:80 params[0].values[""] has nothing in it | Name at least one, or take the key out.',
    ],
  ],
  [
    'params: [{ clamp: { a: { min: 2, max: 1 }, b: {}, c: { min: 1, max: 1 } } }]',
    [
      '1:21 params[0].clamp.a has a min above its max | Exchange the two.',
      '1:44 params[0].clamp.b has neither min nor max | Give it one of the two, or both.',
    ],
  ],
  [
    'params: [{ rename: { a: b, b: c } }, { rename: { c: a, d: d, e.f: g.f, h.i: h.j, k: l.k } }]',
    [
      '1:53 params[1].rename.c leads back, by the renames of the file, to the name that it replaces | Take one of these renames out.',
      '1:59 params[1].rename.d is its own new name | Take it out.',
      '1:67 params[1].rename["e.f"] is a name in another object | Keep what stands before the last dot: a parameter keeps its place in its object.',
      '1:85 params[1].rename.k is a name in another object | Keep what stands before the last dot: a parameter keeps its place in its object.',
    ],
  ],
  [
    'params: [{ rename: { a: b } }, { rename: { b: a } }]',
    [
      '1:47 params[1].rename.b leads back, by the renames of the file, to the name that it replaces | Take one of these renames out.',
    ],
  ],
  [
    'params: [{ allow: [a, b], deny: [c, b] }]',
    [
      '1:37 params[0].deny[1] is in allow, too | Take it out of one of the two: all that allow does not name is refused as it is.',
    ],
  ],
  [
    'params: [{ match: { endpoint: [chat/completions, /v1/x], header: { X-A: a, x-a: b, "y z": c } }, drop: [a] }]',
    [
      '1:50 params[0].match.endpoint[1] "/v1/x" begins with a slash or with v1/, and so fits no request | Write what stands behind /v1/, such as chat/completions.',
      '1:76 params[0].match.header.x-a is there a second time | Take one of the two out.',
      '1:84 params[0].match.header["y z"] is no name that can be sent | Use letters, digits, "-" and "_"; no spaces, no colon.',
    ],
  ],
  [
    'params: [{ match: { endpoint: v1/x, header: {} }, drop: [a] }]',
    [
      '1:31 params[0].match.endpoint "v1/x" begins with a slash or with v1/, and so fits no request | Write what stands behind /v1/, such as chat/completions.',
      '1:45 params[0].match.header has nothing in it | Name at least one, or take the key out.',
    ],
  ],
]

test.each(FILES)('%j is refused', (text, problems) => {
  expect(linesOf(text)).toEqual([...problems])
})
