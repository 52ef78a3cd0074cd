import type { Flags } from '../flags.ts'
import { showDay } from './amounts.ts'
import { type AdminObject, ManageProblem } from './ask-admin.ts'
import { describeLimits, describeSpend } from './describe-limits.ts'
import type { FoundKey } from './find-managed.ts'
import { keyLabel } from './key-label.ts'
import { renderCsv, renderRows } from './render-rows.ts'

/** How a list is written: for a person, or for a program. */
export type ListForm = 'table' | 'json' | 'csv'

/** A column of a list: its title in a table, its name in CSV, and its text for one object. */
type ListColumn<T> = readonly [title: string, name: string, cell: (of: T) => string]

const text = (field: string) => (one: AdminObject) => String(one[field])
const KEY_COLUMNS: readonly ListColumn<FoundKey>[] = [
  ['ID', 'id', ({ key }) => String(key['id'])],
  ['NAME', 'name', ({ key }) => keyLabel(key)],
  ['PROJECT', 'project', ({ project }) => String(project['name'])],
  ['KEY', 'key', ({ key }) => String(key['redacted_value'])],
  ['LIMITS', 'limits', ({ key }) => describeLimits(key)],
  ['SPENT', 'spent', ({ key }) => describeSpend(key)],
  ['LAST USED', 'last_used', ({ key }) => showDay(key['last_used_at'])],
  ['EXPIRES', 'expires', ({ key }) => showDay(key['expires_at'])],
]
const PROJECT_COLUMNS: readonly ListColumn<AdminObject>[] = [
  ['ID', 'id', text('id')],
  ['NAME', 'name', text('name')],
  ['LIMITS', 'limits', describeLimits],
  ['TIME ZONE', 'time_zone', text('time_zone')],
  ['STATUS', 'status', text('status')],
  ['MANAGED BY', 'managed_by', text('managed_by')],
]

/**
 * Renders keys with their projects: a table, JSON (the objects of the API, with `project_id`), or CSV.
 *
 * @example
 * renderKeys(await findKeys(client.ask, undefined), 'csv')
 */
export function renderKeys(found: readonly FoundKey[], form: ListForm): string {
  if (form === 'json') return jsonText(found.map(({ key, project }) => ({ ...key, project_id: project['id'] })))
  if (form === 'csv') {
    const ids: ListColumn<FoundKey> = ['', 'project_id', ({ project }) => String(project['id'])]
    return csvText([...KEY_COLUMNS, ids, ['', 'managed_by', ({ key }) => String(key['managed_by'])]], found)
  }
  return found.length === 0 ? 'No keys yet. To make one: nexcode keys create --name alice\n' : table(KEY_COLUMNS, found)
}

/**
 * Renders projects: a table, JSON (the objects of the API), or CSV.
 *
 * @example
 * renderProjects(await listAll(client.ask, '/projects'), 'table')
 */
export function renderProjects(all: readonly AdminObject[], form: ListForm): string {
  if (form === 'json') return jsonText(all)
  return form === 'csv' ? csvText(PROJECT_COLUMNS, all) : table(PROJECT_COLUMNS, all)
}

/** JSON for a program that a person may read, too. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

function table<T>(columns: readonly ListColumn<T>[], all: readonly T[]): string {
  return renderRows(
    columns.map(([title]) => ({ title })),
    all.map((one) => columns.map(([, , cell]) => cell(one))),
  )
}

function csvText<T>(columns: readonly ListColumn<T>[], all: readonly T[]): string {
  return renderCsv([columns.map(([, name]) => name), ...all.map((one) => columns.map(([, , cell]) => cell(one)))])
}

/**
 * The form that a command line asks for. Throws a `ManageProblem` for two, and for CSV of what is no list.
 *
 * @example
 * const form = listForm(flags, action === 'list')
 */
export function listForm({ json, csv }: Pick<Flags, 'json' | 'csv'>, isList: boolean): ListForm {
  if (json && csv) throw new ManageProblem('use --json or --csv, not both.')
  if (csv && !isList) throw new ManageProblem('--csv is for lists.')
  return json ? 'json' : csv ? 'csv' : 'table'
}
