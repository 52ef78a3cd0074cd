import { type Static, Type } from '@sinclair/typebox'
import type { UsageDimension, UsageQuery, UsageSum } from '../ledger/ledger.ts'
import { ApiError } from '../openai/api-error.ts'
import { adminRoute } from './admin-route.ts'
import { closedFields, oneOf, oneOfTexts } from './pages.ts'
import { BUCKET_WIDTHS, bucketPage, foldSums, RANGE_FIELDS } from './usage-buckets.ts'
import { USAGE_KINDS, type UsageGrouping, type UsageKind, usageOf } from './usage-kinds.ts'

/** Where the books have what a result is grouped by. What they do not have is null in each result. */
const DIMENSIONS: Partial<Readonly<Record<UsageGrouping, UsageDimension>>> = {
  project_id: 'project',
  api_key_id: 'key',
  model: 'model',
  batch: 'batch',
  service_tier: 'tier',
}

const QUERY_FIELDS = {
  ...RANGE_FIELDS,
  bucket_width: Type.Optional(oneOf(['1m', '1h', '1d'])),
  project_ids: oneOfTexts(),
}
/** Filters that some kinds have, by what they filter. */
const FILTERS = {
  api_key_id: { api_key_ids: oneOfTexts() },
  user_id: { user_ids: oneOfTexts() },
  model: { models: oneOfTexts() },
  batch: { batch: Type.Optional(Type.Boolean()) },
  size: { sizes: oneOfTexts() },
  source: { sources: oneOfTexts() },
  vector_store_id: { vector_store_ids: oneOfTexts() },
  context_level: { context_levels: oneOfTexts() },
}
const AllFields = closedFields({
  ...QUERY_FIELDS,
  ...FILTERS.api_key_id,
  ...FILTERS.user_id,
  ...FILTERS.model,
  ...FILTERS.batch,
  ...FILTERS.size,
  ...FILTERS.source,
  ...FILTERS.vector_store_id,
  ...FILTERS.context_level,
  group_by: Type.Optional(Type.Array(Type.Unsafe<UsageGrouping>(Type.String()))),
})

/** The shape of a kind's query: the filters and groups that OpenAI's has. */
function queryOf({ groupings }: UsageKind): typeof AllFields {
  const filters = Object.entries(FILTERS).filter(([grouping]) => groupings.includes(grouping as UsageGrouping))
  return closedFields({
    ...QUERY_FIELDS,
    ...Object.assign({}, ...filters.map(([, filter]) => filter)),
    group_by: Type.Optional(Type.Array(oneOf(groupings), { maxItems: 16 })),
  }) as typeof AllFields
}

/** What was used, by buckets: one operation for each kind. */
export const USAGE_ROUTES = USAGE_KINDS.map((kind) =>
  adminRoute({
    method: 'GET',
    path: `/organization/usage/${kind.name}`,
    query: queryOf(kind),
    answer({ query }, deps) {
      const { bucket_width: width = '1d', group_by: grouping = [] } = query
      const wanted = grouping.flatMap((name) => DIMENSIONS[name] ?? [])
      // Kinds are told apart by the endpoint, and some by the model that was called at it.
      const own: readonly UsageDimension[] = kind.isOfModels === true ? ['endpoint', 'model'] : ['endpoint']
      const groupBy = [...new Set([...wanted, ...own])]
      const results = (sums: readonly UsageSum[]): readonly object[] => resultsOf(sums, kind, grouping)
      return bucketPage(query, BUCKET_WIDTHS[width], { where: whereOf(query), groupBy, results }, deps)
    },
  }),
)

/** The rows that count. Throws `invalid_parameter` for a filter by what the books do not have. */
function whereOf(query: Static<typeof AllFields>): UsageQuery['where'] {
  for (const param of ['sizes', 'sources', 'vector_store_ids', 'context_levels'] as const) {
    if (query[param] === undefined) continue
    throw new ApiError('invalid_parameter', {
      message: `Unsupported parameter: '${param}' is not noted in the books of this server.`,
      param,
      code: 'unsupported_parameter',
    })
  }
  const { project_ids, api_key_ids, user_ids, models, batch } = query
  return {
    ...(project_ids !== undefined && { project: project_ids }),
    // There are no users: what is asked of some is nothing.
    ...(user_ids !== undefined && { key: [] }),
    ...(user_ids === undefined && api_key_ids !== undefined && { key: api_key_ids }),
    ...(models !== undefined && { model: models }),
    ...(batch !== undefined && { batch: [String(batch)] }),
  }
}

/** The results of one bucket: its calls of a kind, by what they are grouped by. */
function resultsOf(sums: readonly UsageSum[], kind: UsageKind, grouping: readonly UsageGrouping[]): readonly object[] {
  const own = sums.filter((sum) => kind.fits(sum.group.endpoint ?? '', usageOf(sum)))
  const names = grouping.flatMap((name) => DIMENSIONS[name] ?? [])
  return foldSums(own, ({ group }) => JSON.stringify(names.map((name) => group[name] ?? ''))).map((sum) => ({
    object: `organization.usage.${kind.object}.result`,
    ...kind.counts(usageOf(sum), sum.requests),
    ...Object.fromEntries(kind.groupings.map((name) => [name, grouping.includes(name) ? groupOf(name, sum) : null])),
  }))
}

/** What a result says that it is grouped by. */
function groupOf(name: UsageGrouping, { group }: UsageSum): string | boolean | null {
  if (name === 'api_source') return 'unlabeled'
  const dimension = DIMENSIONS[name]
  const value = dimension === undefined ? undefined : group[dimension]
  if (value === undefined) return null
  if (name === 'batch') return value === 'true'
  return name === 'service_tier' && value === '' ? 'default' : value
}
