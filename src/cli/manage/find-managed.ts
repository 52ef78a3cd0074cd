import { nearest } from '../../formats/text/nearest.ts'
import { showDay } from './amounts.ts'
import { type AdminObject, type AskAdmin, listAll, ManageProblem } from './ask-admin.ts'
import { keyLabel } from './key-label.ts'
import { renderRows } from './render-rows.ts'

/** A key, with the project that it is in. */
export interface FoundKey {
  readonly key: AdminObject
  readonly project: AdminObject
}

/**
 * Finds a project by its id or name; without either, the default one. `isMade`: one that is missing is made, unless its name is hardly another
 * than that of one that is there.
 *
 * @example
 * const project = await findNamedProject(client.ask, 'team-a')
 */
export async function findNamedProject(ask: AskAdmin, named: string | undefined, isMade = false): Promise<AdminObject> {
  const projects = await listAll(ask, '/projects')
  const wanted = named ?? 'proj_default'
  const found = projects.filter(({ id, name }) => id === wanted || name === wanted)
  const [only, ...others] = found
  if (only !== undefined && others.length === 0) return only
  const byId = found.find(({ id }) => id === wanted)
  if (byId !== undefined) return byId
  if (only !== undefined)
    throw new ManageProblem(`several projects are called '${wanted}': name one by its id, ${idsOf(found)}.`)
  const meant = nearest(
    wanted,
    projects.map(({ name }) => String(name)),
  )
  if (isMade && meant === undefined && !wanted.startsWith('proj_')) return ask('POST', '/projects', { name: wanted })
  const hint = meant === undefined ? '' : ` Did you mean '${meant}'?`
  throw new ManageProblem(`there is no project '${wanted}'.${hint} To make it: nexcode projects create ${wanted}`)
}

/** The keys of one project, or of all. */
export async function findKeys(ask: AskAdmin, project: string | undefined): Promise<readonly FoundKey[]> {
  const projects = project === undefined ? await listAll(ask, '/projects') : [await findNamedProject(ask, project)]
  const found: FoundKey[] = []
  for (const one of projects)
    for (const key of await listAll(ask, `/projects/${String(one['id'])}/api_keys`)) found.push({ key, project: one })
  return found
}

/**
 * Finds a key by its id, its name or its service account's, or what lists show of it.
 *
 * @example
 * const { key, project } = await findNamedKey(client.ask, 'alice', flags.values.project)
 */
export async function findNamedKey(ask: AskAdmin, named: string, project: string | undefined): Promise<FoundKey> {
  const keys = await findKeys(ask, project)
  const found = keys.filter(({ key }) => [key['id'], key['name'], keyLabel(key), key['redacted_value']].includes(named))
  const [only, ...others] = found
  if (only !== undefined && others.length === 0) return only
  if (only !== undefined)
    throw new ManageProblem(`several keys are called '${named}'. Name one by its id:\n${listed(found)}`)
  if (named.startsWith('sk-'))
    throw new ManageProblem('name a key by its id or its name, never by the key itself: nexcode keys list')
  const meant = nearest(
    named,
    keys.map(({ key }) => keyLabel(key)),
  )
  throw new ManageProblem(
    `there is no key '${named}'.${meant === undefined ? '' : ` Did you mean '${meant}'?`} All of them: nexcode keys list`,
  )
}

/** So many keys of one name are listed: more help nobody. */
const LISTED_MAX = 20

/** Keys of one name, each on a line of its own, with what tells them apart. */
function listed(found: readonly FoundKey[]): string {
  const columns = ['ID', 'NAME', 'PROJECT', 'KEY', 'LAST USED'].map((title) => ({ title }))
  const rows = found
    .slice(0, LISTED_MAX)
    .map(({ key, project }) => [
      String(key['id']),
      keyLabel(key),
      String(project['name']),
      String(key['redacted_value']),
      showDay(key['last_used_at']),
    ])
  const rest = found.length > LISTED_MAX ? `and ${found.length - LISTED_MAX} more: nexcode keys list\n` : ''
  return `${renderRows(columns, rows)}${rest}`.trimEnd()
}

function idsOf(objects: readonly AdminObject[]): string {
  return objects.map(({ id }) => String(id)).join(' or ')
}
