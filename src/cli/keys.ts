import type { Flags } from './flags.ts'
import type { AdminClient } from './manage/admin-client.ts'
import { readSeconds, showDay } from './manage/amounts.ts'
import { type AdminObject, listAll, ManageProblem } from './manage/ask-admin.ts'
import { describeLimits, describeSpend } from './manage/describe-limits.ts'
import { type FoundKey, findKeys, findNamedKey, findNamedProject } from './manage/find-managed.ts'
import { freeKeyName, keyLabel } from './manage/key-label.ts'
import { limitsFromOptions } from './manage/limit-options.ts'
import { jsonText, listForm, renderKeys } from './manage/render-lists.ts'
import { runManage } from './manage/run-manage.ts'

const FORMS = 'say what to do: nexcode keys create, list, show KEY, rotate KEY or revoke KEY. More: nexcode help keys'

/**
 * Makes, lists, shows, rotates and revokes callers' keys. Gives the exit code.
 *
 * @example
 * process.exit(await keys({ ...flags, args: ['create'], values: { project: 'team-a', budget: '50/month' } }))
 */
export function keys(flags: Flags): Promise<number> {
  const { args, values } = flags
  const [action, name] = args
  return runManage('keys', flags, async (client) => {
    const form = listForm(flags, action === 'list')
    switch (action) {
      case 'create':
        return create(client, flags)
      case 'list':
        return renderKeys(await findKeys(client.ask, values.project), form)
      case 'show':
      case 'rotate':
      case 'revoke': {
        if (name === undefined)
          throw new ManageProblem(`name a key: nexcode keys ${action} KEY, by its id or its name.`)
        return actOn(client, action, await findNamedKey(client.ask, name, values.project), flags)
      }
      default:
        throw new ManageProblem(FORMS)
    }
  })
}

async function create({ ask, url }: AdminClient, { args, json, values }: Flags): Promise<string> {
  if (args.length > 1) throw new ManageProblem(`a name is an option: nexcode keys create --name '${args[1]}'`)
  const fields = {
    ...limitsFromOptions(values),
    ...(values.expires !== undefined && { expires_in_seconds: readSeconds(values.expires, '--expires') }),
  }
  const project = await findNamedProject(ask, values.project, true)
  const inProject = `/projects/${String(project['id'])}`
  const name = values.name ?? freeKeyName(await listAll(ask, `${inProject}/service_accounts`))
  const account = await ask('POST', `${inProject}/service_accounts`, { name, create_service_account_only: true })
  const made = await ask('POST', `${inProject}/service_accounts/${String(account['id'])}/api_keys`, { name, ...fields })
  if (json) return jsonText(made)
  const shown = await ask('GET', `${inProject}/api_keys/${String(made['id'])}`)
  const until = shown['expires_at'] === null ? '' : `, until ${showDay(shown['expires_at'])}`
  return `Key '${name}' of project '${String(project['name'])}' (${String(made['id'])}): ${describeLimits(shown)}${until}.
It is shown this once:

  ${String(made['value'])}
${renderPaste(String(made['value']), url)}`
}

async function actOn(
  { ask, url }: AdminClient,
  action: 'show' | 'rotate' | 'revoke',
  { key, project }: FoundKey,
  { json, values }: Flags,
): Promise<string> {
  const path = `/projects/${String(project['id'])}/api_keys/${String(key['id'])}`
  const named = `'${keyLabel(key)}' (${String(key['id'])})`
  if (action === 'show') return json ? jsonText(key) : renderKey(key, project)
  if (action === 'revoke') {
    const gone = await ask('DELETE', path)
    return json ? jsonText(gone) : `Key ${named} is revoked: running servers refuse it within a second.\n`
  }
  const seconds = values.grace === undefined ? 0 : readSeconds(values.grace, '--grace')
  const made = await ask('POST', `${path}/rotate`, { grace_seconds: seconds })
  if (json) return jsonText(made)
  const former =
    seconds === 0 ? 'The former value is refused from now on.' : `The former value is good for another ${values.grace}.`
  return `Key ${named} has a new value. ${former}
It is shown this once:

  ${String(made['value'])}
${renderPaste(String(made['value']), url)}`
}

/** What a person pastes to call with a key. */
function renderPaste(key: string, url: string): string {
  return `
For OpenAI's SDKs and most tools
  export OPENAI_BASE_URL=${url}/v1
  export OPENAI_API_KEY=${key}

For Claude Code and Anthropic's SDKs
  export ANTHROPIC_BASE_URL=${url}
  export ANTHROPIC_AUTH_TOKEN=${key}

To try it
  curl ${url}/v1/models -H "Authorization: Bearer ${key}"
`
}

function renderKey(key: AdminObject, project: AdminObject): string {
  const lines = [
    ['id', key['id']],
    ['name', keyLabel(key)],
    ['project', `${String(project['name'])} (${String(project['id'])})`],
    ['key', key['redacted_value']],
    ['limits', describeLimits(key)],
    ['spent', describeSpend(key) || 'nothing is limited: see nexcode usage --by key'],
    ['created', showDay(key['created_at'])],
    ['last used', showDay(key['last_used_at'])],
    ['expires', showDay(key['expires_at'])],
    ['managed by', key['managed_by']],
  ]
  return lines.map(([name, value]) => `${String(name).padEnd(12)}${String(value)}\n`).join('')
}
