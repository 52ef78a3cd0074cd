import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import OpenAI, { type APIError, BadRequestError, NotFoundError } from 'openai'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const ADMIN_KEY = 'an-admin-key-of-this-test-0123456789abcdef'

let gateway: TestGateway<'openai'>
let client: OpenAI
let organization: OpenAI['admin']['organization']

beforeAll(async () => {
  gateway = await startGateway({
    upstreams: { openai: answerOk },
    env: {
      LEDGER: 'memory',
      ADMIN_KEY,
      OPENAI_API_KEY: 'sk-of-the-server',
      REQUIRE_AUTH: 'true',
      API_TOKEN: 'token-one-0123456789abcdef',
    },
  })
  client = new OpenAI({ adminAPIKey: ADMIN_KEY, apiKey: 'none', baseURL: `${gateway.url}/v1`, maxRetries: 0 })
  organization = client.admin.organization
})
afterAll(() => gateway.stop())

/** The error that a call ends with. */
async function errorOf(call: Promise<unknown>): Promise<APIError> {
  return call.then(
    () => {
      throw new Error('The call was answered.')
    },
    (error: APIError) => error,
  )
}

/** A project with a service account and its first key. */
async function newKey(more: object = {}) {
  const project = await organization.projects.create({ name: 'team' })
  const account = await organization.projects.serviceAccounts.create(project.id, { name: 'bot', ...more })
  if (account.api_key === null) throw new Error('There is no key.')
  return { project, account, key: account.api_key, project_id: project.id }
}

const getOwn = (path: string, key: string) =>
  fetch(`${gateway.url}/v1/organization/${path}`, { headers: { authorization: `Bearer ${key}` } })

describe('each method of the SDK', () => {
  /** Methods that are answered from the ledger. */
  const SERVED = [
    ...['adminAPIKeys.create', 'adminAPIKeys.delete', 'adminAPIKeys.list', 'adminAPIKeys.retrieve', 'auditLogs.list'],
    ...['projects.apiKeys.delete', 'projects.apiKeys.list', 'projects.apiKeys.retrieve', 'projects.apiKeys.update'],
    ...['projects.archive', 'projects.create', 'projects.list', 'projects.retrieve', 'projects.update'],
    ...['projects.modelPermissions.delete', 'projects.modelPermissions.retrieve', 'projects.modelPermissions.update'],
    ...['projects.rateLimits.listRateLimits', 'projects.rateLimits.updateRateLimit'],
    ...[
      'projects.serviceAccounts.apiKeys.create',
      'projects.serviceAccounts.create',
      'projects.serviceAccounts.delete',
    ],
    ...['projects.serviceAccounts.list', 'projects.serviceAccounts.retrieve', 'projects.serviceAccounts.update'],
    ...['projects.spendAlerts.create', 'projects.spendAlerts.delete', 'projects.spendAlerts.list'],
    ...['projects.spendAlerts.retrieve', 'projects.spendAlerts.update'],
    ...['projects.spendLimit.delete', 'projects.spendLimit.retrieve', 'projects.spendLimit.update'],
    ...['spendAlerts.create', 'spendAlerts.delete', 'spendAlerts.list', 'spendAlerts.retrieve', 'spendAlerts.update'],
    ...['spendLimit.delete', 'spendLimit.retrieve', 'spendLimit.update'],
    ...['usage.audioSpeeches', 'usage.audioTranscriptions', 'usage.codeInterpreterSessions', 'usage.completions'],
    ...['usage.costs', 'usage.decisions', 'usage.embeddings', 'usage.fileSearchCalls', 'usage.images'],
    ...['usage.moderations', 'usage.vectorStores', 'usage.webSearchCalls'],
  ]
  /** What this server has none of; a new name fails the test, so that somebody decides about it. */
  const NOT_SERVED =
    /^(?:projects\.)?(?:certificates|dataRetention|externalKeys|externalStorage|groups|hostedToolPermissions|invites|roles|serviceTierSettings|users|workloadIdentityProviders)\./

  const isNotServed = (error: unknown): error is NotFoundError =>
    error instanceof NotFoundError && error.code === 'unknown_url'

  type Method = (...args: unknown[]) => Promise<unknown>
  type Resource = Readonly<Record<string, unknown>>

  function methodsOf(resource: Resource, path = ''): Map<string, Method> {
    const found = new Map<string, Method>()
    for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(resource))) {
      const method = resource[name]
      if (name !== 'constructor' && typeof method === 'function') found.set(`${path}${name}`, method.bind(resource))
    }
    for (const [name, inner] of Object.entries(resource))
      if (name !== '_client' && typeof inner === 'object')
        for (const [key, method] of methodsOf(inner as Resource, `${path}${name}.`)) found.set(key, method)
    return found
  }

  test('is served, or answered 404 in OpenAI’s shape with what is served', async () => {
    const methods = methodsOf(organization as unknown as Resource)
    const others = [...methods.keys()].filter((name) => !SERVED.includes(name))
    expect(others.filter((name) => !NOT_SERVED.test(name))).toEqual([])
    expect(SERVED.filter((name) => !methods.has(name))).toEqual([])
    expect(others.length).toBeGreaterThan(60)
    // Ids stand in the first places, parameters behind them: each method takes what it knows of these.
    const ids = {
      ...{ project_id: 'p', group_id: 'g', user_id: 'u', role_id: 'r', certificate_id: 'c', name: 'n' },
      ...{ identity_provider_id: 'i', provider_id: 'i', workload_identity_provider_id: 'i' },
    }
    for (const name of others) {
      const call = methods.get(name)
      const attempts = [() => call?.('x', ids, ids), () => call?.(ids)]
      const errors = await Promise.all(
        attempts.map((attempt) =>
          Promise.resolve()
            .then(attempt)
            .catch((error: unknown) => error),
        ),
      )
      const answered = errors.filter(isNotServed)
      expect([name, answered.length > 0]).toEqual([name, true])
      expect(answered[0]?.message).toContain('spend alerts')
    }
  })
})

describe('projects', () => {
  test('are made, found, changed and archived, as complete objects', async () => {
    expect(await errorOf(organization.projects.create({ name: 'team-a', geography: 'EU' }))).toMatchObject({
      code: 'unsupported_value',
      param: 'geography',
    })
    const made = await organization.projects.create({ name: 'team-a', residency: 'GLOBAL', geography: null })
    expect(made.id).toMatch(/^proj_[0-9A-Za-z]{24}$/)
    expect(made).toMatchObject({
      object: 'organization.project',
      name: 'team-a',
      archived_at: null,
      status: 'active',
      external_key_id: null,
      residency: 'GLOBAL',
    })
    expect(await organization.projects.update(made.id, { name: 'team-b' })).toMatchObject({ name: 'team-b' })
    expect(await organization.projects.retrieve(made.id)).toMatchObject({ id: made.id, name: 'team-b' })
    const archived = await organization.projects.archive(made.id)
    expect(archived).toMatchObject({ status: 'archived', archived_at: expect.any(Number) })
    expect(await organization.projects.archive(made.id)).toMatchObject({ archived_at: archived.archived_at })
    expect(await errorOf(organization.projects.update(made.id, { name: 'x' }))).toMatchObject({
      code: 'project_archived',
    })
    const ids = async (include_archived: boolean) =>
      (await Array.fromAsync(organization.projects.list({ include_archived }))).map(({ id }) => id)
    expect(await ids(true)).toContain(made.id)
    expect(await ids(false)).not.toContain(made.id)
  })

  test('have our fields beside OpenAI’s: zone, environment and limits; a field that is left out stays', async () => {
    const fields = {
      time_zone: 'Europe/Berlin',
      environment: 'prod',
      spend_limit: { currency: 'USD', day: 500, week: null, month: 12.345_678_9, total: null },
      model_permissions: { mode: 'allow_list', model_ids: ['gpt-4o*'] },
      endpoints: ['chat/completions'],
      concurrency: 3,
    }
    const made = await organization.projects.create({ name: 'limited', ...fields } as never)
    expect(made).toMatchObject(fields as never)
    const changed = await organization.projects.update(made.id, {
      spend_limit: { day: null },
      environment: null,
    } as never)
    expect(changed as unknown).toMatchObject({
      ...fields,
      environment: null,
      spend_limit: { ...fields.spend_limit, day: null },
    })
  })

  test('that are many are listed page by page, each once, also while they are archived on the way', async () => {
    const names = Array.from({ length: 25 }, (_, index) => `many-${index}`)
    for (const name of names) await organization.projects.create({ name })
    const seen: string[] = []
    for await (const { id, name } of organization.projects.list({ limit: 4 })) {
      if (!name?.startsWith('many-')) continue
      seen.push(name)
      await organization.projects.archive(id)
    }
    expect(seen).toEqual(names)
  })
})

describe('keys', () => {
  test('show their value once: where they are made, and never again', async () => {
    const { account, key, project_id } = await newKey()
    const second = await organization.projects.serviceAccounts.apiKeys.create(account.id, {
      project_id,
      name: 'second',
    })
    expect([key.object, second.object]).toEqual(Array(2).fill('organization.project.service_account.api_key'))
    expect([key.value, second.value]).toEqual(Array(2).fill(expect.stringMatching(/^sk-nex-[0-9A-Za-z]{44}$/)))
    const admin = await organization.adminAPIKeys.create({ name: 'second admin', expires_in_seconds: 3600 })
    const shown = JSON.stringify([
      await Array.fromAsync(organization.projects.apiKeys.list(project_id)),
      await organization.projects.apiKeys.retrieve(second.id, { project_id }),
      await organization.projects.serviceAccounts.retrieve(account.id, { project_id }),
      await Array.fromAsync(organization.adminAPIKeys.list()),
      await organization.adminAPIKeys.retrieve(admin.id),
      await Array.fromAsync(organization.auditLogs.list()),
      gateway.lines,
    ])
    expect(shown).toContain(second.id)
    for (const value of [key.value, second.value, admin.value, ADMIN_KEY]) expect(shown).not.toContain(value)
  })

  test('are complete objects, with the owner and our fields', async () => {
    const metadata = { team: 'search' }
    const { account, key, project_id } = await newKey({ metadata, expires_in_seconds: 60, concurrency: 2 })
    const found = await organization.projects.apiKeys.retrieve(key.id, { project_id })
    expect(found as unknown).toMatchObject({
      object: 'organization.project.api_key',
      id: key.id,
      name: key.name,
      redacted_value: `sk-nex-...${key.value.slice(-4)}`,
      created_at: key.created_at,
      last_used_at: null,
      expires_at: key.created_at + 60,
      owner: {
        type: 'service_account',
        service_account: { id: account.id, name: 'bot', role: 'member', created_at: account.created_at },
      },
      owner_project_access: 'active',
      scopes: [],
      metadata,
      concurrency: 2,
      managed_by: 'api',
      spend: [],
    })
  })

  test('are in force when the answer is there, and gone when they are deleted', async () => {
    const { account, key, project_id } = await newKey()
    const chat = async () => (await gateway.chat({ model: 'm' }, { authorization: `Bearer ${key.value}` })).status
    expect(await chat()).toBe(200)
    await organization.projects.apiKeys.delete(key.id, { project_id })
    expect(await chat()).toBe(401)
    expect(await errorOf(organization.projects.apiKeys.retrieve(key.id, { project_id }))).toMatchObject({ status: 404 })
    const other = await organization.projects.serviceAccounts.apiKeys.create(account.id, { project_id })
    const deleted = await organization.projects.serviceAccounts.delete(account.id, { project_id })
    expect(deleted).toMatchObject({ deleted: true, object: 'organization.project.service_account.deleted' })
    expect((await gateway.chat({ model: 'm' }, { authorization: `Bearer ${other.value}` })).status).toBe(401)
  })

  test('are rotated: the former value is good for the grace time, the id stays', async () => {
    const { key, project_id } = await newKey()
    const rotate = (grace_seconds: number) =>
      client.post<{ id: string; value: string }>(`/organization/projects/${project_id}/api_keys/${key.id}/rotate`, {
        body: { grace_seconds },
        headers: { authorization: `Bearer ${ADMIN_KEY}` },
      })
    const chat = async (value: string) =>
      (await gateway.chat({ model: 'm' }, { authorization: `Bearer ${value}` })).status
    const second = await rotate(3600)
    expect(second.id).toBe(key.id)
    expect([await chat(key.value), await chat(second.value)]).toEqual([200, 200])
    const third = await rotate(0)
    expect([await chat(key.value), await chat(second.value), await chat(third.value)]).toEqual([200, 401, 200])
  })

  test('are changed: scopes, expiry and limits; what would change nothing is refused', async () => {
    const { key, project_id } = await newKey()
    const change = (fields: object) => organization.projects.apiKeys.update(key.id, { project_id, ...fields } as never)
    expect(await change({ expires_in_seconds: 100 })).toMatchObject({ expires_at: expect.any(Number) })
    expect(await change({ rate_limits: [{ model: '*', max_requests_per_1_minute: 5 }] })).toMatchObject({
      rate_limits: [{ model: '*', max_requests_per_1_minute: 5, max_tokens_per_1_minute: null }],
    } as never)
    expect(await errorOf(change({}))).toMatchObject({ status: 400 })
  })

  test('that a service account alone has are none', async () => {
    const { id } = await organization.projects.create({ name: 'alone' })
    const params = { name: 'alone', create_service_account_only: true }
    const account = await organization.projects.serviceAccounts.create(id, params)
    expect(account).toMatchObject({ role: 'none', api_key: null })
    const refused = organization.projects.serviceAccounts.create(id, { ...params, expires_in_seconds: 5 })
    expect(await errorOf(refused)).toMatchObject({ status: 400, param: 'expires_in_seconds' })
    const accounts = await Array.fromAsync(organization.projects.serviceAccounts.list(id))
    expect(accounts.map(({ id }) => id)).toEqual([account.id])
    const renamed = { project_id: id, name: 'renamed', role: 'owner' as const }
    expect(await organization.projects.serviceAccounts.update(account.id, renamed)).toMatchObject({ role: 'owner' })
  })

  test('may do what their scopes say; none says all', async () => {
    const { account, project_id } = await newKey()
    const scopes = ['api.model.request']
    const key = await organization.projects.serviceAccounts.apiKeys.create(account.id, { project_id, scopes })
    const statuses = async () => {
      const headers = { authorization: `Bearer ${key.value}` }
      const files = await fetch(`${gateway.url}/v1/files`, { headers })
      return [(await gateway.chat({ model: 'm' }, headers)).status, files.status]
    }
    expect(await statuses()).toEqual([200, 403])
    expect(await organization.projects.apiKeys.update(key.id, { project_id, scopes: ['api.all.read'] })).toMatchObject({
      scopes: ['api.all.read'],
    } as never)
    expect(await statuses()).toEqual([403, 200])
    await organization.projects.apiKeys.update(key.id, { project_id, scopes: [] })
    expect(await statuses()).toEqual([200, 200])
  })

  test('that are deleted while they are listed are all deleted', async () => {
    const { account, project_id } = await newKey()
    for (let made = 1; made < 7; made += 1)
      await organization.projects.serviceAccounts.apiKeys.create(account.id, { project_id })
    const deleted: string[] = []
    for await (const { id } of organization.projects.apiKeys.list(project_id, { limit: 2 })) {
      await organization.projects.apiKeys.delete(id, { project_id })
      deleted.push(id)
    }
    expect(new Set(deleted).size).toBe(7)
    expect((await organization.projects.apiKeys.list(project_id)).data).toEqual([])
  })

  test('that are made while their account is deleted do not outlive it', async () => {
    const { account, project_id } = await newKey()
    const { serviceAccounts } = organization.projects
    const makes = Array.from({ length: 8 }, () => serviceAccounts.apiKeys.create(account.id, { project_id }))
    await Promise.allSettled([...makes, serviceAccounts.delete(account.id, { project_id })])
    expect((await organization.projects.apiKeys.list(project_id)).data).toEqual([])
  })

  test('changed by many at once keep each of the changes', async () => {
    const { key, project_id } = await newKey()
    const windows = ['day', 'week', 'month', 'total']
    await Promise.all(
      windows.map((window, index) =>
        organization.projects.apiKeys.update(key.id, { project_id, spend_limit: { [window]: index + 1 } } as never),
      ),
    )
    expect((await organization.projects.apiKeys.retrieve(key.id, { project_id })) as unknown).toMatchObject({
      spend_limit: { day: 1, week: 2, month: 3, total: 4 },
    })
  })
})

describe('limits of a project', () => {
  test('on rates: one of a model is made by its update', async () => {
    const { id: project_id } = await organization.projects.create({ name: 'rates' })
    const limit = await organization.projects.rateLimits.updateRateLimit('rl-gpt-4o', {
      project_id,
      max_requests_per_1_minute: 4,
    })
    expect(limit).toMatchObject({
      object: 'project.rate_limit',
      id: 'rl-gpt-4o',
      model: 'gpt-4o',
      max_requests_per_1_minute: 4,
      max_tokens_per_1_minute: expect.any(Number),
    })
    await organization.projects.rateLimits.updateRateLimit('rl-*', { project_id, max_tokens_per_1_minute: 9 })
    const models = async (limit: number) =>
      (await Array.fromAsync(organization.projects.rateLimits.listRateLimits(project_id, { limit }))).map(
        ({ model }) => model,
      )
    expect([await models(1), await models(50)]).toEqual(Array(2).fill(['gpt-4o', '*']))
    const unmetered = { project_id, max_audio_megabytes_per_1_minute: 3 }
    expect(await errorOf(organization.projects.rateLimits.updateRateLimit('rl-a', unmetered))).toMatchObject({
      code: 'unsupported_parameter',
    })
  })

  test('on models', async () => {
    const { id } = await organization.projects.create({ name: 'models' })
    const none = { object: 'project.model_permissions' as const, mode: 'deny_list' as const, model_ids: [] }
    expect(await organization.projects.modelPermissions.retrieve(id)).toMatchObject(none)
    const some = { mode: 'allow_list' as const, model_ids: ['gpt-4o', 'o*'] }
    expect(await organization.projects.modelPermissions.update(id, some)).toMatchObject(some)
    expect(await organization.projects.modelPermissions.retrieve(id)).toMatchObject(some)
    expect(await organization.projects.modelPermissions.delete(id)).toMatchObject({ deleted: true })
    expect(await organization.projects.modelPermissions.retrieve(id)).toMatchObject(none)
  })

  test('on spending, of a project and of all, in cents', async () => {
    const { id } = await organization.projects.create({ name: 'money' })
    const limit = { currency: 'USD' as const, interval: 'month' as const, threshold_amount: 1234 }
    const enforcement = { status: 'inactive' }
    expect(await errorOf(organization.projects.spendLimit.retrieve(id))).toMatchObject({ status: 404 })
    expect(await organization.projects.spendLimit.update(id, limit)).toMatchObject({ ...limit, enforcement })
    expect(await organization.projects.spendLimit.retrieve(id)).toMatchObject({
      object: 'project.spend_limit',
      ...limit,
    })
    expect(await organization.projects.spendLimit.delete(id)).toMatchObject({ deleted: true })
    expect(await organization.spendLimit.update(limit)).toMatchObject({ object: 'organization.spend_limit', ...limit })
    expect(await organization.spendLimit.retrieve()).toMatchObject({ ...limit, enforcement })
    expect(await organization.spendLimit.delete()).toMatchObject({ object: 'organization.spend_limit.deleted' })
    expect(await errorOf(organization.spendLimit.retrieve())).toMatchObject({ status: 404, code: 'not_found' })
  })

  test('that only tell of spending: to a webhook, whose secrets are not shown, and not by e-mail', async () => {
    const { id: project_id } = await organization.projects.create({ name: 'alerts' })
    const money = { currency: 'USD' as const, interval: 'month' as const, threshold_amount: 5 }
    const webhook = { type: 'webhook', url: 'https://hooks.example/T0/secret' }
    const email = { ...money, notification_channel: { type: 'email' as const, recipients: ['a@b.example'] } }
    expect(await errorOf(organization.projects.spendAlerts.create(project_id, email))).toMatchObject({
      status: 400,
      param: 'notification_channel.type',
    })
    for (const [alerts, ids] of [
      [organization.projects.spendAlerts, [project_id]],
      [organization.spendAlerts, []],
    ] as const) {
      const call = alerts as unknown as Record<string, (...args: unknown[]) => Promise<{ id: string; data: object[] }>>
      const made = await call['create']?.(...ids, { ...money, notification_channel: webhook })
      const shown = { ...money, notification_channel: { type: 'webhook', url: 'https://hooks.example/…' } }
      expect(made).toMatchObject(shown)
      expect(await call['retrieve']?.(made?.id, { project_id: ids[0] })).toMatchObject(shown)
      const changed = { ...money, threshold_amount: 7, notification_channel: webhook }
      const params = ids.length === 0 ? changed : { project_id, ...changed }
      expect(await call['update']?.(made?.id, params)).toMatchObject({ threshold_amount: 7 })
      expect((await call['list']?.(...ids))?.data).toHaveLength(1)
      expect(await call['delete']?.(made?.id, { project_id: ids[0] })).toMatchObject({ id: made?.id, deleted: true })
      expect((await call['list']?.(...ids))?.data).toHaveLength(0)
    }
    const events = JSON.stringify((await organization.auditLogs.list({ project_ids: [project_id] })).data)
    expect(events).toContain('spend_alert')
    expect(events).not.toContain('secret')
  })
})

describe('the audit log', () => {
  test('has each change, newest first, with OpenAI’s names and details', async () => {
    const { account, key, project_id } = await newKey()
    await organization.projects.apiKeys.update(key.id, { project_id, scopes: ['api.all'] })
    await organization.projects.archive(project_id)
    const events = await Array.fromAsync(organization.auditLogs.list({ project_ids: [project_id], limit: 2 }))
    expect(events.map(({ type }) => type)).toEqual([
      'project.archived',
      'api_key.updated',
      'api_key.created',
      'service_account.created',
      'project.created',
    ])
    expect(events[1]).toMatchObject({
      id: expect.stringMatching(/^audit_log-/),
      effective_at: expect.any(Number),
      actor: { type: 'api_key', api_key: { id: 'ADMIN_KEY', type: 'user' } },
      project: { id: project_id, name: 'team' },
      'api_key.updated': { id: key.id, changes_requested: { scopes: ['api.all'] } },
    })
    expect(events[3]).toMatchObject({ 'service_account.created': { id: account.id, data: { role: 'member' } } })
  })

  test('is filtered by time, type, actor and resource', async () => {
    const { account, key } = await newKey()
    const list = async (query: OpenAI.Admin.Organization.AuditLogListParams) =>
      (await organization.auditLogs.list(query)).data.map(({ type }) => type)
    const resource_ids = [key.id, account.id]
    expect(await list({ resource_ids })).toEqual(['api_key.created', 'service_account.created'])
    expect(await list({ resource_ids, event_types: ['service_account.created'] })).toEqual(['service_account.created'])
    expect(await list({ resource_ids, actor_ids: ['key_other'] })).toEqual([])
    expect(await list({ resource_ids, effective_at: { gt: key.created_at + 1000 } })).toEqual([])
    expect(
      await list({ resource_ids, effective_at: { gte: account.created_at, lte: key.created_at + 9 } }),
    ).toHaveLength(2)
  })
})

describe('usage and costs', () => {
  const DAY = 86_400
  const start_time = Math.floor(Date.UTC(2026, 0, 5) / 1000)

  test('come in buckets, also empty ones, page by page', async () => {
    const first = await organization.usage.completions({ start_time, end_time: start_time + 10 * DAY })
    expect([first.object, first.has_more]).toEqual(['page', true])
    expect(first.data).toHaveLength(7)
    expect(first.data[0]).toEqual({ object: 'bucket', start_time, end_time: start_time + DAY, results: [] })
    const page = first.next_page ?? ''
    const second = await organization.usage.completions({ start_time, end_time: start_time + 10 * DAY, page })
    expect(second).toMatchObject({ has_more: false, next_page: null })
    expect(second.data.map((bucket) => bucket.start_time)).toEqual([7, 8, 9].map((day) => start_time + day * DAY))
  })

  test('have OpenAI’s defaults and bounds of each width', async () => {
    const end_time = start_time + 400 * DAY
    for (const [bucket_width, usual, most] of [
      ['1m', 60, 1440],
      ['1h', 24, 168],
      ['1d', 7, 31],
    ] as const) {
      const ask = (limit?: number) =>
        organization.usage.embeddings({ start_time, end_time, bucket_width, ...(limit !== undefined && { limit }) })
      expect((await ask()).data).toHaveLength(usual)
      expect((await ask(most)).data).toHaveLength(most)
      expect(await errorOf(ask(most + 1))).toMatchObject({ status: 400, param: 'limit' })
    }
    expect((await organization.usage.costs({ start_time, end_time, limit: 180 })).data).toHaveLength(180)
    expect(await errorOf(organization.usage.costs({ start_time, bucket_width: '1h' as never }))).toMatchObject({
      code: 'invalid_value',
    })
    expect(await errorOf(organization.usage.vectorStores({ start_time, group_by: ['model'] as never }))).toMatchObject({
      param: 'group_by[0]',
    })
    expect(await errorOf(organization.usage.images({ start_time, sizes: ['256x256'] }))).toMatchObject({
      code: 'unsupported_parameter',
    })
  })
})

describe('what is wrong with a request', () => {
  test('is told as OpenAI tells it: unknown fields and wrong types, by name', async () => {
    for (const [body, code, param] of [
      [{ name: 'x', colour: 'red' }, 'unknown_parameter', 'colour'],
      [{}, 'missing_required_parameter', 'name'],
      [{ name: 5 }, 'invalid_type', 'name'],
      [{ name: '' }, 'string_below_min_length', 'name'],
      [{ name: 'x', spend_limit: { year: 5 } }, 'unknown_parameter', 'spend_limit.year'],
      [{ name: 'x', spend_limit: { day: -1 } }, 'decimal_below_min_value', 'spend_limit.day'],
      [{ name: 'x', rate_limits: [{ model: 'm', rpm: 5 }] }, 'unknown_parameter', 'rate_limits[0].rpm'],
      [{ name: 'x', model_permissions: { mode: 'some', model_ids: [] } }, 'invalid_value', 'model_permissions.mode'],
      [{ name: 'x', time_zone: 'Mars/Olympus' }, 'invalid_value', 'time_zone'],
      [{ name: 'x', external_key_id: 'ek_1' }, 'unsupported_value', 'external_key_id'],
    ] as const) {
      const error = await errorOf(organization.projects.create(body as never))
      expect(error).toBeInstanceOf(BadRequestError)
      expect([error.code, error.param, error.type]).toEqual([code, param, 'invalid_request_error'])
    }
    expect(await errorOf(organization.projects.list({ colour: 'red' } as never))).toMatchObject({ param: 'colour' })
  })

  test('is not found where it is another project’s', async () => {
    const { key } = await newKey()
    const { id: project_id } = await organization.projects.create({ name: 'another' })
    const error = await errorOf(organization.projects.apiKeys.retrieve(key.id, { project_id }))
    expect([error.status, error.code, error.type]).toEqual([404, 'not_found', 'invalid_request_error'])
  })
})

describe('the way in', () => {
  test('is for admin keys alone: of callers’ keys, tokens and strangers nobody manages', async () => {
    const { key } = await newKey()
    const admin = await organization.adminAPIKeys.create({ name: 'other' })
    const status = async (credential: string) => (await getOwn('projects', credential)).status
    expect(await status(admin.value)).toBe(200)
    expect(await status(key.value)).toBe(403)
    expect(await status('token-one-0123456789abcdef')).toBe(403)
    expect(await status('sk-of-somebody')).toBe(401)
    expect((await fetch(`${gateway.url}/v1/organization/projects`)).status).toBe(401)
    await organization.adminAPIKeys.delete(admin.id)
    expect(await status(admin.value)).toBe(401)
  })

  test('is none to a model: admin keys can’t call', async () => {
    const admin = await organization.adminAPIKeys.create({ name: 'no caller' })
    for (const value of [ADMIN_KEY, admin.value])
      expect((await gateway.chat({ model: 'm' }, { authorization: `Bearer ${value}` })).status).toBe(401)
  })

  test('lets a caller see its own key, with what is left of each limit', async () => {
    const { key, project } = await newKey({ spend_limit: { month: 500 } })
    await organization.projects.spendLimit.update(project.id, {
      currency: 'USD',
      interval: 'month',
      threshold_amount: 900,
    })
    const month = { window: 'month', spent: 0, reserved: 0, resets_at: expect.any(Number) }
    for (const path of ['projects/me/api_keys/me', `projects/${project.id}/api_keys/me/`]) {
      const answer = await getOwn(path, key.value)
      expect(await answer.json()).toMatchObject({
        id: key.id,
        spend: [{ ...month, limit: 500, remaining: 500 }],
        project: { id: project.id, spend: [{ ...month, limit: 900, remaining: 900 }] },
        organization: { spend: [] },
      })
    }
    expect((await getOwn('projects/proj_other/api_keys/me', key.value)).status).toBe(404)
  })

  test('is found in the spelling of the API alone; nothing of it goes upstream', async () => {
    const before = gateway.upstreams.openai.requests.length
    for (const path of ['organization/projects/', '../organization/projects']) {
      const { status } = await fetch(`${gateway.url}/${path}`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } })
      expect(status).toBe(200)
    }
    const { key } = await newKey()
    for (const path of ['v1/Organization/projects', 'v1/organization%2Fprojects', 'v1/v1/organization/projects'])
      expect(
        (await fetch(`${gateway.url}/${path}`, { headers: { authorization: `Bearer ${key.value}` } })).status,
      ).toBe(404)
    expect(gateway.upstreams.openai.requests).toHaveLength(before)
  })
})
