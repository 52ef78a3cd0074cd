/**
 * What servers in front of an API give to each client, and what no answer depends on: the names of cookies of load balancers, of
 * protection against robots and of firewalls, or how they begin.
 */
const NAME = new RegExp(
  `^(?:${[
    // Cloudflare.
    ...['__cf_bm', '_cfuvid', '__cflb', '__cfruid', '__cfseq', '__cfwaitingroom', 'cf_clearance', 'cf_use_ob'],
    // AWS.
    ...['AWSALB(?:CORS|TG|TGCORS|APP-\\d+)?', 'AWSELB(?:CORS)?'],
    // Azure.
    ...[
      'ARRAffinity(?:SameSite)?',
      'ApplicationGatewayAffinity(?:CORS)?',
      'ASLBSA(?:CORS)?',
      'TiPMix',
      'x-ms-routing-name',
    ],
    // Google, Oracle, DigitalOcean.
    ...['GCLB', 'GCILB', 'X-Oracle-BMC-LBS-Route', 'DO-LB'],
    // HAProxy, ingress controllers, F5, Citrix, Kemp.
    ...[
      'SERVERID',
      'SRV',
      'INGRESSCOOKIE',
      'route',
      'BIGipServer.*',
      'TS[0-9a-f]{6,}',
      'NSC_.*',
      'citrix_ns_id.*',
      'KEMPID',
    ],
    // Akamai, Imperva.
    ...['ak_bmsc', 'bm_(?:sv|sz|mi|so|lso)', '_abck', 'AKA_A2', 'visid_incap_.*', 'incap_ses_.*', 'nlbi_.*'],
  ].join('|')})$`,
)

/**
 * Whether a `Set-Cookie` is only of one way to the server.
 *
 * @example
 * const isSession = !isRoutingCookie('AWSALB=abc; Path=/')
 */
export function isRoutingCookie(setCookie: string): boolean {
  return NAME.test(nameOf(setCookie))
}

/**
 * Gives a `Cookie` header without what says only by which way a request goes.
 *
 * @example
 * const session = withoutRoutingCookies(headers.get('cookie') ?? '')
 */
export function withoutRoutingCookies(cookies: string): string {
  if (cookies === '') return cookies
  const pairs = cookies.split(';')
  const others = pairs.filter((pair) => !NAME.test(nameOf(pair)))
  // A header with none of these counts as it stands.
  return others.length === pairs.length ? cookies : others.map((pair) => pair.trim()).join('; ')
}

function nameOf(cookie: string): string {
  return (cookie.split('=', 1)[0] ?? '').trim()
}
