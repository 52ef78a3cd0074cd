import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { applyEdits } from '../../../src/formats/json/edit.ts'
import { readForm } from '../../../src/requests/read-form.ts'

const TYPE = 'multipart/form-data; boundary=x'
const FIELD = 'Content-Disposition: form-data; name="model"'

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

/** A body of parts, each as its head's lines and its text. */
function body(...parts: readonly (readonly [head: string, text: string])[]): string {
  return `${parts.map(([head, text]) => `--x\r\n${head}\r\n\r\n${text}\r\n`).join('')}--x--\r\n`
}

function fieldsOf(text: string, contentType = TYPE): Record<string, readonly string[]> | undefined {
  const form = readForm(bytesOf(text), contentType)
  return form === undefined ? undefined : Object.fromEntries(form.fields)
}

async function encode(form: FormData): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly type: string }> {
  const response = new Response(form)
  // Read first: it is gone with the body.
  const type = response.headers.get('content-type') ?? ''
  return { bytes: new Uint8Array(await response.arrayBuffer()), type }
}

describe('a form', () => {
  test('gives its text fields in order, and no files', () => {
    const text = body(
      ['Content-Disposition: form-data; name="prompt"', 'a\r\nb\r\n'],
      ['Content-Disposition: form-data; name="file"; filename="C:\\a.wav"\r\nContent-Type: audio/wav', '\u0000\r\n'],
      [FIELD, 'one'],
      ['content-disposition: FORM-DATA; name=model\r\nContent-Type: text/plain; charset=UTF-8', ''],
    )
    expect(fieldsOf(text)).toEqual({ prompt: ['a\r\nb\r\n'], model: ['one', ''] })
    expect([...(readForm(bytesOf(text), TYPE)?.fields.keys() ?? [])]).toEqual(['prompt', 'model'])
  })

  test('may be empty, may end without a line end, and is known by any spelling of its type', () => {
    expect(fieldsOf('--x--\r\n')).toEqual({})
    expect(fieldsOf('--x--')).toEqual({})
    for (const type of [
      'Multipart/Form-Data;boundary=x',
      'multipart/form-data; charset=utf-8; BOUNDARY="x" ',
      ' multipart/form-data ; boundary=x',
    ]) {
      expect([type, fieldsOf(body([FIELD, 'm']), type)]).toEqual([type, { model: ['m'] }])
    }
  })

  test('takes names literally: what is percent-encoded stays so', () => {
    expect(fieldsOf(body(['Content-Disposition: form-data; name="m%22o%64el"', 'm']))).toEqual({ 'm%22o%64el': ['m'] })
    expect(fieldsOf(body(['Content-Disposition: form-data; name="Модель"', 'м']))).toEqual({ Модель: ['м'] })
    expect(fieldsOf(body([FIELD, '\ufeffm']))).toEqual({ model: ['\ufeffm'] })
  })

  test.each([
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=x; boundary=y',
    "multipart/form-data; boundary=x; boundary*=utf-8''y",
    'multipart/form-data; boundary*0=y; boundary=x',
    'multipart/form-data; boundary="x',
    'multipart/form-data; boundary="x\\""',
    'multipart/form-data; boundary="x "',
    'multipart/form-data; boundary=x y',
    `multipart/form-data; boundary=${'x'.repeat(71)}`,
    'multipart/mixed; boundary=x',
    'multipart/form-data-x; boundary=x',
    'application/json',
    '',
  ])('is not read with the type %p', (type) => {
    expect(fieldsOf(body([FIELD, 'm']), type)).toBeUndefined()
  })

  test('may have a boundary of 70 characters', () => {
    const boundary = 'x'.repeat(70)
    const text = body([FIELD, 'm']).replaceAll('--x', `--${boundary}`)
    expect(fieldsOf(text, `multipart/form-data; boundary=${boundary}`)).toEqual({ model: ['m'] })
  })

  test.each([
    ['text before the first delimiter', `preamble\r\n${body([FIELD, 'm'])}`],
    ['text behind the last delimiter', `${body([FIELD, 'm'])}more`],
    ['no last delimiter', `--x\r\n${FIELD}\r\n\r\nm\r\n--x\r\n`],
    ['a body that is cut off', `--x\r\n${FIELD}\r\n\r\nm`],
    ['blanks behind a delimiter', `--x \r\n${FIELD}\r\n\r\nm\r\n--x--`],
    ['a delimiter with more behind it', `--x\r\n${FIELD}\r\n\r\nm\r\n--xy\r\n--x--`],
    ['a delimiter behind a bare LF', body([FIELD, 'a\n--x\r\nb'])],
    ['a delimiter as the first header', body(['--x: y\r\nA: b', 'm'])],
    ['bare LF as line ends', body([FIELD, 'm']).replaceAll('\r\n', '\n')],
    ['a part without a head', '--x\r\n\r\nm\r\n--x--'],
    ['a part without a blank line', `--x\r\n${FIELD}\r\n--x--`],
    ['a head of more than 16 KiB', body([`A: ${'b'.repeat(16 * 1024)}\r\n${FIELD}`, 'm'])],
    ['more than 1000 parts', body(...Array.from({ length: 1001 }, () => [FIELD, ''] as const))],
    ['nothing', ''],
  ])('is not read with %s', (_what, text) => {
    expect(fieldsOf(text)).toBeUndefined()
  })

  test.each([
    'Content-Disposition: form-data',
    'Content-Disposition: form-data; name=""',
    'Content-Disposition: form-data; name="a"; name="b"',
    'Content-Disposition: form-data; name="a"; NAME="b"',
    'Content-Disposition: form-data; name="mo\\del"',
    'Content-Disposition: form-data; name="a\\"b"',
    'Content-Disposition: form-data; name="a',
    'Content-Disposition: form-data; name = "a"',
    'Content-Disposition: form-data; name=" a"',
    "Content-Disposition: form-data; name*=utf-8''a",
    'Content-Disposition: form-data; name="a"; filename=""',
    'Content-Disposition: form-data; name="a"; filename="b"; filename="c"',
    'Content-Disposition: form-data; name="a"; filename*=utf-8\'\'b',
    'Content-Disposition: form-data; name="a"; filename="b\\"; name=\\"c"',
    'Content-Disposition: form-data; name="_charset_"',
    'Content-Disposition: attachment; name="a"',
    'Content-Disposition: form-data;\r\n name="a"',
    `${FIELD}\r\n${FIELD}`,
    `${FIELD}\r\nContent-Type: application/json`,
    `${FIELD}\r\nContent-Type: text/plain; charset=utf-16`,
    `${FIELD}\r\nContent-Transfer-Encoding: base64`,
    `${FIELD}\r\nno header`,
    `${FIELD}\r\nA: b\u0000`,
    `${FIELD}\r\nA: b\nC: d`,
  ])('is not read with the head %p, which can be read in two ways', (head) => {
    expect(fieldsOf(body([head, 'm']))).toBeUndefined()
  })

  test('is not read when a name stands for a text and for a file, or when a text is no UTF-8', () => {
    const file = 'Content-Disposition: form-data; name="model"; filename="m"'
    expect(fieldsOf(body([file, 'm']))).toEqual({})
    expect(fieldsOf(body([file, 'm'], [FIELD, 'm']))).toBeUndefined()
    const bytes = bytesOf(body([FIELD, 'm']))
    bytes[bytes.lastIndexOf(0x6d)] = 0xff
    expect(readForm(bytes, TYPE)).toBeUndefined()
  })
})

describe('a field that is replaced', () => {
  test('changes everywhere, and every other byte stays', () => {
    const text = body([FIELD, 'one'], ['Content-Disposition: form-data; name="n"', 'one'], [FIELD, ''])
    const form = readForm(bytesOf(text), TYPE)
    const expected = body([FIELD, 'zwölf'], ['Content-Disposition: form-data; name="n"', 'one'], [FIELD, 'zwölf'])
    expect(new TextDecoder().decode(applyEdits(bytesOf(text), form?.replace('model', 'zwölf') ?? []))).toBe(expected)
  })

  test('that is not there changes nothing', () => {
    const bytes = bytesOf(body([FIELD, 'one']))
    expect(readForm(bytes, TYPE)?.replace('other', 'x')).toEqual([])
  })

  test('takes no text that would end its part', () => {
    const bytes = bytesOf(body([FIELD, 'one']))
    const form = readForm(bytes, TYPE)
    for (const text of ['--x', '--xy', 'a\r\n--x--', 'a\n--x']) {
      expect(() => form?.replace('model', text)).toThrow('rules')
    }
    const changed = applyEdits(bytes, form?.replace('model', 'a--x') ?? [])
    expect(new TextDecoder().decode(changed)).toBe(body([FIELD, 'a--x']))
  })
})

describe('any form that a FormData makes', () => {
  // What a FormData writes down otherwise than it was given: line ends in names, and surrogates that stand alone.
  const name = fc.stringMatching(/^[a-z_[\]%"; ]{1,12}$/).filter((text) => text.trim() === text && text !== '_charset_')
  const text = fc.string({ unit: 'grapheme', maxLength: 30 })
  const entry = fc.oneof(
    fc.tuple(name, text),
    fc.tuple(
      name.map((one) => `file-${one}`),
      fc.uint8Array({ maxLength: 200 }),
    ),
  )

  test('gives back its texts, and takes another model without touching another byte', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 8 }), text, async (entries, model) => {
        const make = (named: string): FormData => {
          const form = new FormData()
          form.append('model', named)
          for (const [key, value] of entries) {
            if (typeof value === 'string') form.append(key, value)
            else form.append(key, new File([new Uint8Array(value)], 'a b.bin', { type: 'audio/wav' }))
          }
          return form
        }
        const { bytes, type } = await encode(make('before'))
        const form = readForm(bytes, type)
        const expected = new Map<string, string[]>([['model', ['before']]])
        for (const [key, value] of entries) {
          const written = key.replaceAll('"', '%22')
          if (typeof value === 'string') expected.set(written, [...(expected.get(written) ?? []), value])
        }
        expect([...(form?.fields ?? [])]).toEqual([...expected])
        const changed = applyEdits(bytes, form?.replace('model', model) ?? [])
        const at = Buffer.from(bytes).indexOf('before')
        const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at + 'before'.length)]
        // Another field of that name changes, too.
        if (expected.get('model')?.length === 1) {
          expect(Buffer.compare(changed, Buffer.concat([head, bytesOf(model), tail]))).toBe(0)
        }
        expect(readForm(changed, type)?.fields.get('model')?.[0]).toBe(model)
      }),
      { numRuns: 300 },
    )
  })
})
