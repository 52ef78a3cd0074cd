import { describe, expect, test } from 'bun:test'
import { createScrub } from '../../../src/cassettes/scrub.ts'
import { utf8 } from './memory-recorder.ts'

const SECRET = 'the-key/of"me'
const { text, bytes, sameLength } = createScrub([SECRET, 'the-key/of', 'short'])

describe('stars', () => {
  test('stand for a secret, whatever its length', () => {
    expect(text(`a ${SECRET} b the-key/of c`)).toBe('a ******** b ******** c')
  })

  test.each([
    ['escaped in JSON', String.raw`the\u002dkey\/of\"me`],
    ['escaped with capitals', String.raw`the\u002Dkey\u002Fof\u0022me`],
    ['all of it escaped', [...SECRET].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')],
    ['percent-encoded', 'the%2Dkey%2fof%22me'],
    ['percent-encoded twice', encodeURIComponent(encodeURIComponent(SECRET))],
    ['in hexadecimal', Buffer.from(SECRET).toString('hex')],
    ['percent-encoded as a URL has it', encodeURIComponent(SECRET)],
  ])('stand for one that is %s', (_how, written) => {
    expect(text(`a ${written} b`)).toBe('a ******** b')
  })

  test('stand for one in base64, but for the bits that it shares with what is around it', () => {
    expect(text(`a ${btoa(`me:${SECRET}`)} b`)).toMatch(/^a bWU6\*{8}.{0,4} b$/)
  })

  test('stand for letters beyond ASCII in each of their forms', () => {
    const scrub = createScrub(['ключ-от-всего', 'smile-😀-smile'])
    for (const one of [
      'ключ-от-всего',
      encodeURIComponent('ключ-от-всего'),
      String.raw`\u043aлюч-от-всего`,
      'smile-😀-smile',
    ]) {
      expect(scrub.text(`<${one}>`)).toBe('<********>')
    }
  })

  test('leave what is short, other texts, and the very text where there is nothing', () => {
    const plain = 'short the-key-of 日本語'
    expect(text(plain)).toBe(plain)
    const some = utf8(plain)
    expect(bytes(some)).toBe(some)
  })

  test('stand for secrets in bytes that are no text', () => {
    const around = (middle: string): Uint8Array => new Uint8Array([255, 0, ...utf8(middle), 254])
    expect(bytes(around('the-key/of'))).toEqual(around('********'))
    expect(bytes(around('another'))).toEqual(around('another'))
  })

  test('are as many as the bytes of a secret, where that is asked for', () => {
    expect(sameLength(utf8('a the-key/of b'))).toEqual(utf8('a ********** b'))
    const long = utf8(`${'x'.repeat(20_000)}the-key/of`)
    expect(sameLength(long)).toEqual(utf8(`${'x'.repeat(20_000)}**********`))
  })

  test.each([
    'sk-proj-abcdefghijklmnop_0123456789',
    'gsk_abcdefghijklmnopqrst0123456789',
    'xai-abcdefghijklmnopqrst0123456789',
    'AIzaSyA-abcdefghijklmnopqrstuvwxyz01234',
    'AKIAABCDEFGHIJKLMNOP',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijklmn',
  ])('stand for what looks like a key: %s', (key) => {
    const scrub = createScrub([])
    expect(scrub.text(`"${key}"`)).toBe('"********"')
    expect(scrub.text(`a\\n${key}`)).toBe('a\\n********')
  })

  test('do not stand for words that only have such letters', () => {
    for (const plain of [
      'risk-assessment-of-the-new-building',
      'sk-short',
      'task_abcdefghijklmnopqrstuvwxyz',
      'eyJust.a.text',
    ]) {
      expect(createScrub([]).text(plain)).toBe(plain)
    }
  })
})
