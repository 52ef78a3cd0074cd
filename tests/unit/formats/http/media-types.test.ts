import { expect, test } from 'bun:test'
import {
  isEventStream,
  isJsonType,
  isPage,
  isVagueType,
  mayBeJsonRequest,
} from '../../../../src/formats/http/media-types.ts'

const said = (type: string | null | undefined): string =>
  Object.entries({ isEventStream, isJsonType, isPage, isVagueType, mayBeJsonRequest })
    .filter(([, isIt]) => isIt(type))
    .map(([name]) => name)
    .join()

test.each([
  ['application/json', 'isJsonType,mayBeJsonRequest'],
  ['Application/JSON; charset=utf-8', 'isJsonType,mayBeJsonRequest'],
  ['application/problem+json', 'isJsonType,mayBeJsonRequest'],
  ['application/x-www-form-urlencoded', 'mayBeJsonRequest'],
  ['text/plain', 'isVagueType,mayBeJsonRequest'],
  ['Text/Plain ; charset=utf-8', 'isVagueType,mayBeJsonRequest'],
  ['', 'isVagueType'],
  [null, 'isVagueType,mayBeJsonRequest'],
  [undefined, 'isVagueType,mayBeJsonRequest'],
  ['text/event-stream', 'isEventStream'],
  ['TEXT/Event-Stream;charset=utf-8', 'isEventStream'],
  ['text/html; charset=utf-8', 'isPage'],
  ['text/json', ''],
  ['multipart/form-data; boundary=x', ''],
  [' application/json', ''],
] as const)('the type %p is what it begins with, in any case', (type, expected) => {
  expect(said(type)).toBe(expected)
})
