/** A row of the table in docs/reliability.md. */
export interface HardeningPromise {
  readonly number: number
  readonly sentence: string
  /** What is put to the test, and how often. */
  readonly over: string
  /** The figure that is promised. */
  readonly figure: string
}

/** What is promised; the suites beside this file put it to the test. */
export const PROMISES: readonly HardeningPromise[] = [
  {
    number: 1,
    sentence: 'Malformed HTTP/1.1 stops here',
    over: 'over 300 hand-written raw requests × packet cuts, 100,000 seeded mutations',
    figure: '0 extra upstream requests, 0 of 5xx, 0 hangs over the timer, 0 exits',
  },
  {
    number: 2,
    sentence: 'The route that was authorised is the route that runs',
    over: '24 Hosts × 20 spellings of a path × every route × no, a wrong and the right key',
    figure: '0 bypasses',
  },
  {
    number: 3,
    sentence: 'Keys go to the configured origin only',
    over: 'every place where a client could name a host; redirects × headers with credentials',
    figure: '0 requests and 0 bytes of a key elsewhere',
  },
  {
    number: 4,
    sentence: 'No secret in logs, errors, metrics and cassettes, and no prompt but in cassettes',
    over: '10,000 requests with canaries: plain, base64, URL, hashed',
    figure: '0 found',
  },
  {
    number: 5,
    sentence: 'Faults end in one typed error, in time',
    over: 'every fault of our own and of toxiproxy × before the headers, mid-stream, at the end × 100',
    figure: '100 %, within the timer + 250 ms; 0 hung, 0 doubled',
  },
  {
    number: 6,
    sentence: 'Slow and huge peers cost little',
    over: '1,000 slow connections, 1,000 clients that never read, bombs, deep JSON, endless headers',
    figure: 'memory ≤ 10 × bytes admitted; p99 of the healthy < 2 × that of the same run',
  },
  {
    number: 7,
    sentence: 'One client can’t kill it, and nothing leaks',
    over: '10,000 aborts over every phase',
    figure: '0 exits, sockets and timers; RSS + < 10 %',
  },
  {
    number: 8,
    sentence: 'Draining loses nothing',
    over: 'SIGTERM under 200 streams and 64 busy connections, 20 times',
    figure: '0 cut, exit 0',
  },
  {
    number: 9,
    sentence: 'Bad input is a 4xx in OpenAI’s shape',
    over: 'over 5,000 requests made from our own OpenAPI document',
    figure: '0 of 5xx, 0 out of shape',
  },
  {
    number: 10,
    sentence: 'Overload is refused',
    over: 'five times the limit',
    figure: '503 with Retry-After within 50 ms; calls under way unharmed',
  },
  {
    number: 11,
    sentence: 'One payment',
    over: 'idempotency, retries, hedges and flights × kills, reloads and store faults; 1,000 histories of a model-based test',
    figure: '≤ 1 generation upstream each',
  },
  {
    number: 12,
    sentence: 'Caps hold',
    over: 'a grammar of over 10,000 requests against upstreams that read like aiohttp, Express, nginx, IIS and others, and against real ones',
    figure: '0 past a cap',
  },
  {
    number: 13,
    sentence: 'What ships is what was reviewed',
    over: 'frozen lockfile, SBOM, two builds compared, a hostile .env and bunfig.toml in the folder',
    figure: '0 loaded; equal hashes, or the measured reason',
  },
  {
    number: 14,
    sentence: 'It runs for long',
    over: 'a soak with streams, aborts, faults and reloads',
    figure: 'RSS slope ≤ 1 MB/min, 0 unexplained errors',
  },
  {
    number: 15,
    sentence: 'What decides in a body is read as JSON.parse reads it',
    over: '1,000,000 generated texts, each also changed and cut, read in windows of 1 byte to 32 KiB',
    figure: '0 read otherwise',
  },
  {
    number: 16,
    sentence: 'No budget is overspent',
    over: '64 callers × 10,000 calls of random costs, cancelled, failed and killed, in four processes; the same by a Redis that is lost and comes back',
    figure: '0 overspent, 0 left held, enforced = booked',
  },
]
