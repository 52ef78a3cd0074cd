import type { OptionValues } from '../flags.ts'
import { readBudget, readCount } from './amounts.ts'

/**
 * The limits that the options of a command line ask for, as fields of the Administration API. Throws a `ManageProblem`.
 *
 * @example
 * const fields = limitsFromOptions({ budget: '50/month', rpm: '60' })
 */
export function limitsFromOptions(values: OptionValues): Readonly<Record<string, unknown>> {
  const { budget, models, endpoints, concurrency } = values
  const rates = {
    ...(values.rpm !== undefined && { max_requests_per_1_minute: readCount(values.rpm, '--rpm') }),
    ...(values.tpm !== undefined && { max_tokens_per_1_minute: readCount(values.tpm, '--tpm') }),
    ...(values.rpd !== undefined && { max_requests_per_1_day: readCount(values.rpd, '--rpd') }),
  }
  return {
    ...(budget !== undefined && { spend_limit: { currency: 'USD', ...readBudget(budget) } }),
    ...(Object.keys(rates).length > 0 && { rate_limits: [{ model: '*', ...rates }] }),
    ...(models !== undefined && { model_permissions: { mode: 'allow_list', model_ids: namesIn(models) } }),
    ...(endpoints !== undefined && { endpoints: namesIn(endpoints) }),
    ...(concurrency !== undefined && { concurrency: readCount(concurrency, '--concurrency') }),
  }
}

function namesIn(list: string): readonly string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
