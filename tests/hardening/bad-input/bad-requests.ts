import fc from 'fast-check'
import type { JsonSchema } from '../../../src/openai/openapi/json-schema.ts'
import { createOpenApiDocument } from '../../../src/openai/openapi-document.ts'
import { valuesOf } from './schema-values.ts'

/** A request that may be bad in any way but its framing. */
export interface BadRequest {
  readonly id: string
  readonly method: string
  readonly target: string
  /** Lines of the head beside Host, key and framing. */
  readonly headers: string
  /** undefined: none, and no length either. */
  readonly body: Uint8Array | undefined
}

interface Operation {
  readonly method: string
  readonly path: string
  readonly schema: JsonSchema | undefined
}

/** Our own document is what the requests are made from. */
const DOCUMENT = createOpenApiDocument({ version: '0', serverUrl: 'http://localhost/v1' })
const SCHEMAS = DOCUMENT.components.schemas

const OPERATIONS: readonly Operation[] = Object.entries(DOCUMENT.paths).flatMap(([path, item]) => {
  const below = item.servers === undefined ? '/v1' : ''
  const { get, post } = item
  return [
    ...(get === undefined ? [] : [{ method: 'GET', path: below + path, schema: undefined }]),
    ...(post === undefined
      ? []
      : [{ method: 'POST', path: below + path, schema: post.requestBody?.content['application/json']?.schema }]),
  ]
})
/** The two whose bodies are described have as many ways to be wrong as all others together. */
const DESCRIBED = OPERATIONS.filter(({ schema }) => schema !== undefined)

const METHODS = ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'TRACE', 'get', 'QUERY']
const SEGMENTS = [
  'a',
  '%00',
  '%ff',
  '%2e%2e',
  '..',
  '%25',
  '%',
  '%zz',
  ';x',
  "'",
  '*',
  '~',
  '%E6%A8%A1',
  '0'.repeat(300),
  '{id}',
  '"',
]
const QUERIES = [
  '',
  '',
  '',
  '',
  '?',
  '?a',
  '?a=b&a=c',
  '?%',
  '?limit=-1',
  '?after=%00',
  '?stream=true',
  '?a[]=b',
  `?${'a'.repeat(3000)}`,
  '?model=',
  '??',
]

const CONTENT_TYPES = [
  ...[
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset=utf-16',
    'APPLICATION/JSON',
    'text/plain',
    'application/xml',
  ],
  ...[
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    '',
    '*/*',
    ';',
  ],
  ...[
    'application/json; boundary=x',
    'application/problem+json',
    'image/png',
    'application',
    '/',
    'application/json, text/plain',
  ],
]
/** None that a browser would send: it gets a page, and is meant to. */
const ODD_HEADERS = [
  ...[
    'Accept: application/xml',
    'Accept: ',
    'Content-Encoding: gzip',
    'Content-Encoding: br',
    'Content-Encoding: x',
    'Content-Encoding: gzip, gzip',
  ],
  ...[
    'Idempotency-Key: ',
    `Idempotency-Key: ${'k'.repeat(2000)}`,
    'Cache-Control: max-age=x',
    'Cache-Control: no-store, only-if-cached',
  ],
  ...[
    'Expect: 100-continue',
    'Expect: x',
    'X-Request-Id: \xff',
    'X-Stainless-Timeout: -1',
    'X-Stainless-Read-Timeout: x',
    'Range: bytes=0-1',
  ],
  ...[
    'If-None-Match: *',
    'Origin: null',
    'Cookie: a',
    'OpenAI-Organization: \x80',
    'traceparent: x',
    'Upgrade: x',
    'TE: trailers',
    'X-A:',
  ],
]

/** Makes a run's requests; each is determined by the seed and its place. */
export function badRequests(seed: number, count: number): readonly BadRequest[] {
  return fc.sample(REQUEST, { seed, numRuns: count }).map((request, index) => ({ ...request, id: `request-${index}` }))
}

const mostly = <T>(right: fc.Arbitrary<T>, odd: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 7, arbitrary: right }, { weight: 1, arbitrary: fc.constantFrom(...odd) })

const OPERATION = fc.oneof(fc.constantFrom(...DESCRIBED), fc.constantFrom(...DESCRIBED), fc.constantFrom(...OPERATIONS))

const REQUEST = OPERATION.chain((operation) =>
  fc.record({
    method: mostly(fc.constant(operation.method), METHODS),
    target: targetOf(operation.path),
    headers: fc
      .tuple(
        mostly(fc.constant('application/json'), CONTENT_TYPES),
        fc.array(fc.constantFrom(...ODD_HEADERS), { maxLength: 1 }),
      )
      .map(([type, odd]) => [`Content-Type: ${type}`, ...odd].map((line) => `${line}\r\n`).join('')),
    body: operation.method === 'GET' ? mostly(fc.constant(undefined), [new Uint8Array(3)]) : bodyOf(operation.schema),
  }),
)

function targetOf(path: string): fc.Arbitrary<string> {
  const filled = fc.constantFrom(...SEGMENTS).map((segment) => path.replaceAll(/\{\w+\}/g, segment))
  const longer = fc.tuple(filled, fc.constantFrom(...SEGMENTS)).map(([target, segment]) => `${target}/${segment}`)
  return fc
    .tuple(fc.oneof({ weight: 5, arbitrary: filled }, { weight: 1, arbitrary: longer }), fc.constantFrom(...QUERIES))
    .map(([target, query]) => target + query)
}

/** What is no JSON object, or not as one writes it. */
const ODD_BODIES: readonly string[] = [
  ...[
    '',
    ' ',
    'null',
    'true',
    '0',
    '"a"',
    '[]',
    '[{}]',
    '{',
    '}',
    '{}}',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    "{'a':1}",
    '{"a":NaN}',
    '{"a":01}',
    '\ufeff{}',
  ],
  ...[
    '{"model":"a","model":"b","messages":[]}',
    '{"messages":[],"messages":null}',
    '{"model":"\\ud800","messages":[{"role":"user","content":"a"}]}',
  ],
  ...[
    `${'['.repeat(2000)}`,
    `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    `{"n":${'9'.repeat(400)}}`,
    `{"n":1e999}`,
    `{"a":"${'a'.repeat(70_000)}"}`,
  ],
  ...[
    '--x\r\nContent-Disposition: form-data; name="model"\r\n\r\na\r\n--x--\r\n',
    '--x',
    'model=a&messages=b',
    '<a/>',
    'data: {}\n\n',
    '\0\0\0',
  ],
]

function bodyOf(schema: JsonSchema | undefined): fc.Arbitrary<Uint8Array | undefined> {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
  const odd = fc.constantFrom(...ODD_BODIES).map(encode)
  const bytes = fc.uint8Array({ maxLength: 200 })
  const whole = valuesOf(schema ?? { type: 'object', properties: {} }, SCHEMAS).map((value) =>
    encode(JSON.stringify(value) ?? ''),
  )
  // A right one of which a byte is not.
  const damaged = fc.tuple(whole, fc.nat(), fc.nat(255)).map(([body, at, byte]) => {
    const copy = body.slice()
    if (copy.byteLength > 0) copy[at % copy.byteLength] = byte
    return copy
  })
  return fc.oneof(
    { weight: 10, arbitrary: whole },
    { weight: 2, arbitrary: damaged },
    { weight: 2, arbitrary: odd },
    { weight: 1, arbitrary: bytes },
  )
}
