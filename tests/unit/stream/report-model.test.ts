import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { reportModel } from '../../../src/stream/report-model.ts'
import { collectStream, streamOf } from './collect-stream.ts'

const MIB = 1024 * 1024

function whole(text: string, name = 'smart'): string {
  const bytes = reportModel(name).whole(new TextEncoder().encode(text))
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}

async function streamed(chunks: readonly (string | Uint8Array)[], name = 'smart'): Promise<string> {
  const { text, isBroken } = await collectStream(reportModel(name).stream(streamOf(chunks)))
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
    '{"model":"a"',
    '{"model":"a"}{"model":"a"}',
    '<html>model</html>',
    '',
  ])('stays as it is without one: %p', (text) => {
    expect(whole(text)).toBe(text)
  })

  test('that is no UTF-8 stays as it is, and so do the very bytes of one without a model', () => {
    const bytes = new Uint8Array([...new TextEncoder().encode('{"model":"'), 0xff, 0x22, 0x7d])
    expect(reportModel('smart').whole(bytes)).toBe(bytes)
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
  ])('has the name in each: %p', async (before, after) => {
    expect(await streamed([before])).toBe(after)
  })

  test.each([
    'data: {"model":\ndata: "a"}\n\n',
    'data: {"model":"a"}\ndata\n\n',
    'data\n{"model":"a"}\n\n',
    'datum: {"model":"a"}\n\n',
    ' data: {"model":"a"}\n\n',
    'data: {"model":"a"} {}\n\n',
    'data: "model"\n\n',
    ': data: {"model":"a"}\n\n',
    'data: {"model":"a"}\n',
    'data: {"model":"a"}',
    '',
  ])('stays as it is where no event has one: %p', async (text) => {
    expect(await streamed([text])).toBe(text)
  })

  test('gives each event as soon as its boundary has come, and not before it is asked for', async () => {
    let pulls = 0
    const chunks = ['data: {"mod', 'el":"a"}\n', '\ndata: {"model":"b"}\r\r', '\n\n']
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
    const reader = reportModel('smart').stream(source).getReader()
    const next = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value)
    await Promise.resolve()
    expect(pulls).toBe(0)
    expect(await next()).toBe('data: {"model":"smart"}\n\ndata: {"model":"smart"}\r\r')
    expect(pulls).toBe(3)
    expect(await next()).toBe('\n\n')
    expect((await reader.read()).done).toBe(true)
  })

  test('that breaks gives the events before, then its error, and nothing of what is not complete', async () => {
    const failure = new Error('cut')
    const stream = reportModel('smart').stream(streamOf(['data: {"model":"a"}\n\ndata: {"mo'], failure))
    const reader = stream.getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: {"model":"smart"}\n\n')
    expect(await reader.read().catch((cause: unknown) => cause)).toBe(failure)
  })

  test('that nobody reads any more is cancelled at its source', async () => {
    let reason: unknown
    const source = new ReadableStream<Uint8Array>({
      cancel: (cause) => {
        reason = cause
      },
    })
    await reportModel('smart').stream(source).cancel('enough')
    expect(reason).toBe('enough')
  })

  test('passes an event of more than 1 MiB on before it ends, unchanged, and changes the next one', async () => {
    const long = `data: {"model":"a","x":"${'y'.repeat(MIB)}"}\n\n`
    const short = 'data: {"model":"a"}\n\n'
    const changed = `${long}data: {"model":"smart"}\n\n`
    expect(await streamed([long + short])).toBe(changed)
    const pieces = Array.from({ length: Math.ceil(long.length / 65_536) }, (_, index) =>
      long.slice(index * 65_536, (index + 1) * 65_536),
    )
    expect(await streamed([...pieces, short])).toBe(changed)
    const reader = reportModel('smart')
      .stream(streamOf([long.slice(0, -2)]))
      .getReader()
    expect((await reader.read()).value?.byteLength).toBe(long.length - 2)
  })

  test('has the name in an event of just 1 MiB', async () => {
    const around = 'data: {"model":"a","x":""}\n\n'.length
    const event = `data: {"model":"a","x":"${'y'.repeat(MIB - around)}"}\n\n`
    expect(await streamed([event])).toBe(event.replace('"a"', '"smart"'))
    expect(await streamed([event.slice(0, 10), event.slice(10)])).toBe(event.replace('"a"', '"smart"'))
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

  test('loses no byte: with the name that is there already nothing changes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), async (noise) => {
        const event = new TextEncoder().encode('data: {"model":"smart"}\r\n\r\n')
        const chunks = noise.flatMap((bytes) => [bytes, event])
        const { chunks: out } = await collectStream(reportModel('smart').stream(streamOf(chunks)))
        expect(Buffer.compare(Buffer.concat(out), Buffer.concat(chunks))).toBe(0)
      }),
      { numRuns: 300 },
    )
  })
})
