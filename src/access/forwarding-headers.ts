/** The beginnings of names that proxies, balancers, tunnels and authenticating gateways add, grouped by their senders. */
const BEGINNINGS = [
  // The usual words for the client and the original request: by nginx's recipes, Apache, HAProxy, lighttpd, IIS, Caddy, Traefik, Envoy.
  ...['forwarded', 'x-forwarded', 'x-http-forwarded', 'x-original-', 'x-real-', 'x-client-ip', 'x-client-addr'],
  ...[
    'x-client-cert',
    'x-client-dn',
    'x-client-verify',
    'x-client-host',
    'x-client-port',
    'x-client-proto',
    'x-cluster-',
  ],
  ...['x-remote-', 'x-proxy', 'x-source-ip', 'x-user-ip', 'x-ssl-', 'ssl-client-', 'x-rewrite-', 'x-script-name'],
  ...[
    'x-envoy',
    'x-varnish',
    'x-haproxy',
    'x-arr-',
    'x-kong',
    'x-traefik',
    'x-nginx',
    'x-apache',
    'x-squid',
    'x-istio',
  ],
  ...['x-caddy', 'x-lighttpd', 'x-ats-', 'surrogate-', 'x-cache-', 'x-request-start'],
  // The user's identity, from an authenticating gateway.
  ...['remote-', 'x-auth-request-', 'x-webauth-', 'x-pomerium-', 'x-authentik-', 'x-authelia-', 'x-token-subject'],
  ...['x-goog-iap-', 'x-goog-authenticated-', 'x-ms-client-principal', 'x-ms-token-', 'tailscale-'],
  // Networks, clouds, tunnels.
  ...['cf-', 'cdn-', 'cloudfront-', 'fly-', 'fastly-', 'akamai-', 'x-akamai-', 'true-client-', 'incap-', 'x-sucuri-'],
  ...['x-azure-', 'x-appgw-', 'x-fd-', 'x-amz-cf-', 'x-amzn-trace-', 'x-amzn-tls-', 'x-amzn-oidc-', 'x-amzn-request-'],
  ...['x-cloud-trace-', 'x-appengine-', 'x-google-', 'do-connecting-', 'x-vercel-', 'x-nf-', 'x-heroku-', 'x-railway-'],
  ...['rndr-', 'ngrok-', 'x-ngrok-', 'x-zrok-', 'x-bunny-', 'bunnycdn-', 'ali-', 'eagleeye-', 'x-tencent-', 'x-stgw-'],
  ...['wl-proxy-', 'proxy-client-', 'http-client-', 'http-x-', 'x-forward-', 'z-forwarded', 'x-true-client-'],
  ...['x-tunnel-', 'vssaas-', 'x-ms-proxy', 'x-pagekite-', 'x-gitpod-', 'x-replit-', 'x-deno-', 'x-waws-'],
  ...['disguised-', 'was-default-', 'x-site-deployment-', 'x-originating-', 'x-coming-from', 'x-edge-', 'x-cdn-'],
  ...['x-iplb-', 'x-qrator-', 'ddg-connecting-', 'x-bluecoat-', 'x-zscaler', 'ns-client', 'nsc-client', 'x-rdwr-'],
  // API gateways and meshes, which name the caller that they have let in, or the destination.
  ...['x-consumer-', 'x-credential-', 'x-anonymous-consumer', 'x-apisix-', 'x-tyk-', 'l5d-', 'x-linkerd', 'x-3scale-'],
] as const

/** Whole names: with more behind them they would mean something else. */
const NAMES = [
  ...['via', 'max-forwards', 'client-ip', 'x-ip', 'x-host', 'x-scheme', 'x-url-scheme', 'x-https', 'x-base-path'],
  ...['x-via', 'x-fwd', 'x-cdn', 'x-balancer', 'rlnclientipaddr'],
  ...['x-cache', 'front-end-https', 'connect-time', 'total-route-time', 'x-server-name', 'x-server-port', 'x-iinfo'],
] as const

/** Servers that make variables of headers take `_` for `-`. */
const ADDED_BY_PROXY = new RegExp(`^(?:(?:${NAMES.join('|')})$|${BEGINNINGS.join('|')})`.replaceAll('-', '[-_]'))

/**
 * Whether a request has a header that a proxy in front has added: a client's address, host or certificate as the proxy saw them,
 * the proxy's own trace or mark. Headers that programs send themselves (`traceparent`, `x-request-id`, B3) don't count.
 *
 * @example
 * if (tellsOfProxy(request.headers)) …
 */
export function tellsOfProxy(headers: Headers): boolean {
  for (const name of headers.keys()) if (ADDED_BY_PROXY.test(name)) return true
  return false
}
