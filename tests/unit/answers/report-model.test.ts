import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type RenameModel, reportModel } from '../../../src/answers/report-model.ts'
import { isJsonObject, type JsonObject } from '../../../src/formats/json/json.ts'
import { collectStream, streamOf } from './collect-stream.ts'

const MIB = 1024 * 1024

const always =
  (name: string): RenameModel =>
  (_model, isItem) =>
    isItem ? undefined : name

function whole(text: string, name = 'smart'): string {
  const bytes = reportModel(always(name)).json.whole(new TextEncoder().encode(text))
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}

async function streamed(chunks: readonly (string | Uint8Array)[], name = 'smart'): Promise<string> {
  const { text, isBroken } = await collectStream(reportModel(always(name)).events.stream(streamOf(chunks)))
  expect(isBroken).toBe(false)
  return text
}

describe('an answer that is there as a whole', () => {
  test.each([
    ['{"model":"gpt-4o"}', '{"model":"smart"}'],
    [
      ' {\r\n "id" : 1e400, "model"\t: "gpt-4o-2024" ,"a":[{"model":"x"}] }\n',
      ' {\r\n "id" : 1e400, "model"\t: "smart" ,"a":[{"model":"x"}] }\n',
    ],
    ['\ufeff{"model":"gpt-4o"}', '\ufeff{"model":"smart"}'],
    ['{"mod\\u0065l":"a","model":"b\\"","model":""}', '{"mod\\u0065l":"smart","model":"smart","model":"smart"}'],
    [
      '{"type":"response.created","response":{"id":"r","model":"m"}}',
      '{"type":"response.created","response":{"id":"r","model":"smart"}}',
    ],
    [
      '{"model":"a","response":{"model":"b","response":{"model":"c"}}}',
      '{"model":"smart","response":{"model":"smart","response":{"model":"c"}}}',
    ],
  ])('has its own name for the model replaced: %p', (before, after) => {
    expect(whole(before)).toBe(after)
  })

  test.each([
    '{"model":null}',
    '{"model":{"model":"a"}}',
    '{"data":[{"model":"a"}],"response":"model"}',
    '{"response":[{"model":"a"}]}',
    '[{"model":"a"}]',
    '"model"',
    '{}{"model":"a"}',
    'x{"model":"a"}',
    '{"model":"a',
    '{"a":{"model":"a"},"b":["model","a"],"c":"model","d":"\\"model\\":\\"a\\""}',
    '<html>model</html>',
    '',
  ])('stays as it is without one: %p', (text) => {
    expect(whole(text)).toBe(text)
  })

  test('has its very bytes where it names no model', () => {
    const bytes = new Uint8Array([...new TextEncoder().encode('{"x":"'), 0xff, 0x22, 0x7d])
    expect(reportModel(always('smart')).json.whole(bytes)).toBe(bytes)
  })

  test('may have names in a list changed by what they are, and keeps those that nobody knows', () => {
    const list =
      '{"object":"list","model":"z","data":[{"model":"a","x":{"model":"a"}},"a",[{"model":"a"}],{"model": "b"}]}'
    const { whole: change } = reportModel((model, isItem) => (model === 'a' ? `${isItem}` : undefined)).json
    expect(new TextDecoder().decode(change(new TextEncoder().encode(list)))).toBe(
      list.replace('"data":[{"model":"a"', '"data":[{"model":"true"'),
    )
  })

  test('gets a name as JSON, whatever is in it', () => {
    expect(whole('{"model":"a"}', 'a"\\\n é\u2028')).toBe('{"model":"a\\"\\\\\\n é\u2028"}')
  })
})

describe('a stream of events', () => {
  test.each([
    ['data: {"model":"a"}\n\ndata: [DONE]\n\n', 'data: {"model":"smart"}\n\ndata: [DONE]\n\n'],
    ['data:{"model":"a"}\r\n\r\n', 'data:{"model":"smart"}\r\n\r\n'],
    ['data: \t{"model":"a"} \r\r', 'data: \t{"model":"smart"} \r\r'],
    [': ping\nevent: x\ndata: {"model":"a"}\nid: 1\n\n', ': ping\nevent: x\ndata: {"model":"smart"}\nid: 1\n\n'],
    ['\n\ndata: {"response":{"model":"a"}}\n\n', '\n\ndata: {"response":{"model":"smart"}}\n\n'],
    ['data: {"model":"a"}\n\r\n: x\n\n', 'data: {"model":"smart"}\n\r\n: x\n\n'],
    ['data: {"model":\ndata: "a"}\n\n', 'data: {"model":\ndata: "smart"}\n\n'],
    ['data: {"x":"\ndata: {"model":"a"}\n\n', 'data: {"x":"\ndata: {"model":"a"}\n\n'],
    ['data: {"x":"\n\ndata: {"model":"a"}\n\n', 'data: {"x":"\n\ndata: {"model":"smart"}\n\n'],
    ['\ufeffdata: {"model":"a"}\n\n', '\ufeffdata: {"model":"smart"}\n\n'],
    ['data: {"model":"a"}', 'data: {"model":"smart"}'],
  ])('has the name in each: %p', async (before, after) => {
    expect(await streamed([before])).toBe(after)
  })

  test.each([
    'data\n{"model":"a"}\n\n',
    'datum: {"model":"a"}\n\n',
    ' data: {"model":"a"}\n\n',
    'data: {"model":"a\n\n',
    'data: {"model":"a\ndata: b"}\n\n',
    'data: [{"model":"a"}]\n\n',
    'event: {"model":"a"}\n\n',
    'data: "model"\n\n',
    ': data: {"model":"a"}\n\n',
    '',
  ])('stays as it is where no event has one: %p', async (text) => {
    expect(await streamed([text])).toBe(text)
  })

  test('holds nothing back but a name that has not ended, and is not read before it is asked for', async () => {
    let pulls = 0
    const chunks = ['data: {"mod', 'el":"a', 'b', '"}\n', '\ndata: {"x":"']
    const source = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulls += 1
          const chunk = chunks.shift()
          if (chunk === undefined) controller.close()
          else controller.enqueue(new TextEncoder().encode(chunk))
        },
      },
      { highWaterMark: 0 },
    )
    const reader = reportModel(always('smart')).events.stream(source).getReader()
    const next = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value)
    await Promise.resolve()
    expect(pulls).toBe(0)
    expect(await next()).toBe('data: {"mod')
    expect(await next()).toBe('el":')
    expect(await next()).toBe('"smart"}\n')
    expect(pulls).toBe(4)
    expect(await next()).toBe('\ndata: {"x":"')
    expect((await reader.read()).done).toBe(true)
  })

  test('that breaks gives what came before, then its error', async () => {
    const failure = new Error('cut')
    const stream = reportModel(always('smart')).events.stream(streamOf(['data: {"model":"a"}\n\ndata: {"mo'], failure))
    const reader = stream.getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: {"model":"smart"}\n\ndata: {"mo')
    expect(await reader.read().catch((cause: unknown) => [cause])).toEqual([undefined])
  })

  test('that nobody reads any more is cancelled at its source', async () => {
    let reason: unknown
    const source = new ReadableStream<Uint8Array>({
      cancel: (cause) => {
        reason = cause
      },
    })
    await reportModel(always('smart')).events.stream(source).cancel('enough')
    expect(reason).toBe('enough')
  })

  test('has the name in events of any size, and passes them on before they end', async () => {
    const response = JSON.stringify({ type: 'response.completed', response: { x: 'y'.repeat(3 * MIB), model: 'a' } })
    const long = `event: response.completed\r\ndata: ${response}\r\n\r\n`
    const text = `${long}data: {"x":"\\\\${'"model":"a'.repeat(3).replaceAll('"', '\\"')}","model":"a"}\n\n`
    const changed = text.replace('"model":"a"}}', '"model":"smart"}}').replace(',"model":"a"}\n', ',"model":"smart"}\n')
    expect(await streamed([text])).toBe(changed)
    const pieces = Array.from({ length: Math.ceil(text.length / 65_536) }, (_, index) =>
      text.slice(index * 65_536, (index + 1) * 65_536),
    )
    expect(await streamed(pieces)).toBe(changed)
    const reader = reportModel(always('smart')).events.stream(streamOf(pieces)).getReader()
    expect((await reader.read()).value?.byteLength).toBe(65_536)
    await reader.cancel()
  })

  test('comes out the same however it is cut into chunks', async () => {
    const line = fc.constantFrom(
      ...[
        'data: {"model":"gpt-4o","x":"é🎉"}',
        'data:{"response":{"model":"m"}}',
        'data: [DONE]',
        ': ping',
        'data',
        '',
      ],
      ...['event: é', 'data: {"model":', 'data: "a"}', '\ufeffdata: {"model":"a"}'],
    )
    const ending = fc.constantFrom('\n', '\r\n', '\r')
    const text = fc
      .array(fc.tuple(line, ending, ending), { maxLength: 12 })
      .map((lines) => lines.map(([content, one, blank]) => content + one + blank).join(''))
    const cuts = fc.array(fc.nat(400), { maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(text, cuts, async (source, at) => {
        const bytes = new TextEncoder().encode(source)
        const ends = [...new Set([...at.filter((cut) => cut < bytes.byteLength), bytes.byteLength])].toSorted(
          (a, b) => a - b,
        )
        const chunks = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
        expect(await streamed(chunks)).toBe(await streamed([bytes]))
        expect(await streamed([...bytes].map((byte) => new Uint8Array([byte])))).toBe(await streamed([bytes]))
      }),
      { numRuns: 300 },
    )
  })

  test('is what parsing, changing and writing would make of it, however it is cut', async () => {
    const named = fc.dictionary(
      fc.constantFrom('model', 'response', 'data', 'x', 'mo"del', ''),
      fc.jsonValue({ maxDepth: 2 }),
    )
    const value = fc.record(
      { model: fc.jsonValue(), response: fc.oneof(named, fc.jsonValue()), data: fc.array(named) },
      { requiredKeys: [] },
    )
    const rename: RenameModel = (model, isItem) => `${model}${isItem ? 1 : 2}`
    const change = (holder: unknown, isItem: boolean): unknown => {
      if (!isJsonObject(holder) || typeof holder['model'] !== 'string') return holder
      return { ...holder, model: rename(holder['model'], isItem) }
    }
    const expected = (one: JsonObject): unknown => {
      const own = change(one, false) as Record<string, unknown>
      if ('response' in own) own['response'] = change(own['response'], false)
      if (Array.isArray(own['data'])) own['data'] = own['data'].map((item) => change(item, true))
      return own
    }
    await fc.assert(
      fc.asyncProperty(
        value,
        fc.integer({ min: 0, max: 2 }),
        fc.integer({ min: 1, max: 9 }),
        async (one, indent, size) => {
          const bytes = new TextEncoder().encode(JSON.stringify(one, null, indent))
          const chunks = Array.from({ length: Math.ceil(bytes.byteLength / size) }, (_, index) =>
            bytes.subarray(index * size, (index + 1) * size),
          )
          const { text } = await collectStream(reportModel(rename).json.stream(streamOf(chunks)))
          expect(text).toBe(JSON.stringify(expected({ ...one } as JsonObject), null, indent))
        },
      ),
      { numRuns: 500 },
    )
  })

  test('loses no byte: with the name that is there already nothing changes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), async (noise) => {
        const event = new TextEncoder().encode('data: {"model":"smart"}\r\n\r\n')
        const chunks = noise.flatMap((bytes) => [bytes, event])
        const { chunks: out } = await collectStream(reportModel(always('smart')).events.stream(streamOf(chunks)))
        expect(Buffer.compare(Buffer.concat(out), Buffer.concat(chunks))).toBe(0)
      }),
      { numRuns: 300 },
    )
  })
})
