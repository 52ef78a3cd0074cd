import type { Flags } from './flags.ts'
import type { AdminClient } from './manage/admin-client.ts'
import { type AdminObject, listAll, ManageProblem } from './manage/ask-admin.ts'
import { describeLimits } from './manage/describe-limits.ts'
import { findNamedProject } from './manage/find-managed.ts'
import { limitsFromOptions } from './manage/limit-options.ts'
import { jsonText, listForm, renderProjects } from './manage/render-lists.ts'
import { runManage } from './manage/run-manage.ts'

const FORMS =
  'say what to do: nexcode projects create NAME, list, update NAME or archive NAME. More: nexcode help projects'

/**
 * Makes, lists, changes and archives projects. Gives the exit code.
 *
 * @example
 * process.exit(await projects({ ...flags, args: ['create', 'team-a'], values: { budget: '500/month' } }))
 */
export function projects(flags: Flags): Promise<number> {
  const { args, json } = flags
  const [action, name] = args
  return runManage('projects', flags, async (client) => {
    const form = listForm(flags, action === 'list')
    if (action === 'list') return renderProjects(await listAll(client.ask, '/projects', '&include_archived=true'), form)
    if (action !== 'create' && action !== 'update' && action !== 'archive') throw new ManageProblem(FORMS)
    if (name === undefined) throw new ManageProblem(`name the project: nexcode projects ${action} NAME`)
    const project = await act(client, action, name, flags)
    return json ? jsonText(project) : told(action, project)
  })
}

async function act(
  { ask }: AdminClient,
  action: 'create' | 'update' | 'archive',
  name: string,
  { values }: Flags,
): Promise<AdminObject> {
  const zone = values['time-zone']
  const fields = { ...limitsFromOptions(values), ...(zone !== undefined && { time_zone: zone }) }
  if (action === 'create') {
    const known = await listAll(ask, '/projects')
    const same = known.find((one) => one['name'] === name)
    if (same !== undefined) throw new ManageProblem(`there is a project '${name}' already (${String(same['id'])}).`)
    return ask('POST', '/projects', { name, ...fields })
  }
  const { id } = await findNamedProject(ask, name)
  if (action === 'archive') return ask('POST', `/projects/${String(id)}/archive`)
  if (values.name === undefined && Object.keys(fields).length === 0) {
    throw new ManageProblem(
      'say what to change: --name, --time-zone, --budget, --rpm, --tpm, --rpd, --models, --endpoints or --concurrency.',
    )
  }
  return ask('POST', `/projects/${String(id)}`, { ...fields, ...(values.name !== undefined && { name: values.name }) })
}

function told(action: 'create' | 'update' | 'archive', project: AdminObject): string {
  const named = `'${String(project['name'])}' (${String(project['id'])})`
  if (action === 'archive') return `Project ${named} is archived: its keys are refused within a second.\n`
  const limits = `${describeLimits(project)}; days begin by ${String(project['time_zone'])}`
  const next = `A key for it: nexcode keys create --project '${String(project['name'])}'`
  return action === 'create' ? `Project ${named}: ${limits}.\n${next}\n` : `Project ${named} has now: ${limits}.\n`
}
