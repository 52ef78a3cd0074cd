import type { Random } from '../random.ts'
import { disguise } from './disguises.ts'
import { forbidden, insert } from './forbidden.ts'
import { malform } from './in-forms.ts'
import { multiply, within } from './in-members.ts'
import { inHeader, inPath, inQuery, nest } from './in-target.ts'
import { asForm, compress, hideInCharset, looseSyntax } from './in-text.ts'
import type { RequestParts } from './request-parts.ts'
import { spellPath } from './spell-path.ts'

/** Something that a hostile caller does to a request. */
export interface Attack {
  readonly name: string
  readonly change: (parts: RequestParts, random: Random) => void
}

/** All of them; a case has one, two or three. */
export const ATTACKS: readonly Attack[] = [
  {
    name: 'member',
    change(parts, random) {
      const { shown, text } = disguise(random, forbidden(random), 80)
      insert(parts, random, shown, text)
    },
  },
  { name: 'within', change: within },
  { name: 'multiplied', change: multiply },
  { name: 'charset', change: hideInCharset },
  { name: 'syntax', change: looseSyntax },
  { name: 'form', change: asForm },
  { name: 'multipart', change: malform },
  { name: 'coding', change: compress },
  { name: 'query', change: inQuery },
  { name: 'path-model', change: inPath },
  { name: 'header', change: inHeader },
  { name: 'nested', change: nest },
  {
    name: 'spelling',
    change(parts, random) {
      const { name, value } = forbidden(random)
      insert(parts, random, `"${name}"`, value)
      parts.path = spellPath(parts.path, random)
    },
  },
  {
    name: 'type',
    change(parts, random) {
      const { name, value } = forbidden(random)
      insert(parts, random, `"${name}"`, value)
      if (random.percent(25))
        parts.headers['content-type'] = random.pick(['text/plain', 'application/json; charset=utf-7'])
      parts.type = random.pick([
        undefined,
        'text/plain',
        'text/json',
        'application/xml',
        'application/octet-stream',
        'x',
        'application/json, text/plain',
      ])
    },
  },
]
