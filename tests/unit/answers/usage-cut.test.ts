import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { UsageCut } from '../../../src/answers/usage-cut.ts'
import type { JsonObject } from '../../../src/formats/json/json.ts'

interface Cut {
  readonly shown: string
  readonly told: JsonObject[]
}

function cut(chunks: readonly Uint8Array[], isCutEverywhere = true): Cut {
  const told: JsonObject[] = []
  const one = new UsageCut({ isCutEverywhere, onUsage: (value) => told.push(value), onBytes: undefined })
  const shown = [...chunks.map((chunk) => one.add(chunk)), one.end()]
  return { shown: shown.map((bytes) => new TextDecoder().decode(bytes)).join(''), told }
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const USAGE = '{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}'

/** A stream as it comes where usage was asked for, and as it comes where it was not. */
interface Pair {
  readonly asked: string
  readonly plain: string
}

const event = (data: string): string => `data: ${data}\n\n`
const STREAMS: Readonly<Record<string, Pair>> = {
  openai: {
    asked: [
      event(
        '{"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"usage":null,"obfuscation":"a1"}',
      ),
      event(
        '{"id":"c","choices":[{"index":0,"delta":{"content":"\\"usage\\":null é"}}],"usage":null,"obfuscation":"b}"}',
      ),
      event('{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}'),
      event(`{"id":"c","choices":[],"usage":${USAGE},"obfuscation":""}`),
      event('[DONE]'),
    ].join(''),
    plain: [
      event('{"id":"c","choices":[{"index":0,"delta":{"role":"assistant","content":""}}],"obfuscation":"a1"}'),
      event('{"id":"c","choices":[{"index":0,"delta":{"content":"\\"usage\\":null é"}}],"obfuscation":"b}"}'),
      event('{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'),
      event('[DONE]'),
    ].join(''),
  },
  azure: {
    asked: [
      event('{"choices":[],"prompt_filter_results":[{"prompt_index":0}],"usage":null}'),
      event('{"choices":[{"delta":{"content":"x"},"finish_reason":null}],"usage": null}'),
      event(`{"choices":[],"usage":${USAGE}}`),
      event('[DONE]'),
    ].join(''),
    plain: [
      event('{"choices":[],"prompt_filter_results":[{"prompt_index":0}]}'),
      event('{"choices":[{"delta":{"content":"x"},"finish_reason":null}]}'),
      event('[DONE]'),
    ].join(''),
  },
  python: {
    asked: `: ping\n\ndata: {"usage": null, "choices": [{"text": "a", "usage": null}]}\n\ndata: {"choices": [], "usage": ${USAGE}}\n\ndata: [DONE]\n\n`,
    plain: ': ping\n\ndata: {"choices": [{"text": "a", "usage": null}]}\n\ndata: [DONE]\n\n',
  },
  litellm: {
    asked: event(
      `{"choices":[{"index":0,"delta":{"content":null,"role":null},"finish_reason":null}],"usage":${USAGE}}`,
    ),
    plain: '',
  },
  continuous: {
    asked: [
      event(`{"choices":[{"delta":{"content":"a"}}],"usage":${USAGE}}`),
      event(`{"choices":[],"usage":${USAGE}}`),
    ].join(''),
    plain: event('{"choices":[{"delta":{"content":"a"}}]}'),
  },
  'without a blank line at the end': {
    asked: `data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: {"choices":[],"usage":${USAGE}}`,
    plain: 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n',
  },
}

for (const [name, { asked, plain }] of Object.entries(STREAMS)) {
  for (const [ends, lineEnd] of [
    ['LF', '\n'],
    ['CR LF', '\r\n'],
    ['CR', '\r'],
  ] as const) {
    test(`${name}, ${ends}: the stream is what it would have been without asking, in whatever chunks it comes`, () => {
      const bytes = bytesOf(asked.replaceAll('\n', lineEnd))
      const expected = plain.replaceAll('\n', lineEnd)
      fc.assert(
        fc.property(fc.array(fc.nat({ max: bytes.byteLength }), { maxLength: 8 }), (cuts) => {
          const bounds = [0, ...cuts.toSorted((a, b) => a - b), bytes.byteLength]
          const chunks = bounds.slice(1).map((end, at) => bytes.subarray(bounds[at], end))
          expect(cut(chunks).shown).toBe(expected)
        }),
      )
      const { shown, told } = cut([...bytes].map((byte) => new Uint8Array([byte])))
      expect(shown).toBe(expected)
      expect(told.at(-1)?.['usage']).toEqual(JSON.parse(USAGE))
    })
  }
}

test('where a server may tell usage without being asked, what it tells beside a choice stays', () => {
  const last = event(`{"choices":[{"delta":{"content":""},"finish_reason":"stop"}],"usage":${USAGE}}`)
  expect(cut([bytesOf(last)], false)).toMatchObject({ shown: last, told: [{ choices: [{ finish_reason: 'stop' }] }] })
  expect(cut([bytesOf(event(`{"choices":[],"usage":${USAGE}}`))], false).shown).toBe('')
})

test("an event of OpenRouter's stays: it tells its usage to everybody, asked or not", async () => {
  const text = await Bun.file(new URL('../../fixtures/usage/openrouter-stream.sse', import.meta.url)).text()
  expect(cut([bytesOf(text)], false).shown).toBe(text)
})

test('what is no JSON, or has several lines of data, goes on as it came', () => {
  const streams = [
    'data: {"usage":null\n\n',
    'data: {"choices":[],\ndata: "usage":{}}\n\n',
    'event: usage\ndata: "usage"\n\n',
  ]
  for (const text of streams) expect(cut([bytesOf(text)]).shown).toBe(text)
})

test('an event that is too long to be held goes on as it came', () => {
  const long = `data: {"a":"${'x'.repeat(300_000)}","usage":null}\n\n`
  const chunks = [bytesOf(long.slice(0, 280_000)), bytesOf(long.slice(280_000))]
  expect(cut(chunks).shown === long).toBe(true)
})

test('a chunk without a word of usage goes on as the same bytes', () => {
  const chunk = bytesOf(event('{"choices":[]}'))
  const one = new UsageCut({ isCutEverywhere: true, onUsage() {}, onBytes: undefined })
  one.add(chunk)
  expect(one.add(chunk)).toBe(chunk)
})

test("a null beside llama.cpp's timings is cut, and the timings are told", () => {
  const chunk = '{"choices":[{"delta":{"content":"x"}}],"timings":{"prompt_n":3,"predicted_n":2},"usage":null}'
  const { shown, told } = cut([bytesOf(event('{"choices":[]}')), bytesOf(event(chunk))])
  expect(shown).toBe(event('{"choices":[]}') + event(chunk.replace(',"usage":null', '')))
  expect(told.at(-1)?.['timings']).toEqual({ prompt_n: 3, predicted_n: 2 })
})

test('a text that speaks of usage goes on as the same bytes', () => {
  const chunk = bytesOf(event('{"choices":[{"delta":{"content":"{\\"usage\\":null} and \\"timings\\":{}"}}]}'))
  const told: JsonObject[] = []
  const one = new UsageCut({ isCutEverywhere: true, onUsage: (value) => told.push(value), onBytes: undefined })
  one.add(bytesOf(event('{"choices":[]}')))
  expect(one.add(chunk)).toBe(chunk)
  expect(told).toHaveLength(1)
})
