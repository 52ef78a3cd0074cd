import { describe, expect, test } from 'bun:test'
import { jsonOf, openai, post } from './simulated-calls.ts'

interface Embeddings {
  data: { index: number; embedding: number[] | string }[]
  usage: { prompt_tokens: number; total_tokens: number }
}

function embed(input: unknown, more: object = {}): Request {
  return post('/v1/embeddings', { model: 'text-embedding-3-small', input, ...more })
}

async function vectorsOf(request: Request): Promise<number[][]> {
  const { data } = await jsonOf<Embeddings>(request)
  return data.map(({ embedding }) => embedding as number[])
}

describe('simulated embeddings', () => {
  test('are vectors of length 1, the same for the same text and others for others', async () => {
    const [first, second, third] = await vectorsOf(embed(['cat', 'cat', 'dog']))
    expect(first?.length).toBe(1536)
    expect(Math.hypot(...(first ?? []))).toBeCloseTo(1, 5)
    expect(first).toEqual(second ?? [])
    expect(first).not.toEqual(third ?? [])
  })

  test('are of another vector for another model', async () => {
    const [[small], [large]] = await Promise.all([
      vectorsOf(embed('cat', { dimensions: 8 })),
      vectorsOf(embed('cat', { dimensions: 8, model: 'text-embedding-3-large' })),
    ])
    expect(small).not.toEqual(large ?? [])
    expect((await vectorsOf(embed('cat', { model: 'text-embedding-3-large' })))[0]?.length).toBe(3072)
  })

  test('are the same numbers as floats and as base64 of little-endian 32-bit floats', async () => {
    const [floats] = await vectorsOf(embed('猫', { dimensions: 16 }))
    const { data } = await jsonOf<Embeddings>(embed('猫', { dimensions: 16, encoding_format: 'base64' }))
    const bytes = Buffer.from(String(data[0]?.embedding), 'base64')
    expect(Array.from({ length: 16 }, (_, index) => bytes.readFloatLE(index * 4))).toEqual(floats ?? [])
    expect(bytes.byteLength).toBe(64)
  })

  test('take a text, texts, tokens, or several lists of tokens', async () => {
    const counts = await Promise.all(
      ['two words', ['one', 'two words'], [1, 2, 3], [[1], [2, 3]]].map(async (input) => {
        const { data, usage } = await jsonOf<Embeddings>(embed(input, { dimensions: 2 }))
        return [data.length, usage.prompt_tokens, usage.total_tokens]
      }),
    )
    expect(counts).toEqual([
      [1, 2, 2],
      [2, 3, 3],
      [1, 3, 3],
      [2, 3, 3],
    ])
  })

  test('are refused for inputs and options that OpenAI refuses', async () => {
    const cases: [Request, string, string][] = [
      [post('/v1/embeddings', { model: 'm' }), 'input', 'missing_required_parameter'],
      [embed([]), 'input', 'empty_array'],
      [embed(''), 'input', 'invalid_value'],
      [embed([{ text: 'a' }]), 'input', 'invalid_type'],
      [embed(Array(2049).fill('a')), 'input', 'invalid_value'],
      [embed('a', { encoding_format: 'binary' }), 'encoding_format', 'invalid_value'],
      [embed('a', { dimensions: 0 }), 'dimensions', 'invalid_value'],
      [embed('a', { dimensions: 1.5 }), 'dimensions', 'invalid_type'],
    ]
    for (const [request, param, code] of cases) {
      const response = await openai.fetch(request)
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { param, code } })
    }
  })
})
