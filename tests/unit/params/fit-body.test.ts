import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { SERVER_FACTS } from '../../../src/config/providers/server-facts.ts'
import { applyEdits } from '../../../src/formats/json/edit.ts'
import { createFit, type FitBody } from '../../../src/params/fit-body.ts'
import parameters from '../../fixtures/openai-parameters.json'

function fitted(fit: FitBody, text: string, endpoint = 'chat/completions'): { text: string; done: string } {
  const bytes = new TextEncoder().encode(text)
  const { edits, receipt: done } = fit(bytes, endpoint)
  return { text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(applyEdits(bytes, edits)), done }
}

describe('what a server refuses is left out of a body', () => {
  const noNulls = createFit({ known: {}, nulls: true })
  const fewNames = createFit({ known: { 'chat/completions': ['model', 'n'] }, nulls: false })

  test('nulls at the top, and no other byte', () => {
    const text =
      '{ "model": "m",\n "top_p" : null, "messages": [{"role":"user","content":null}], "stop":"null", "n" :1.0 }'
    expect(fitted(noNulls, text)).toEqual({
      text: '{ "model": "m", "messages": [{"role":"user","content":null}], "stop":"null", "n" :1.0 }',
      done: 'preset=top_p',
    })
  })

  test('names that it does not know, at the endpoints that they are known of, however those are written', () => {
    const text = '{"top_k":1,"model":"m","n":null,"messages":[],"x y":2}'
    const without = { text: '{"model":"m","n":null,"messages":[]}', done: 'preset=top_k,x%20y' }
    expect(fitted(fewNames, text)).toEqual(without)
    expect(fitted(fewNames, text, 'chat//Completions/')).toEqual(without)
    expect(fitted(fewNames, text, 'embeddings')).toEqual({ text, done: '' })
  })

  test('a name that is there twice goes by its last value, as parsers read it', () => {
    expect(fitted(noNulls, '{"n":1,"n":null}').text).toBe('{}')
    expect(fitted(noNulls, '{"n":null,"n":1}').text).toBe('{"n":null,"n":1}')
  })

  test('what is no object, or has nothing of it, goes on as it is', () => {
    for (const text of ['[null]', 'null', '{}', '{"messages":null}', '\ufeff{"a":1}']) {
      expect(fitted(noNulls, text)).toEqual({ text, done: '' })
    }
  })

  test('any object says the same without its nulls, and is left alone the second time', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.oneof(fc.constant(null), fc.jsonValue())),
        fc.nat(3),
        (value, indent) => {
          const once = fitted(noNulls, JSON.stringify(value, null, indent)).text
          const kept = Object.entries(value).filter(
            ([name, item]) => item !== null || /^(messages|prompt|input)$/.test(name),
          )
          expect(JSON.parse(once)).toEqual(JSON.parse(JSON.stringify(Object.fromEntries(kept))))
          expect(fitted(noNulls, once)).toEqual({ text: once, done: '' })
        },
      ),
    )
  })
})

test('transformers keeps each of OpenAI’s parameters, as the specification has them', () => {
  const known = SERVER_FACTS.get('transformers')?.lacks?.known ?? {}
  expect(known['chat/completions']).toEqual(expect.arrayContaining(parameters.chat))
  expect(known['completions']).toEqual(expect.arrayContaining(parameters.completions))
})
