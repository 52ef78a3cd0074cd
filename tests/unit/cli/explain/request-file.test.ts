import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type RequestToExplain, readRequestFile } from '../../../../src/cli/explain/request-file.ts'

function asked(text: string, path?: string): RequestToExplain {
  const read = readRequestFile(text, path)
  if (typeof read === 'string') throw new Error(read)
  return read
}

test('a body alone is sent as it stands, to chat completions where no path is said', () => {
  const text = ' {"model" : "m","n":1e400} \n'
  expect(asked(text)).toEqual({
    method: 'POST',
    path: '/v1/chat/completions',
    headers: {},
    principal: undefined,
    body: text,
  })
  expect(asked(`\uFEFF${text}`, '/v1/embeddings')).toMatchObject({ path: '/v1/embeddings', body: text })
  expect(asked('{}').body).toBe('{}')
})

test('the body within an object is taken as it stands there, whatever is around it', () => {
  const space = fc.stringMatching(/^[ \n\t]{0,3}$/)
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), space, fc.nat(3), (value, gap, indent) => {
      const body = JSON.stringify(value, null, indent)
      const text = `{${gap}"path":${gap}"/v1/responses","body"${gap}:${gap}${body}${gap},"principal":"local"}`
      expect(asked(text)).toMatchObject({ body, path: '/v1/responses', principal: 'local', method: 'POST' })
    }),
  )
})

test('a body that is a text is that text, and one that is null or missing is none, by GET', () => {
  expect(asked('{"body":"{ \\"a\\": 1 }"}').body).toBe('{ "a": 1 }')
  expect(asked('{"path":"/v1/files","body":null}')).toMatchObject({ body: undefined, method: 'GET' })
  expect(asked('{"path":"/v1/files"}')).toMatchObject({ body: undefined, method: 'GET' })
})

test('an array, or an object with keys of its own, is a body', () => {
  expect(asked('[]').body).toBe('[]')
  expect(asked('{"method":"x","model":"m"}').body).toBe('{"method":"x","model":"m"}')
})
