import { Type } from '@sinclair/typebox'
import { type FieldValues, HIDDEN, mapOf, optional, text } from '../../file/schema/fields.ts'
import type { SectionReader } from '../../file/section-reader.ts'
import { PRESETS, type Preset } from '../../providers/presets.ts'
import type { Fault } from '../../scalar-kinds.ts'
import { Secret } from '../../secret.ts'
import { headerNameFault, tokenFault } from '../../text-kinds.ts'

/** A header or a parameter of a query. */
export type SecretPair = readonly [name: string, value: Secret]

/** The fields of an upstream for the header of its key, and for further headers and parameters of each call. */
export const HEADERS_FIELDS = {
  key_header: optional(text(), 'The header that carries the key; behind Bearer in authorization, alone in any other.', {
    'x-default': "the preset's, else authorization",
    examples: ['api-key'],
  }),
  headers: optional(mapOf(Type.String(HIDDEN), HIDDEN), 'Headers that each call gets.', {
    examples: [{ 'x-team': 'red' }],
  }),
  query: optional(mapOf(Type.String(HIDDEN), HIDDEN), 'Query parameters that each URL gets.', {
    'x-default': "the preset's",
    examples: [{ 'api-version': '2024-10-21' }],
  }),
}

/** The fields of an upstream that become headers of OpenAI's. */
export const ACCOUNT_FIELDS = {
  organization: optional(text(), 'The header OpenAI-Organization.', { examples: ['org-1'] }),
  project: optional(text(), 'The header OpenAI-Project.', { examples: ['proj_1'] }),
}

type HeadersFields = FieldValues<typeof HEADERS_FIELDS>

const TWICE: Fault = { wrong: 'is set a second time', cure: 'Take one of the two out.' }
const OF_KEY: Fault = { wrong: 'is the header that carries the key', cure: 'Set api_key, or auth: none.' }

/** The header that the key of an upstream goes into, in lower case. Reports one that cannot carry it. */
export function keyHeaderFromFile(reader: SectionReader, fields: HeadersFields, preset: Preset | undefined): string {
  const name = (fields.key_header ?? preset?.keyHeader ?? 'authorization').toLowerCase()
  const fault = headerNameFault(name)
  if (fault !== undefined) reader.at('key_header').report(fault)
  return name
}

/**
 * The header that the key of an upstream goes into where the request is in Anthropic's protocol: as its preset, or that of Anthropic's
 * own host, wants it; else `keyHeader`.
 */
export function anthropicKeyHeaderOf(baseUrl: string, preset: Preset | undefined, keyHeader: string): string {
  const known = preset ?? (URL.parse(baseUrl)?.hostname === 'api.anthropic.com' ? PRESETS.get('anthropic') : undefined)
  return known?.anthropicKeyHeader ?? keyHeader
}

/**
 * The headers that each call of an upstream gets, in lower case, but for its key's (`keyHeader`; undefined: no key is sent).
 * Reports names and values that cannot be sent.
 */
export function headersFromFile(
  reader: SectionReader,
  fields: HeadersFields & FieldValues<typeof ACCOUNT_FIELDS>,
  keyHeader: string | undefined,
): readonly SecretPair[] {
  const headers = new Map<string, Secret>()
  const take = (at: SectionReader, name: string, value: string, nameFault?: Fault): void => {
    if (nameFault !== undefined) at.report(nameFault, 'key')
    else if (headers.has(name)) at.report(TWICE, 'key')
    // Tabs and visible characters of ASCII, as RFC 9110 §5.5 has it for new values.
    else if (/[^\t\x20-\x7e]/.test(value)) {
      at.report({ wrong: 'has characters that cannot travel in a header', cure: 'Use visible ASCII characters.' })
    }
    headers.set(name, new Secret(value))
  }

  for (const [written, value] of Object.entries(fields.headers ?? {})) {
    const name = written.toLowerCase()
    take(reader.at('headers', written), name, value, name === keyHeader ? OF_KEY : headerNameFault(name))
  }
  const { organization, project } = fields
  if (organization !== undefined) take(reader.at('organization'), 'openai-organization', organization)
  if (project !== undefined) take(reader.at('project'), 'openai-project', project)
  return [...headers]
}

/** The parameters that each URL of an upstream gets: the file's before the preset's. Reports names that cannot be sent. */
export function queryFromFile(
  reader: SectionReader,
  { query }: HeadersFields,
  preset: Preset | undefined,
): readonly SecretPair[] {
  for (const name of Object.keys(query ?? {})) {
    const fault = tokenFault(name)
    if (fault !== undefined) reader.at('query', name).report(fault, 'key')
  }
  return Object.entries({ ...preset?.query, ...query }).map(([name, value]) => [name, new Secret(value)] as const)
}
