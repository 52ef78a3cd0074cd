import { describe, expect, test } from 'bun:test'
import type { KeyEntry, Limits, RateLimit } from '../../../src/ledger/records.ts'
import { CallerLimits } from '../../../src/metering/caller-limits.ts'

const NONE: Limits = { spend: {}, rates: [] }

function limitsOf(own: Partial<Limits>, ofProject: Partial<Limits> = {}): CallerLimits {
  const project = { ...PROJECT, limits: { ...NONE, ...ofProject } }
  const entry: KeyEntry = {
    id: 'key_1',
    kind: 'key',
    expiresAt: 0,
    limits: { ...NONE, ...own },
    project,
    organization: undefined,
  }
  return new CallerLimits(entry)
}

const PROJECT = {
  kind: 'project',
  id: 'proj_1',
  name: 'team',
  createdAt: 0,
  timeZone: 'Europe/Berlin',
  managedBy: 'api',
} as const

function rate(model: string, rates: Partial<RateLimit>): RateLimit {
  return { id: `rl-${model}`, model, ...rates }
}

describe('rates', () => {
  test('are those of the name that fits best, each kind by itself', () => {
    const limits = limitsOf({
      rates: [
        rate('*', { requestsPerMinute: 1, tokensPerMinute: 10 }),
        rate('gpt-4*', { requestsPerMinute: 2 }),
        rate('gpt-4o', { requestsPerMinute: 3 }),
      ],
    })
    const of = (model: string) => limits.ratesOf(model).map(({ kind, limit }) => [kind, limit])
    expect(of('gpt-4o')).toEqual([
      ['requestsPerMinute', 3],
      ['tokensPerMinute', 10],
    ])
    expect(of('gpt-4.1')).toEqual([
      ['requestsPerMinute', 2],
      ['tokensPerMinute', 10],
    ])
    expect(of('o3')).toEqual([
      ['requestsPerMinute', 1],
      ['tokensPerMinute', 10],
    ])
  })

  test('have a bucket for each model and holder, whatever the letters’ case', () => {
    const limits = limitsOf(
      { rates: [rate('*', { requestsPerMinute: 1 })] },
      { rates: [rate('*', { requestsPerMinute: 9 })] },
    )
    const names = (model: string) => limits.ratesOf(model).map(({ name }) => name)
    expect(names('gpt-4o')).toEqual(['key_1 gpt-4o requests/min', 'proj_1 gpt-4o requests/min'])
    expect(names('GPT-4o')).toEqual(names('gpt-4o'))
    expect(names('o3')).not.toEqual(names('gpt-4o'))
  })

  test('for all models hold for requests without one, others do not', () => {
    const limits = limitsOf({ rates: [rate('*', { requestsPerMinute: 1 }), rate('gpt-*', { requestsPerDay: 5 })] })
    expect(limits.ratesOf(undefined).map(({ kind }) => kind)).toEqual(['requestsPerMinute'])
  })
})

describe('models', () => {
  test('have to be permitted by the key and by its project', () => {
    const limits = limitsOf(
      { models: { mode: 'allow_list', models: ['gpt-*'] } },
      { models: { mode: 'deny_list', models: ['*-preview'] } },
    )
    expect(limits.permitsModel('gpt-4o')).toBeTrue()
    expect(limits.permitsModel('GPT-4o')).toBeTrue()
    expect(limits.permitsModel('gpt-5-preview')).toBeFalse()
    expect(limits.permitsModel('o3')).toBeFalse()
  })
})

describe('endpoints', () => {
  test('are paths below /v1, with or without it', () => {
    const limits = limitsOf({ endpoints: ['/v1/chat/completions', 'audio/*'] })
    expect(limits.permitsEndpoint('chat/completions')).toBeTrue()
    expect(limits.permitsEndpoint('audio/speech')).toBeTrue()
    expect(limits.permitsEndpoint('embeddings')).toBeFalse()
  })
})

describe('budgets', () => {
  test('are all windows of all holders', () => {
    const limits = limitsOf({ spend: { day: 1n, total: 4n } }, { spend: { month: 3n } })
    expect(limits.budgets.map(({ holder, window, limit }) => [holder.scope, window, limit])).toEqual([
      ['key', 'day', 1n],
      ['key', 'total', 4n],
      ['project', 'month', 3n],
    ])
    expect(limits.hasBudget).toBeTrue()
  })
})
