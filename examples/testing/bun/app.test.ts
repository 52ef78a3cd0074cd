import { afterAll, beforeAll, expect, test } from 'bun:test'
import OpenAI from 'openai'
import { SupportDesk } from './app.ts'
import { type Replay, startReplay } from './replay.ts'

let replay: Replay | undefined
let desk: SupportDesk

beforeAll(async () => {
  replay = await startReplay()
  desk = new SupportDesk(new OpenAI({ baseURL: replay.baseURL, apiKey: Bun.env['OPENAI_API_KEY'] ?? 'any' }))
}, 20_000)

afterAll(() => replay?.stop())

test('a ticket is sorted by what the model says', async () => {
  expect(await desk.sort('I was charged twice for order 1234.')).toBe('billing')
})

test('what the model says beside the categories is other', async () => {
  expect(await desk.sort('Do you sell gift cards?')).toBe('other')
})

test('a reply comes piece by piece', async () => {
  const pieces = await Array.fromAsync(desk.reply('Where is my parcel?'))
  expect(pieces.length).toBeGreaterThan(3)
  expect(pieces.join('')).toBe('Your parcel left our warehouse today and arrives on Friday.')
})

test('a rate limit is waited out: the first try gets a 429, the second an answer', async () => {
  expect(await desk.sort('My parcel is late.')).toBe('shipping')
})
