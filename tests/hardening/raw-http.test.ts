import { expect, test } from 'bun:test'
import { CASES } from './raw-http/raw-jobs.ts'
import { readRequests } from './raw-http/read-requests.ts'
import { suite } from './raw-http/suite.ts'
import { tagged } from './raw-http/tag.ts'
import { testShortForm } from './short-form.ts'

testShortForm(suite)

test('the strict reader and the hand that wrote the cases agree on what may be forwarded', () => {
  expect(CASES.length).toBeGreaterThan(300)
  // Whose framing is right, and which are refused for what they ask, are beyond a reader of framing.
  const framed = CASES.filter(({ id }) => !/^(?:refused-lines|hosts)\./.test(id))
  const odd = framed.flatMap(({ id, text, mayForward, isUnfinished }) => {
    const { requests, end } = readRequests(tagged(text, 0))
    const names = requests.flatMap(({ target, isForwardable }) =>
      isForwardable ? [/n=(\w+)/.exec(target)?.[1] ?? target] : [],
    )
    const isEndRight = isUnfinished
      ? end === 'unfinished' || end === 'open'
      : mayForward.length > 0 || end === 'malformed'
    const isRight = isEndRight && names.every((name) => mayForward.some((allowed) => allowed === name))
    return isRight ? [] : [{ id, end, names, text: text.slice(0, 300) }]
  })
  expect(odd).toEqual([])
  const texts = CASES.map(({ text }) => text)
  expect(texts.filter((text, index) => texts.indexOf(text) !== index)).toEqual([])
})
