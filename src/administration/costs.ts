import { Type } from '@sinclair/typebox'
import type { UsageDimension, UsageSum } from '../ledger/ledger.ts'
import { totalTokens } from '../openai/usage/usage.ts'
import { adminRoute } from './admin-route.ts'
import { dollarsOf } from './cents.ts'
import { closedFields, oneOf, oneOfTexts } from './pages.ts'
import { BUCKET_WIDTHS, bucketPage, foldSums, type PageOfBuckets, RANGE_FIELDS } from './usage-buckets.ts'
import { usageOf } from './usage-kinds.ts'

const DAYS: PageOfBuckets = { ...BUCKET_WIDTHS['1d'], most: 180 }
const GROUPINGS = ['project_id', 'user_id', 'line_item', 'api_key_id', 'api_source'] as const
type CostGrouping = (typeof GROUPINGS)[number]
/** A line of the bill is a model here. */
const DIMENSIONS: Partial<Readonly<Record<CostGrouping, UsageDimension>>> = {
  project_id: 'project',
  line_item: 'model',
  api_key_id: 'key',
}

const AskCosts = closedFields({
  ...RANGE_FIELDS,
  bucket_width: Type.Optional(oneOf(['1d'])),
  project_ids: oneOfTexts(),
  api_key_ids: oneOfTexts(),
  user_ids: oneOfTexts(),
  line_items: oneOfTexts(),
  group_by: Type.Optional(Type.Array(oneOf(GROUPINGS), { maxItems: 16 })),
})

/** What was spent, by days. */
export const COST_ROUTES = [
  adminRoute({
    method: 'GET',
    path: '/organization/costs',
    query: AskCosts,
    answer({ query }, deps) {
      const { project_ids, api_key_ids, user_ids, line_items, group_by: grouping = [] } = query
      const where = {
        ...(project_ids !== undefined && { project: project_ids }),
        // There are no users: what some of them have spent is nothing.
        ...(user_ids !== undefined && { key: [] }),
        ...(user_ids === undefined && api_key_ids !== undefined && { key: api_key_ids }),
        ...(line_items !== undefined && { model: line_items }),
      }
      const groupBy = [...new Set(grouping.flatMap((name) => DIMENSIONS[name] ?? []))]
      const results = (sums: readonly UsageSum[]): readonly object[] =>
        foldSums(sums, ({ group }) => JSON.stringify(groupBy.map((name) => group[name] ?? ''))).map((sum) =>
          costResult(sum, grouping),
        )
      return bucketPage(query, DAYS, { where, groupBy, results }, deps)
    },
  }),
]

function costResult(sum: UsageSum, grouping: readonly CostGrouping[]): object {
  const grouped = (name: CostGrouping): string | null => {
    const dimension = DIMENSIONS[name]
    return grouping.includes(name) && dimension !== undefined ? (sum.group[dimension] ?? null) : null
  }
  return {
    object: 'organization.costs.result',
    amount: { value: dollarsOf(sum.cost), currency: 'usd' },
    line_item: grouped('line_item'),
    project_id: grouped('project_id'),
    api_key_id: grouped('api_key_id'),
    user_id: null,
    api_source: grouping.includes('api_source') ? 'unlabeled' : null,
    ...(grouping.includes('line_item') ? quantityOf(sum) : { quantity: null, quantity_unit: null }),
  }
}

/** How much of a model was used, in its own unit. */
function quantityOf(sum: UsageSum): { quantity: number; quantity_unit: string | null } {
  const usage = usageOf(sum)
  const tokens = totalTokens(usage)
  if (tokens > 0) return { quantity: tokens, quantity_unit: 'tokens' }
  if (usage.images > 0) return { quantity: usage.images, quantity_unit: 'images' }
  if (usage.seconds > 0) return { quantity: usage.seconds, quantity_unit: 'duration_seconds' }
  if (usage.characters > 0) return { quantity: usage.characters, quantity_unit: 'characters' }
  return { quantity: sum.requests, quantity_unit: null }
}
