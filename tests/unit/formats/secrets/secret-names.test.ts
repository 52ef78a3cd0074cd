import { expect, test } from 'bun:test'
import { isSecretMember, isSecretName } from '../../../../src/formats/secrets/secret-names.ts'

test.each([
  ...[
    'key',
    'Key',
    'api_key',
    'apikey',
    'apiKey',
    'API-KEY',
    'x-api-key',
    'accesstoken',
    'access_token',
    'auth',
    'clientSecret',
  ],
  ...[
    '%6Bey',
    '%6b%65%79',
    '%256Bey',
    String.raw`\u006bey`,
    'api%5Fkey',
    'password',
    'passwd',
    'pwd',
    'sig',
    'Signature',
  ],
  ...[
    'X-Amz-Signature',
    'X-Amz-Credential',
    'X-Amz-Security-Token',
    'AWSAccessKeyId',
    'X-Goog-Signature',
    'Key-Pair-Id',
  ],
  ...[
    'Ocp-Apim-Subscription-Key',
    'x-goog-api-key',
    'api-key',
    'Authorization',
    'Proxy-Authorization',
    'Cookie',
    'Set-Cookie',
  ],
  ...[
    'sessionid',
    'jwt',
    'bearer',
    'private_key',
    'account_key',
    'client_secrets',
    'x-functions-key',
    'id_token',
    'apikeys',
  ],
])('%s is the name of a secret', (name) => expect(isSecretName(name)).toBe(true))

test.each([
  ...[
    'model',
    'limit',
    'order',
    'after',
    'purpose',
    'stream',
    'max_tokens',
    'prompt_tokens',
    'x-ratelimit-remaining-tokens',
  ],
  ...[
    'author',
    'authority',
    'monkey',
    'keyword',
    'key_points',
    'prompt_cache_key',
    'idempotency_key',
    'public_key',
    'tokenizer',
  ],
  ...[
    'api-version',
    'deployment',
    'include',
    'content-type',
    'token_type',
    'max_completion_tokens',
    'authorization_url',
    'token_endpoint',
    'auth_mode',
  ],
])('%s is not', (name) => expect(isSecretName(name)).toBe(false))

test('what may be something else in a body has to look like a secret there', () => {
  expect(isSecretMember('key', 'region')).toBe(false)
  expect(isSecretMember('token', ' internationalization')).toBe(false)
  expect(isSecretMember('key', 'Zq9w7Rk2w7Rk2w7R')).toBe(true)
  expect(isSecretMember('token', '0123456789abcdef0123')).toBe(true)
  expect(isSecretMember('password', 'hunter2')).toBe(true)
  expect(isSecretMember('thought_signature', 'Zq9w7Rk2w7Rk2w7R')).toBe(false)
})
