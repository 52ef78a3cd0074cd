import { asAiohttp, asExpress, asIis, asNginx, asRails, asTomcat, asWeb } from './path-readers.ts'
import { type NameStyle, takeFlat, takeNested } from './plain-value.ts'
import type { Field } from './read-fields.ts'
import type { Reader } from './read-request.ts'

const ANY = /./s
const JSON_ONLY = /^\s*(?:application|text)\/(?:json|[\w.+-]+\+json)/i
const EXACT: NameStyle = { fold: (name) => name, picks: 'last' }
const AMPERSAND = /&/
const EITHER = /[&;]/

const nested = (fold: (name: string) => string) => (fields: readonly Field[]) => takeNested(fields, fold)
const small = (name: string): string => name.toUpperCase().toLowerCase()
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
/** To some a name ends with a zero. */
const beforeNul = (name: string): string => name.replace(/\0.*$/s, '')
/** PHP's names of fields: what stands before the first bracket has no dot and no blank. */
const underscored = (name: string): string => name.trimStart().replace(/[. ]/g, '_')

/** The readers: what servers of each kind make of the same bytes. */
export const READERS: readonly Reader[] = [
  {
    name: 'aiohttp',
    path: asAiohttp,
    json: ANY,
    isLoose: false,
    charset: 'declared',
    names: EXACT,
    separator: AMPERSAND,
    takesFields: (fields) => takeFlat(fields, { ...EXACT, picks: 'first' }),
    mergesQuery: false,
  },
  {
    name: 'flask',
    path: asAiohttp,
    json: ANY,
    isLoose: false,
    charset: 'shown',
    names: EXACT,
    separator: AMPERSAND,
    takesFields: (fields) => takeFlat(fields, { ...EXACT, picks: 'first' }),
    mergesQuery: false,
  },
  {
    name: 'web',
    path: asWeb,
    json: ANY,
    isLoose: false,
    charset: 'utf-8',
    names: EXACT,
    separator: AMPERSAND,
    takesFields: (fields) => takeFlat(fields, { fold: beforeNul, picks: 'first' }),
    mergesQuery: false,
  },
  {
    name: 'starlette',
    path: asAiohttp,
    json: ANY,
    isLoose: false,
    charset: 'shown',
    names: EXACT,
    separator: EITHER,
    takesFields: (fields) => takeFlat(fields, EXACT),
    mergesQuery: false,
    declaredForms: true,
  },
  {
    name: 'express',
    path: asExpress,
    json: JSON_ONLY,
    isLoose: false,
    charset: 'declared',
    names: EXACT,
    separator: AMPERSAND,
    takesFields: nested((name) => name),
    copies: true,
    mergesQuery: true,
  },
  {
    name: 'nginx',
    path: asNginx,
    json: ANY,
    isLoose: false,
    charset: 'utf-8',
    names: { ...EXACT, picks: 'first' },
    separator: EITHER,
    takesFields: (fields) => takeFlat(fields, EXACT),
    mergesQuery: false,
  },
  {
    name: 'iis',
    path: asIis,
    json: ANY,
    isLoose: true,
    charset: 'declared',
    names: { fold: small, picks: 'last' },
    separator: AMPERSAND,
    takesFields: (fields) => takeFlat(fields, { fold: small, picks: 'first' }),
    mergesQuery: true,
  },
  {
    name: 'go',
    path: asNginx,
    json: ANY,
    // Its decoder reads one value, and does not look at what stands behind.
    isLoose: true,
    charset: 'utf-8',
    names: { fold: small, picks: 'last' },
    separator: AMPERSAND,
    takesFields: (fields) => takeFlat(fields, { ...EXACT, picks: 'first' }),
    mergesQuery: true,
  },
  {
    name: 'go-map',
    path: asNginx,
    json: ANY,
    isLoose: true,
    charset: 'utf-8',
    names: EXACT,
    separator: AMPERSAND,
    takesFields: (fields) => takeFlat(fields, { ...EXACT, picks: 'first' }),
    mergesQuery: true,
  },
  {
    name: 'llamacpp',
    path: asAiohttp,
    json: ANY,
    isLoose: false,
    charset: 'utf-8',
    names: EXACT,
    separator: AMPERSAND,
    takesFields: (fields) => takeFlat(fields, EXACT),
    mergesQuery: false,
    isTyped: true,
  },
  {
    name: 'tomcat',
    path: asTomcat,
    json: ANY,
    isLoose: true,
    charset: 'declared',
    names: { ...EXACT, picks: 'first' },
    separator: AMPERSAND,
    takesFields: (fields) => takeFlat(fields, { ...EXACT, picks: 'first' }),
    mergesQuery: true,
  },
  {
    name: 'php',
    path: asRails,
    json: ANY,
    isLoose: false,
    charset: 'utf-8',
    names: { fold: beforeNul, picks: 'last' },
    separator: AMPERSAND,
    takesFields: nested(underscored),
    mergesQuery: true,
  },
  {
    name: 'django',
    path: asExpress,
    json: ANY,
    isLoose: false,
    charset: 'shown',
    names: EXACT,
    separator: AMPERSAND,
    takesFields: (fields) => takeFlat(fields, { fold: (name) => name.trim(), picks: 'last' }),
    mergesQuery: false,
    declaredForms: true,
  },
  {
    name: 'protobuf',
    path: asAiohttp,
    json: ANY,
    isLoose: false,
    charset: 'utf-8',
    names: { fold: snake, picks: 'last' },
    separator: AMPERSAND,
    takesFields: (fields) => takeFlat(fields, EXACT),
    mergesQuery: false,
  },
]
