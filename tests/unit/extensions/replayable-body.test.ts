import { expect, test } from 'bun:test'
import { MemoryBudget } from '../../../src/exchange/memory-budget.ts'
import { ReplayableBody } from '../../../src/extensions/replayable-body.ts'
import { WholeBody } from '../../../src/server/http1/transaction-body.ts'
import { arriving, bodyMemoryOf, incomingOf } from './chain-under-test.ts'

const MIB = 'x'.repeat(1024 * 1024)

/** The headers of JSON of some length. */
function told(bytes: string | null, type = 'application/json'): Headers {
  return new Headers({ 'content-type': type, ...(bytes !== null && { 'content-length': bytes }) })
}

function text(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text()
}

test('a body that has come is given as it is, again and again', async () => {
  const bytes = new TextEncoder().encode('abc')
  const body = new ReplayableBody(incomingOf(bytes), told('3'), 10, bodyMemoryOf())
  expect(body.isComplete).toBe(true)
  expect(body.whole()).toBe(bytes)
  expect([await text(body.stream()), await text(body.stream())]).toEqual(['abc', 'abc'])
})

test('whoever reads it gets a copy: writing into it changes nothing', async () => {
  const body = new ReplayableBody(incomingOf(new TextEncoder().encode('abc')), told('3'), 10, bodyMemoryOf())
  const { value } = await body.stream().getReader().read()
  value?.fill(0)
  expect(await text(body.stream())).toBe('abc')
})

test('two that read the same chunk at the same time get one each', async () => {
  const body = new ReplayableBody(arriving(['abc']), told(null), 10, bodyMemoryOf())
  const [one, two] = [body.stream().getReader(), body.stream().getReader()]
  const writing = one.read().then(({ value }) => value?.fill(0))
  const { value } = await two.read()
  await writing
  expect(new TextDecoder().decode(value)).toBe('abc')
})

test('a short one of a told length is read as a whole, once', async () => {
  const source = arriving(['a', 'b'])
  const body = new ReplayableBody(source, told('2'), 10, bodyMemoryOf())
  expect(body.isComplete).toBe(false)
  expect(await text(body.stream())).toBe('ab')
  expect(new TextDecoder().decode(await body.whole())).toBe('ab')
  expect(body.isComplete).toBe(true)
  expect(source.asked()).toBe(3)
})

test('a long one, or one of no told length, is read as it comes, by any number of readers', async () => {
  for (const bytes of [null, '20']) {
    const source = arriving(['a', 'b', 'c'])
    const body = new ReplayableBody(source, told(bytes), 10, bodyMemoryOf())
    const [one, two] = [body.stream().getReader(), body.stream().getReader()]
    expect(source.asked()).toBe(0)
    const first = await Promise.all([one.read(), two.read()])
    expect(first.map(({ value }) => new TextDecoder().decode(value))).toEqual(['a', 'a'])
    expect(source.asked()).toBe(1)
    expect(await text(body.stream())).toBe('abc')
    expect(new TextDecoder().decode(await body.whole())).toBe('abc')
  }
})

test('what is too long to be kept goes by once, and says so', async () => {
  const body = new ReplayableBody(arriving(['a', MIB, 'c']), told(null), 10, bodyMemoryOf())
  expect((await text(body.stream())).length).toBe(MIB.length + 2)
  expect(await text(body.stream()).catch((thrown: unknown) => String(thrown))).toContain('has gone by')
})

test('what was read elsewhere is kept', async () => {
  const body = new ReplayableBody(arriving(['a', MIB]), told(null), 10, bodyMemoryOf())
  await text(body.stream())
  body.setWhole(new TextEncoder().encode('kept'))
  expect(await text(body.stream())).toBe('kept')
})

test('a body that fails tells everyone who asks', async () => {
  const failing = {
    isComplete: false,
    whole: () => Promise.reject(new Error('cut')),
    stream: () => new Blob([]).stream(),
  }
  const body = new ReplayableBody(failing, told('2'), 10, bodyMemoryOf())
  expect(await text(body.stream()).catch((thrown: unknown) => String(thrown))).toContain('cut')
  expect(await Promise.resolve(body.whole()).catch((thrown: unknown) => String(thrown))).toContain('cut')
})

test('an upload is not held back to be read as a whole, however long JSON may be', async () => {
  const bytes = String(2 * MIB.length)
  const upload = arriving([MIB, MIB])
  const reader = new ReplayableBody(
    upload,
    told(bytes, 'multipart/form-data; boundary=x'),
    10 * MIB.length,
    bodyMemoryOf(),
  )
    .stream()
    .getReader()
  await reader.read()
  expect(upload.asked()).toBe(1)
  const json = arriving([MIB, MIB])
  await new ReplayableBody(json, told(bytes), 10 * MIB.length, bodyMemoryOf()).stream().getReader().read()
  expect(json.asked()).toBe(3)
})

test('of a stream, nothing is kept that there is no memory for: whoever comes late is told so', async () => {
  const memory = new MemoryBudget(100_000)
  const chunk = 'x'.repeat(90_000)
  const body = new ReplayableBody(
    arriving([chunk, chunk]),
    told(null, 'application/octet-stream'),
    10,
    bodyMemoryOf(memory),
  )
  expect(await text(body.stream())).toHaveLength(2 * chunk.length)
  expect(memory.usedBytes).toBeLessThanOrEqual(100_000)
  expect(await text(body.stream()).catch((thrown: unknown) => thrown)).toBeInstanceOf(TypeError)
})

test('what is read as a whole is counted, once', async () => {
  const memory = new MemoryBudget(200_000)
  const body = new ReplayableBody(arriving(['x'.repeat(150_000)]), told('150000'), 1_000_000, bodyMemoryOf(memory))
  await body.whole()
  await body.whole()
  expect(memory.usedBytes).toBe(150_000)
})

test('a body that there was no memory for is not lost: who asks again gets all of it, or the refusal again', async () => {
  const memory = new MemoryBudget(100_000)
  const source = new WholeBody(Buffer.alloc(90_000, 'x'))
  const body = new ReplayableBody(source, told('90000'), 1_000_000, bodyMemoryOf(memory))
  memory.take(50_000)
  for (let times = 0; times < 2; times += 1) expect(() => body.whole()).toThrow('as many bytes')
  memory.give(50_000)
  expect(await text(body.stream())).toHaveLength(90_000)
})
