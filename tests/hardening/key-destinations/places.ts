import type { Random } from '../random.ts'
import type { Sink } from './sink.ts'

/** A request with which a client names a host of its own. */
export interface Place {
  /** `target/absolute`, `header/x-forwarded-host/url`, `body/base_url`, … */
  readonly id: string
  readonly write: (sink: Sink) => Draft
}

/** A request before its credentials are put in. */
export interface Draft {
  readonly method: string
  readonly target: string
  /** Without `Host` where `hasHost`. */
  readonly lines: readonly string[]
  readonly hasHost?: boolean
  readonly body?: string
  readonly type?: string
}

type Write = (at: string) => string

/** The request line: a proxy that resolves it, or lets a URL parser, goes where it says. */
const TARGETS: Readonly<Record<string, Write>> = {
  absolute: (at) => `http://${at}/v1/models`,
  'absolute-tls': (at) => `https://${at}/v1/models`,
  'absolute-user': (at) => `http://me:pw@${at}/v1/models`,
  'absolute-capitals': (at) => `HTTP://${at}/v1/models`,
  'absolute-socket': (at) => `ws://${at}/v1/realtime?model=m`,
  authority: (at) => at,
  'double-slash': (at) => `//${at}/v1/models`,
  'triple-slash': (at) => `///${at}/v1/models`,
  'slash-backslash': (at) => `/\\${at}/v1/models`,
  'double-backslash': (at) => `\\\\${at}/v1/models`,
  'encoded-slashes': (at) => `/%2f%2f${at}/v1/models`,
  'encoded-backslash': (at) => `/%5c${at}/v1/models`,
  'behind-version': (at) => `/v1//${at}/models`,
  'behind-version-absolute': (at) => `/v1/http://${at}/models`,
  'behind-version-one-slash': (at) => `/v1/http:/${at}/models`,
  'behind-version-backslash': (at) => `/v1/\\${at}/models`,
  'behind-version-encoded': (at) => `/v1/http%3A%2F%2F${at}/models`,
  'behind-dots': (at) => `/v1/../..//${at}/models`,
  'behind-encoded-dots': (at) => `/v1/%2e%2e/%2e%2e//${at}/models`,
  'at-sign': (at) => `/v1@${at}/models`,
  'at-sign-in-path': (at) => `/v1/@${at}/models`,
  'bare-at-sign': (at) => `@${at}/v1/models`,
  port: (at) => `:${at.split(':')[1]}/v1/models`,
  'port-behind-version': (at) => `/v1:${at.split(':')[1]}/models`,
  'dot-name': (at) => `.${at}/v1/models`,
  fragment: (at) => `/v1/models#@${at}/`,
  'query-first': (at) => `?@${at}/v1/models`,
  semicolon: (at) => `/v1/models;@${at}/`,
  tab: (at) => `/v1/\t//${at}/models`,
  'a-deployment': (at) => `/v1/deployments/${at}/chat/completions`,
  'a-file': (at) => `/v1/files/http:%2f%2f${at}%2f/content`,
}

/** Parameters of a query by which servers are told where else to look. */
const PARAMETERS = [
  ...[
    'url',
    'uri',
    'base_url',
    'baseUrl',
    'api_base',
    'endpoint',
    'host',
    'target',
    'upstream',
    'proxy',
    'redirect',
    'next',
  ],
  ...['callback', 'server', 'domain', 'region', 'resource', 'model', 'deployment', 'provider', 'api-version'],
] as const

/** Headers by which servers, proxies and other gateways are told so. */
const HEADERS = [
  ...[
    'X-Forwarded-Host',
    'X-Forwarded-Server',
    'X-Forwarded-For',
    'X-Forwarded-Proto',
    'X-Forwarded-Port',
    'Forwarded',
  ],
  ...['X-Host', 'X-Original-Host', 'X-Original-URL', 'X-Rewrite-URL', 'X-Real-IP', 'X-HTTP-Host-Override', 'X-Backend'],
  ...[
    'Proxy',
    'X-Proxy',
    'Proxy-Connection',
    'Proxy-Authorization',
    'Proxy-Host',
    'Via',
    'Origin',
    'Referer',
    'Destination',
  ],
  ...[
    'Location',
    'Content-Location',
    'Link',
    'Refresh',
    'Alt-Svc',
    'Alt-Used',
    'Service-Worker-Allowed',
    'X-Accel-Redirect',
  ],
  ...['X-Target-Url', 'X-Upstream', 'X-Upstream-Url', 'X-Base-Url', 'X-Api-Base', 'Api-Base', 'X-Endpoint', 'X-Url'],
  ...[
    'OpenAI-Organization',
    'OpenAI-Project',
    'OpenAI-Base-Url',
    'OpenAI-Beta',
    'X-Stainless-Base-Url',
    'X-Goog-Api-Host',
  ],
  ...[
    'X-Portkey-Custom-Host',
    'X-LiteLLM-Api-Base',
    'Helicone-Target-Url',
    'Helicone-OpenAI-Api-Base',
    'CF-AIG-Target',
  ],
  ...['X-Nexcode-Upstream', 'X-Nexcode-Base-Url', 'X-Azure-Endpoint', 'X-Ms-Endpoint', 'Sec-WebSocket-Protocol'],
] as const
const HEADER_FORMS: Readonly<Record<string, Write>> = {
  authority: (at) => at,
  url: (at) => `http://${at}/v1`,
  relative: (at) => `//${at}/v1`,
  pair: (at) => `host=${at};proto=http;for=${at}`,
}

/** Members of a body by which SDKs and other gateways are told so. */
const MEMBERS = [
  ...[
    'base_url',
    'baseURL',
    'api_base',
    'apiBase',
    'api_url',
    'endpoint',
    'url',
    'host',
    'proxy',
    'server_url',
    'webhook_url',
  ],
  ...['provider', 'upstream', 'target', 'deployment', 'custom_host', 'azure_endpoint', 'organization', 'user'],
] as const
/** A model's name may become a part of the path. */
const MODELS: Readonly<Record<string, Write>> = {
  url: (at) => `http://${at}/v1/m`,
  relative: (at) => `//${at}/m`,
  backslashes: (at) => `\\\\${at}\\m`,
  'at-sign': (at) => `@${at}/m`,
  dots: (at) => `../../../${at}`,
  'dots-and-slashes': (at) => `..//..//${at}/`,
  encoded: (at) => `%2f%2f${at}`,
  fragment: (at) => `m#@${at}`,
  query: (at) => `m?@${at}`,
  lines: (at) => `m HTTP/1.1\r\nHost: ${at}\r\n\r\n`,
}
const UPGRADES = ['websocket', 'h2c', 'TLS/1.2', 'connect-udp', 'HTTP/2.0'] as const

const messages = [{ role: 'user', content: 'hi' }]
const chat = (more: object): Pick<Draft, 'method' | 'target' | 'body'> => ({
  method: 'POST',
  target: '/v1/chat/completions',
  body: JSON.stringify({ model: 'm', messages, ...more }),
})
const get = { method: 'GET', target: '/v1/files' } as const
const place = (id: string, write: (at: string, sink: Sink) => Draft): Place => ({
  id,
  write: (sink) => write(sink.authority, sink),
})

/** Every place, each by itself. */
export const PLACES: readonly Place[] = [
  ...Object.entries(TARGETS).flatMap(([name, write]) =>
    ['GET', 'POST', 'OPTIONS'].map((method) =>
      place(`target/${name}/${method}`, (at) => ({
        ...(method === 'POST' && chat({})),
        method,
        target: write(at),
        lines: [],
      })),
    ),
  ),
  place('target/connect', (at) => ({ method: 'CONNECT', target: at, lines: [] })),
  place('host/alone', (at) => ({ ...get, lines: [`Host: ${at}`], hasHost: true })),
  place('host/url', (at) => ({ ...get, lines: [`Host: http://${at}/`], hasHost: true })),
  place('host/second', (at) => ({ ...get, lines: ['Host: localhost', `Host: ${at}`], hasHost: true })),
  place('host/at-sign', (at) => ({ ...get, lines: [`Host: localhost@${at}`], hasHost: true })),
  place('host/folded', (at) => ({ ...get, lines: ['Host: localhost', ` ${at}`], hasHost: true })),
  ...PARAMETERS.map((name) =>
    place(`query/${name}`, (at) => ({
      ...chat({}),
      target: `/v1/chat/completions?${name}=http://${at}/v1`,
      lines: [],
    })),
  ),
  ...HEADERS.flatMap((name) =>
    Object.entries(HEADER_FORMS).map(([form, write]) =>
      place(`header/${name.toLowerCase()}/${form}`, (at) => ({ ...chat({}), lines: [`${name}: ${write(at)}`] })),
    ),
  ),
  ...MEMBERS.flatMap((name) => [
    place(`body/${name}`, (at) => ({ ...chat({ [name]: `http://${at}/v1` }), lines: [] })),
    place(`body/${name}/nested`, (at) => ({ ...chat({ extra_body: { [name]: `http://${at}` } }), lines: [] })),
    place(`form/${name}`, (at) => ({
      ...{ method: 'POST', target: '/v1/files', type: 'multipart/form-data; boundary=x', lines: [] },
      body: `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\nhttp://${at}/v1\r\n--x--\r\n`,
    })),
  ]),
  ...Object.entries(MODELS).map(([name, write]) =>
    place(`model/${name}`, (at) => ({ ...chat({ model: write(at) }), lines: [] })),
  ),
  ...UPGRADES.flatMap((protocol) =>
    Object.entries({ ...TARGETS, model: (at: string) => `/v1/realtime?model=http://${at}/` }).map(([name, write]) =>
      place(`upgrade/${protocol}/${name}`, (at) => ({
        ...{ method: 'GET', target: write(at) },
        lines: [
          'Connection: Upgrade',
          `Upgrade: ${protocol}`,
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
        ],
      })),
    ),
  ),
]

/** A mixture of several places, as the random numbers have it. */
export function mixPlaces(id: string, random: Random): Place {
  const [first, second, third] = [random.pick(PLACES), random.pick(PLACES), random.pick(PLACES)]
  return {
    id,
    write(sink) {
      const [one, two, three] = [first.write(sink), second.write(sink), third.write(sink)]
      return { ...one, lines: [...one.lines, ...withoutHost(two), ...withoutHost(three)] }
    },
  }
}

function withoutHost({ lines, hasHost }: Draft): readonly string[] {
  return hasHost === true ? [] : lines
}
