import { expect, test } from 'bun:test'
import { deploymentLabel } from '../../../../src/routing/targets/deployment.ts'

test.each([
  ['openai', undefined, 0, 'openai'],
  ['openai', 'gpt-4o', 0, 'openai/gpt-4o'],
  ['openai', 'gpt-4o', 1, 'openai/gpt-4o#2'],
  ['api.openai.com', undefined, 2, 'api.openai.com#3'],
])('%p, %p and key %p are called %p', (upstream, model, keyIndex, label) => {
  expect(deploymentLabel(upstream, model, keyIndex)).toBe(label)
})

test('whatever a caller calls a model, the label can stand in a header', () => {
  const label = deploymentLabel('本地', 'a\r\nset-cookie: x\u0000\u007f 模型', 1)
  expect(label).toBe('??/a??set-cookie:?x?????#2')
  expect(new Headers({ 'x-nexcode-upstream': label }).get('x-nexcode-upstream')).toBe(label)
  expect(deploymentLabel('openai', 'x'.repeat(5000), 1)).toBe(`openai/${'x'.repeat(100)}#2`)
})
