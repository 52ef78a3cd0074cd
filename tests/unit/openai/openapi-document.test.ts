import { describe, expect, test } from 'bun:test'
import { createAdmission } from '../../../src/access/admission.ts'
import { ADMIN_ROUTES } from '../../../src/administration/administer.ts'
import { ApiError } from '../../../src/openai/api-error.ts'
import { compileRequestCheck } from '../../../src/openai/check-request.ts'
import { ERROR_CATALOGUE, type ErrorKind } from '../../../src/openai/error-catalogue.ts'
import type { ErrorEntry } from '../../../src/openai/error-entry.ts'
import { createPassthroughPaths } from '../../../src/openai/openapi/passthrough-paths.ts'
import { createOpenApiDocument } from '../../../src/openai/openapi-document.ts'
import { RESOURCES } from '../../../src/openai/resources.ts'
import { ChatCompletionRequest } from '../../../src/openai/schemas/chat-completion-request.ts'
import { CompletionRequest } from '../../../src/openai/schemas/completion-request.ts'
import { health } from '../../../src/server/routes/health.ts'
import parameters from '../../fixtures/openai-parameters.json' with { type: 'json' }
import specifiedPaths from '../../fixtures/openai-paths.json' with { type: 'json' }

const document = createOpenApiDocument({ version: '1.2.3', serverUrl: 'http://gateway.test:8000/v1' })
const operations = Object.entries(document.paths).flatMap(([path, { get, post, delete: remove }]) =>
  Object.entries({ GET: get, POST: post, DELETE: remove }).flatMap(([method, operation]) =>
    operation === undefined ? [] : [{ method, path, operation }],
  ),
)

function nobody(): never {
  throw new Error('nobody is let in here')
}

describe('the OpenAPI document', () => {
  test('is plain JSON', () => {
    expect(JSON.parse(JSON.stringify(document))).toEqual(document)
  })

  test('names the version and where the server is', () => {
    expect(document.openapi).toBe('3.1.1')
    expect(document.info.version).toBe('1.2.3')
    expect(document.servers.map(({ url }) => url)).toEqual(['/v1', 'http://gateway.test:8000/v1'])
  })

  test('has a component behind every reference', () => {
    const references = [...referencesIn(document)]
    expect(references.length).toBeGreaterThan(100)
    for (const reference of references) expect({ reference, target: targetOf(reference) }).toHaveProperty('target.0')
  })

  test('has a component for nothing that is not referred to', () => {
    const { schemas, headers, responses, examples } = document.components
    for (const [group, members] of Object.entries({ schemas, headers, responses, examples })) {
      for (const name of Object.keys(members)) {
        expect([...referencesIn(document)]).toContain(`#/components/${group}/${name}`)
      }
    }
  })

  test('gives every operation an id of its own, a known tag and a described response', () => {
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    const tags = document.tags.map(({ name }) => name)
    for (const { operation } of operations) {
      expect(tags).toEqual(expect.arrayContaining([...operation.tags]))
      expect(Object.keys(operation.responses).length).toBeGreaterThan(0)
    }
  })

  test('asks for a bearer everywhere but at the health endpoints', () => {
    expect(document.security).toEqual([{ bearer: [] }])
    expect(document.components.securitySchemes['bearer']).toMatchObject({ type: 'http', scheme: 'bearer' })
    const open = operations.filter(({ operation }) => operation.security !== undefined)
    expect(open.map(({ path }) => path)).toEqual(healthPaths())
    for (const { operation } of open) expect(operation.security).toEqual([])
  })

  test('lists the very health endpoints that are served, beside /v1', () => {
    const served = health({
      admission: createAdmission({ inFlightMax: 1, callerSharePercent: 100 }),
      authorize: nobody,
      targets: nobody,
      workers: undefined,
    }).routes.map(({ path }) => path)
    expect(healthPaths().sort()).toEqual(served.sort())
    for (const path of healthPaths()) expect(document.paths[path]?.servers).toEqual([{ url: '/' }])
  })
})

describe('the requests that are read', () => {
  const requests = [
    {
      path: '/chat/completions',
      name: 'ChatCompletionRequest',
      schema: ChatCompletionRequest,
      fields: parameters.chat,
    },
    { path: '/completions', name: 'CompletionRequest', schema: CompletionRequest, fields: parameters.completions },
  ] as const

  test.each(requests)(
    '$path is described by the schema that the server checks with',
    ({ path, name, schema, fields }) => {
      const content = document.paths[path]?.post?.requestBody?.content['application/json']
      expect(content?.schema).toEqual({ $ref: `#/components/schemas/${name}` })
      const described = document.components.schemas[name]
      expect(Object.keys(described?.properties ?? {}).sort()).toEqual([...fields].sort())
      expect(described?.['additionalProperties']).toBe(true)
      expect(described?.required).toEqual(schema.required)
    },
  )

  test.each(requests)('the examples of $path pass the check of the server', ({ path, schema }) => {
    const check = compileRequestCheck(schema)
    const examples = Object.values(document.paths[path]?.post?.requestBody?.content['application/json']?.examples ?? {})
    expect(examples.length).toBeGreaterThan(0)
    for (const example of examples) expect(check('value' in example ? example.value : undefined)).toBeUndefined()
  })

  test('the first example of a chat is that of the user’s own document', () => {
    const examples = document.paths['/chat/completions']?.post?.requestBody?.content['application/json']?.examples
    expect(examples?.['short']).toHaveProperty('value', {
      model: 'gpt-3.5-turbo',
      messages: [{ role: 'user', content: '你好' }],
      temperature: 0.7,
    })
  })

  test('the words of our error messages stay inside', () => {
    expect(JSON.stringify(document)).not.toContain('x-noun')
  })
})

describe('what passes through', () => {
  test('every resource has a path', () => {
    const described = new Set(Object.keys(document.paths).map((path) => path.split('/', 2)[1]))
    for (const resource of RESOURCES) expect(described).toContain(resource)
  })

  test('stands for its resource by a path that OpenAI’s specification has, where that has the resource', () => {
    const inSpecification = new Set(specifiedPaths.map((path) => path.split('/', 2)[1]))
    const paths = operations.filter(({ operation }) => operation.tags.includes('Passthrough')).map(({ path }) => path)
    const known = paths.filter((path) => inSpecification.has(path.split('/', 2)[1]))
    expect(known.length).toBeGreaterThan(15)
    expect(specifiedPaths).toEqual(expect.arrayContaining(known))
  })

  test('declares every parameter of a path', () => {
    const templated = operations.filter(({ path }) => path.includes('{'))
    expect(templated.length).toBeGreaterThan(0)
    for (const { path, operation } of templated) {
      expect(operation.parameters?.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? [])
    }
  })

  test('a resource of next year is described too', () => {
    const operation = createPassthroughPaths(['dreams'])['/dreams']?.get
    expect(operation).toMatchObject({ operationId: 'passthrough_dreams', summary: 'Everything below /dreams' })
  })

  test('stored chat completions keep their place beside the creation of new ones', () => {
    expect(Object.keys(document.paths['/chat/completions'] ?? {})).toEqual(['post', 'get'])
  })
})

describe('what is managed', () => {
  test('has each operation of the Administration API that this server serves, and no other', () => {
    const described = operations
      .filter(({ operation }) => operation.tags.includes('Administration'))
      .map(({ method, path }) => `${method} ${path}`)
    expect(described.toSorted()).toEqual(ADMIN_ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted())
  })

  test('Anthropic’s messages stand beside it', () => {
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/messages', '/messages/count_tokens']))
  })
})

describe('the errors', () => {
  const kinds = Object.keys(ERROR_CATALOGUE) as ErrorKind[]
  const sent = kinds.filter((kind) => kind !== 'client_closed')

  test('every kind that is sent has its body as an example, with the cure', () => {
    expect(Object.keys(document.components.examples).sort()).toEqual([...sent].sort())
    for (const kind of sent) {
      expect(document.components.examples[kind]).toMatchObject({
        description: ERROR_CATALOGUE[kind].cure,
        value: new ApiError(kind).body,
      })
    }
  })

  test.each(sent)('%s stands under its status, on every path below /v1', (kind) => {
    const { status } = ERROR_CATALOGUE[kind]
    const response = document.components.responses[`Error${status}`]
    expect(response?.content?.['application/json']?.examples).toHaveProperty(kind)
    for (const { path, operation } of operations) {
      if (healthPaths().includes(path)) continue
      expect(operation.responses[status]).toEqual({ $ref: `#/components/responses/Error${status}` })
    }
  })

  test('Retry-After is announced exactly where the catalogue has it', () => {
    const entries: readonly ErrorEntry[] = Object.values(ERROR_CATALOGUE)
    const waiting = entries.filter(({ retryAfterSeconds }) => retryAfterSeconds !== undefined)
    const announced = Object.entries(document.components.responses).filter(
      ([, { headers }]) => headers?.['retry-after'],
    )
    expect(announced.map(([name]) => name)).toEqual([...new Set(waiting.map(({ status }) => `Error${status}`))])
  })
})

function healthPaths(): string[] {
  return operations.filter(({ operation }) => operation.tags.includes('Health')).map(({ path }) => path)
}

function* referencesIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) {
    if (key === '$ref' && typeof inner === 'string') yield inner
    else yield* referencesIn(inner)
  }
}

/** What a reference points to, as a list of none or one. */
function targetOf(reference: string): readonly unknown[] {
  const steps = reference.split('/')
  expect(steps.shift()).toBe('#')
  let target: unknown = document
  for (const step of steps) target = Object.entries(target ?? {}).find(([key]) => key === step)?.[1]
  return target === undefined ? [] : [target]
}
