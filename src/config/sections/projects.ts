import { Type } from '@sinclair/typebox'
import { nearest } from '../../formats/text/nearest.ts'
import { closed, type FieldValues, mapOf, optional, text } from '../file/schema/fields.ts'
import type { SectionReader } from '../file/section-reader.ts'
import { checkDeclaredName, type DeclaredKey, keyFromFile, SECRET_FIELDS } from './declared-key.ts'
import { LEDGER_CURE, type LedgerSettings } from './ledger.ts'
import { USE_LIMITS_FIELDS, type UseLimits, useLimitsFromFile } from './use-limits.ts'

/** A key of a project. */
export interface ProjectKey extends DeclaredKey {
  readonly limits: UseLimits
  readonly metadata: Readonly<Record<string, string>>
}

/** A project that the file declares. */
export interface ProjectSettings {
  readonly name: string
  /** An IANA time zone. */
  readonly timeZone: string
  readonly environment: string | undefined
  readonly limits: UseLimits
  readonly keys: readonly ProjectKey[]
}

/** All that the file declares of a ledger. */
export interface DeclaredRecords {
  readonly projects: readonly ProjectSettings[]
  readonly adminKeys: readonly DeclaredKey[]
}

/** Nothing is declared. */
export const NO_RECORDS: DeclaredRecords = { projects: [], adminKeys: [] }

const KeySection = closed('key', {
  ...SECRET_FIELDS,
  ...USE_LIMITS_FIELDS,
  metadata: optional(mapOf(Type.String()), 'Texts of your own.', { examples: [{ team: 'search' }] }),
})

const ProjectSection = closed('project', {
  time_zone: optional(text(), 'The IANA time zone of its days, weeks and months.', {
    default: 'UTC',
    examples: ['Europe/Berlin'],
  }),
  environment: optional(text(), 'A word of yours.', { examples: ['production'] }),
  ...USE_LIMITS_FIELDS,
  keys: optional(mapOf(KeySection), 'Keys by name, which callers use.', { 'x-default': 'none' }),
})

/** `projects` and `admin_keys` in the file. */
export const PROJECTS_FIELDS = {
  projects: optional(
    mapOf(ProjectSection),
    'Projects by name, with limits and keys. They are the file’s own: the API shows them, and can not change them. One that is taken out is archived, and its keys are revoked.',
    { 'x-default': 'none' },
  ),
  admin_keys: optional(
    mapOf(closed('admin_key', SECRET_FIELDS)),
    'Keys by name that can manage, and can call no model.',
    { 'x-default': 'none' },
  ),
}

type ProjectPart = FieldValues<typeof ProjectSection.properties>

/** The projects and keys of the file. Reports bad names, keys, zones and times, a key that is there twice, and that there is no ledger. */
export function recordsFromFile(
  reader: SectionReader,
  { projects = {}, admin_keys: adminKeys = {} }: FieldValues<typeof PROJECTS_FIELDS>,
  { store }: LedgerSettings,
): DeclaredRecords {
  for (const name of ['projects', 'admin_keys']) {
    const at = reader.at(name)
    if (store === undefined && at.isWritten())
      at.report({ wrong: 'needs a ledger, and there is none', cure: LEDGER_CURE }, 'key')
  }
  const seen = new Map<string, string>()
  return {
    projects: Object.entries(projects).map(([name, part]) =>
      projectFromFile(reader.at('projects', name), name, part, seen),
    ),
    adminKeys: Object.entries(adminKeys).map(([name, part]) =>
      keyFromFile(reader.at('admin_keys', name), name, part, seen),
    ),
  }
}

/** Projects of these names would have keys with the ids of others (`key_token.NAME`, `key_admin.NAME`). */
const NAMES_TAKEN: ReadonlyMap<string, string> = new Map([
  ['token', 'tokens'],
  ['admin', 'admin keys'],
])

function projectFromFile(
  reader: SectionReader,
  name: string,
  part: ProjectPart,
  seen: Map<string, string>,
): ProjectSettings {
  checkDeclaredName(reader, name)
  const taken = NAMES_TAKEN.get(name)
  if (taken !== undefined) reader.report({ wrong: `has the name of all ${taken}`, cure: 'Give it another one.' }, 'key')
  return {
    name,
    timeZone: readZone(reader.at('time_zone'), part.time_zone),
    environment: part.environment,
    limits: useLimitsFromFile(part),
    keys: Object.entries(part.keys ?? {}).map(([key, one]) => ({
      ...keyFromFile(reader.at('keys', key), key, one, seen),
      limits: useLimitsFromFile(one),
      metadata: one.metadata ?? {},
    })),
  }
}

function readZone(reader: SectionReader, written = 'UTC'): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: written }).resolvedOptions().timeZone
  } catch {
    const meant = nearest(written, Intl.supportedValuesOf('timeZone'))
    const cure = `${meant === undefined ? '' : `Did you mean ${meant}? `}Use a name of the IANA database, such as Europe/Berlin or UTC.`
    reader.report({ wrong: 'is no time zone', cure })
    return 'UTC'
  }
}
