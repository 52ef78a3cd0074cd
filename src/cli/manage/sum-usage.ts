import { showDay } from './amounts.ts'
import { type AdminObject, type AskAdmin, listAll, ManageProblem } from './ask-admin.ts'
import { keyLabel } from './key-label.ts'

/** What usage can be summed up by. */
export const SUMS_BY = ['key', 'project', 'model', 'day'] as const
/** One of them. */
export type SumBy = (typeof SUMS_BY)[number]

/** What was used under one name. */
export interface UsageLine extends UsageName {
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** In dollars. */
  readonly cost: number
}

/** What something that was used is called: of a key and a project also its id, of a key its project. */
export interface UsageName {
  readonly name: string
  readonly id?: string
  readonly project?: string
  readonly projectId?: string
}

/** The kinds of usage that are calls of models; all calls are of one of them. */
const KINDS = [
  'completions',
  'decisions',
  'embeddings',
  'moderations',
  'images',
  'audio_speeches',
  'audio_transcriptions',
]
/** The names of what it is grouped by, in usage and in costs: those of a key tell its project, too. */
const GROUPS: Readonly<Record<SumBy, { readonly usage: readonly string[]; readonly costs: readonly string[] }>> = {
  key: { usage: ['project_id', 'api_key_id'], costs: ['project_id', 'api_key_id'] },
  project: { usage: ['project_id'], costs: ['project_id'] },
  model: { usage: ['model'], costs: ['line_item'] },
  day: { usage: [], costs: [] },
}
const NOT_FOUND = 404
/** So many keys are asked about at the same time. */
const NAMED_AT_ONCE = 16

/** A line under way. */
interface Sum {
  requests: number
  inputTokens: number
  outputTokens: number
  cost: number
}

/**
 * Sums up what was used since a time (seconds since 1970), the dearest first; days in their order.
 *
 * @example
 * const lines = await sumUsage(client.ask, 'model', since)
 */
export async function sumUsage(ask: AskAdmin, by: SumBy, since: number): Promise<readonly UsageLine[]> {
  const { usage, costs } = GROUPS[by]
  const sums = new Map<string, Sum>()
  const sumOf = (bucket: AdminObject, result: AdminObject): Sum => {
    const id = by === 'day' ? showDay(bucket['start_time']) : idOf(result)
    const sum = sums.get(id) ?? { requests: 0, inputTokens: 0, outputTokens: 0, cost: 0 }
    sums.set(id, sum)
    return sum
  }
  for (const kind of KINDS) {
    await eachResult(ask, `/usage/${kind}`, { since, groups: usage }, (bucket, result) => {
      const sum = sumOf(bucket, result)
      sum.requests += countOf(result['num_model_requests'])
      sum.inputTokens += countOf(result['input_tokens'])
      sum.outputTokens += countOf(result['output_tokens'])
    })
  }
  await eachResult(ask, '/costs', { since, groups: costs }, (bucket, result) => {
    const { amount } = result as { readonly amount?: { readonly value?: unknown } }
    sumOf(bucket, result).cost += countOf(amount?.value)
  })
  const used = [...sums].filter(([, sum]) => sum.requests > 0 || sum.cost > 0)
  const sorted = used.toSorted(([one, first], [other, second]) =>
    by === 'day' ? one.localeCompare(other) : second.cost - first.cost || second.requests - first.requests,
  )
  const nameOf = await namesFor(ask, by)
  const lines: UsageLine[] = []
  for (const part of chunksOf(sorted, NAMED_AT_ONCE))
    lines.push(...(await Promise.all(part.map(async ([id, sum]) => ({ ...(await nameOf(id)), ...sum })))))
  return lines
}

/** Calls back with each result of each bucket, page by page. */
async function eachResult(
  ask: AskAdmin,
  path: string,
  { since, groups }: { readonly since: number; readonly groups: readonly string[] },
  take: (bucket: AdminObject, result: AdminObject) => void,
): Promise<void> {
  const grouping = groups.map((name) => `&group_by[]=${name}`).join('')
  for (let page = ''; ; ) {
    const answer = await ask('GET', `${path}?start_time=${since}&bucket_width=1d&limit=31${grouping}${page}`)
    for (const bucket of (answer['data'] ?? []) as readonly AdminObject[]) {
      for (const result of (bucket['results'] ?? []) as readonly AdminObject[]) take(bucket, result)
    }
    if (typeof answer['next_page'] !== 'string') return
    page = `&page=${answer['next_page']}`
  }
}

/** A key with its project, a project, or a model. */
function idOf({ project_id, api_key_id, model, line_item }: AdminObject): string {
  if (typeof api_key_id === 'string') return `${String(project_id)} ${api_key_id}`
  return String(project_id ?? model ?? line_item ?? '')
}

/** Makes the function that gives what an id, as `idOf` gives it, is called. */
async function namesFor(ask: AskAdmin, by: SumBy): Promise<(id: string) => UsageName | Promise<UsageName>> {
  if (by !== 'key' && by !== 'project') return (id) => ({ name: id === '' ? '(none)' : id })
  const projects = await listAll(ask, '/projects', '&include_archived=true')
  const names = new Map(projects.map(({ id, name }) => [String(id), String(name)]))
  if (by === 'project') return (id) => ({ name: names.get(id) ?? id, id })
  return async (both) => {
    const [projectId = '', id = ''] = both.split(' ', 2)
    return { name: await nameOfKey(ask, projectId, id), id, project: names.get(projectId) ?? projectId, projectId }
  }
}

/** What a key is called. One that was revoked has no name any more, and who calls without a key has none. */
async function nameOfKey(ask: AskAdmin, projectId: string, id: string): Promise<string> {
  if (id === 'local') return '(no key)'
  if (id.startsWith('caller-')) return '(a key of its own)'
  try {
    return keyLabel(await ask('GET', `/projects/${projectId}/api_keys/${id}`))
  } catch (thrown) {
    if (thrown instanceof ManageProblem && thrown.status === NOT_FOUND)
      return id.startsWith('key_token.') ? id.slice('key_token.'.length) : '(revoked)'
    throw thrown
  }
}

function chunksOf<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size))
}

function countOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
