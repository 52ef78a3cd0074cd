import { expect, test } from 'bun:test'
import { TooManyValues } from '../../../../src/formats/json/json-builder.ts'
import { JsonParser } from '../../../../src/formats/json/json-parser.ts'
import { MemberScan, UNREAD } from '../../../../src/formats/json/member-scan.ts'
import { scanByBytes } from '../../../../src/formats/json/scan-nesting.ts'
import { cpuMs } from '../../../helpers/cpu-time.ts'
import { bytesOf } from './json-texts.ts'

const WINDOWS = [1, 2, 3, 7, 40, 32 * 1024]

function scan(bytes: Uint8Array, windowBytes?: number): MemberScan {
  const members = new MemberScan(bytes, windowBytes)
  while (!members.goOn(() => true));
  return members
}

test('short values are parsed, and what is in long ones is not looked into', () => {
  const text = `\ufeff {"model":"m\\u0041","n":-0,"stop":["a"],"__proto__":null,"prompt":"${'x'.repeat(2000)}","stream":true} \n`
  for (const windowBytes of WINDOWS) {
    expect(Object.entries(scan(bytesOf(text), windowBytes).value)).toEqual([
      ['model', 'mA'],
      ['n', -0],
      ['stop', UNREAD],
      ['__proto__', null],
      ['prompt', UNREAD],
      ['stream', true],
    ])
  }
})

test('of two members with one name the last one counts, also where it is long', () => {
  expect(scan(bytesOf('{"model":"a","model":"b"}')).value).toEqual({ model: 'b' })
  expect(scan(bytesOf('{"model":"a","model":{}}')).value).toEqual({ model: UNREAD })
  expect(scan(bytesOf('{"mod\\u0065l":["a"],"model":"b"}')).value).toEqual({ model: 'b' })
})

test('brackets and quotes within strings do not count, wherever a window ends', () => {
  const strings = ['"}"', '"\\"]}"', '"\\\\"', '"\\\\\\""', `"${'x'.repeat(70)}\\"}"`, `"${'\\"'.repeat(50)}"`]
  const text = `{"a":[${strings.join(',')}],"b":{${strings.map((one) => `${one}:${one}`).join()}},"c":1}`
  for (let windowBytes = 1; windowBytes < 80; windowBytes += 1) {
    expect(scan(bytesOf(text), windowBytes).value).toEqual({ a: UNREAD, b: UNREAD, c: 1 })
  }
})

test.each([
  ...[
    '',
    ' ',
    '{',
    '[]',
    '"a"',
    '1',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,',
    '{"a":1,}',
    '{,}',
    '{"a" 1}',
    '{"a":}',
    '{1:2}',
  ],
  ...[
    '{"a":[}',
    '{"a":{]',
    '{"a":[]',
    '{"a":"',
    '{"a":"\\"',
    '{"a":"\t"}',
    '{"a":"\\x"}',
    '{"a":01}',
    '{"a":1 2}',
    '{"a":1]',
  ],
  ...[
    '{"a":tru}',
    '{"a":nullx}',
    '{} {}',
    '{}x',
    '{"a\n":1}',
    '{"a":\u00a01}',
    '{"a":1\u0001}',
    '\u00a0{}',
    '{\ufeff}',
    '{"a":[\\"],"b":["]}',
    `{"a":[${' '.repeat(100)}\\]}`,
  ],
])('a text that is certainly no object of JSON is refused: %j', (text) => {
  for (const windowBytes of WINDOWS) expect(() => scan(bytesOf(text), windowBytes)).toThrow(SyntaxError)
})

test('bytes that are not UTF-8 are refused where they are looked at', () => {
  const bytes = bytesOf('{"a":"?"}')
  bytes[6] = 0xff
  expect(() => scan(bytes)).toThrow(TypeError)
})

test('a value may nest as deep as it likes, and an object has no more members than any API knows', () => {
  const deep = 100_000
  expect(scan(bytesOf(`{"a":${'['.repeat(deep)}${']'.repeat(deep)}}`)).value).toEqual({ a: UNREAD })
  const many = Array.from({ length: 20_001 }, (_, at) => `"${at}":0`)
  expect(() => scan(bytesOf(`{${many.join()}}`))).toThrow(TooManyValues)
  const twoInTurn = `{${'"a":1,"b":2,'.repeat(10_001)}"c":3}`
  expect(() => scan(bytesOf(twoInTurn))).toThrow('20,000 members, counting each time that a name occurs')
  expect(() => scan(bytesOf(`{"${'n'.repeat(70_000)}":0}`))).toThrow(TooManyValues)
})

test('a number may be as long as where the whole body is parsed', () => {
  expect(scan(bytesOf(`{"seed":${'7'.repeat(200_000)}}`)).value).toEqual({ seed: Number.POSITIVE_INFINITY })
  expect(() => scan(bytesOf(`{"seed":${'7'.repeat(300_000)}}`))).toThrow(TooManyValues)
})

test.each(['["', '[ "'])('a long run of backslashes is gone through once: behind %s', (before) => {
  const run = bytesOf(`{"a":${before}${'\\\\'.repeat(4 * 1024 * 1024)}"]}`)
  const started = cpuMs()
  scanByBytes(run, { depth: 1, isInString: false, isEscaped: false })
  const onceMs = cpuMs() - started
  const begun = cpuMs()
  expect(scan(run).value).toEqual({ a: UNREAD })
  expect(cpuMs() - begun).toBeLessThan(8 * onceMs)
})

const MIB = 1024 * 1024

test.each([
  ['backslashes', '\\\\'.repeat(MIB)],
  ['plain text', 'xy'.repeat(MIB)],
  ['escaped quotes', '\\"'.repeat(MIB)],
])('no step goes through a long string of %s at once', (_, string) => {
  for (const text of [`{"a":"${string}"}`, `{"a":["${string}"]}`]) {
    const bytes = bytesOf(text)
    for (const reading of [new MemberScan(bytes), new JsonParser(bytes, 10 * MIB)]) {
      let steps = 1
      while (!reading.goOn(() => true)) steps += 1
      // A string is read in pieces of 64 KiB, and skipped in windows of 32 KiB.
      expect(steps).toBeGreaterThanOrEqual((2 * MIB) / (64 * 1024))
    }
  }
})

test('a step takes no longer in a text of 64 MiB than in one of 2 MiB', () => {
  const longestMs = (mebibytes: number): number => {
    const bytes = bytesOf(`{"a":"${'\\\\'.repeat((mebibytes * MIB) / 2)}"}`)
    const goes = Array.from({ length: 3 }, () => {
      const members = new MemberScan(bytes)
      let longest = 0
      for (let isDone = false; !isDone; ) {
        const begun = cpuMs()
        isDone = members.goOn(() => true)
        longest = Math.max(longest, cpuMs() - begun)
      }
      return longest
    })
    return Math.min(...goes)
  }
  expect(longestMs(64)).toBeLessThan(2 + 8 * longestMs(2))
})
