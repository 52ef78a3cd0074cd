import { expect, test } from 'bun:test'
import { readParts } from '../../../../src/formats/multipart/read-parts.ts'
import { utf8 } from '../../cassettes/memory-recorder.ts'

const read = (body: string, type = 'multipart/form-data; boundary=x') =>
  readParts(utf8(body.replaceAll('\n', '\r\n')), type, { isStrict: false })?.map(({ name, filename, content }) => ({
    ...{ name, filename },
    content: new TextDecoder().decode(content),
  }))

const part = (head: string, content: string): string => `--x\n${head}\n\n${content}\n`
const field = part('Content-Disposition: form-data; name="model"', 'whisper-1')
const file = part(
  'Content-Type: audio/wav\ncontent-disposition: form-data; name=file; filename="a \\"b\\".wav"',
  'bytes\n--xno',
)

test('fields and files are read, with names, whatever the order of their headers', () => {
  expect(read(`${field}${file}--x--\n`)).toEqual([
    { name: 'model', filename: undefined, content: 'whisper-1' },
    { name: 'file', filename: 'a "b".wav', content: 'bytes\n--xno'.replaceAll('\n', '\r\n') },
  ])
})

test('the boundary may be quoted, and a form without parts is one', () => {
  expect(read(`${field}--x--`, 'multipart/form-data; charset=utf-8; boundary="x"')).toHaveLength(1)
  expect(read('--x--')).toEqual([])
})

test('what the platform writes can be read', async () => {
  const form = new FormData()
  form.append('model', 'm')
  form.append('file', new File(['content'], 'ü.txt'))
  const request = new Request('http://localhost', { method: 'POST', body: form })
  const type = request.headers.get('content-type') ?? ''
  const parts = readParts(await request.bytes(), type, { isStrict: false })
  expect(parts?.map(({ name, filename }) => [name, filename])).toEqual([
    ['model', undefined],
    ['file', 'ü.txt'],
  ])
})

test.each([
  ['another type', field, 'application/json'],
  ['no boundary', field, 'multipart/form-data'],
  ['no end', field, 'multipart/form-data; boundary=x'],
  ['no delimiter', 'text', 'multipart/form-data; boundary=x'],
  [
    'a part without a blank line',
    '--x\nContent-Disposition: form-data; name="a"\n--x--',
    'multipart/form-data; boundary=x',
  ],
  [
    'a part without a head',
    `--x\n\n${'Content-Disposition: form-data; name="a"'}\n\nv\n--x--`,
    'multipart/form-data; boundary=x',
  ],
  ['a part without a name', `${part('Content-Disposition: form-data', 'a')}--x--`, 'multipart/form-data; boundary=x'],
  ['a part that is no form’s', `${part('Content-Type: text/plain', 'a')}--x--`, 'multipart/form-data; boundary=x'],
])('%s is no form', (_what, body, type) => {
  expect(read(body, type)).toBeUndefined()
})
