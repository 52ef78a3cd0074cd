/** The program that a load stands for: what the official SDKs send beside the key, as seen on the wire. */
export type Sdk = keyof typeof SDK_HEADERS

/** The headers of `chat.completions.create` of openai-node 7.57.0 on Node 20, and of openai-python 3.57.0 on CPython 3.11. */
export const SDK_HEADERS = {
  node: {
    connection: 'keep-alive',
    accept: 'application/json',
    'user-agent': 'OpenAI/JS 7.57.0',
    'x-stainless-retry-count': '0',
    'x-stainless-lang': 'js',
    'x-stainless-package-version': '7.57.0',
    'x-stainless-os': 'Linux',
    'x-stainless-arch': 'x64',
    'x-stainless-runtime': 'node',
    'x-stainless-runtime-version': 'v20.20.2',
    'content-type': 'application/json',
    'accept-language': '*',
    'sec-fetch-mode': 'cors',
    'accept-encoding': 'gzip, deflate',
  },
  python: {
    'Accept-Encoding': 'gzip, deflate',
    Connection: 'keep-alive',
    accept: 'application/json',
    'content-type': 'application/json',
    'user-agent': 'OpenAI/Python 3.57.0',
    'x-stainless-lang': 'python',
    'x-stainless-package-version': '3.57.0',
    'x-stainless-os': 'Linux',
    'x-stainless-arch': 'x64',
    'x-stainless-runtime': 'CPython',
    'x-stainless-runtime-version': '3.11.7',
    'x-stainless-async': 'false',
    'x-stainless-retry-count': '0',
    'x-stainless-read-timeout': '600',
  },
} as const
