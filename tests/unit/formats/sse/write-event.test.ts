import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseEvent } from '../../../../src/formats/sse/parse-event.ts'
import { writeEvent } from '../../../../src/formats/sse/write-event.ts'

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

test('an event is written with its name, its id and a line for each line of its data', () => {
  expect(textOf(writeEvent({ data: '{}' }))).toBe('data: {}\n\n')
  expect(textOf(writeEvent({ event: 'done', id: '7', data: 'a\r\nb\rc' }))).toBe(
    'event: done\nid: 7\ndata: a\ndata: b\ndata: c\n\n',
  )
  expect(textOf(writeEvent({ data: '' }, ': ping\n'))).toBe(': ping\ndata: \n\n')
})

test('what is written is read again', () => {
  const line = fc.string({ unit: 'binary' }).filter((text) => !/[\r\n\0]/.test(text))
  const fields = fc.record({
    event: fc.option(line, { nil: undefined }),
    id: fc.option(line, { nil: undefined }),
    data: fc.array(line).map((lines) => lines.join('\n')),
  })
  fc.assert(fc.property(fields, (event) => expect(parseEvent(writeEvent(event))).toEqual(event)))
})
