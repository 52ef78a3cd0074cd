import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { provideTool, readVersion } from '../provide-tool.ts'
import { type Gateway, PLAIN, type Place } from './gateway.ts'
import { WORKERS } from './workers.ts'

/**
 * Settings from nginx.org: kept-alive upstream connections (ngx_http_upstream_module, `keepalive`, which asks for HTTP/1.1 and an
 * empty Connection header), no buffering of answers (a stream would wait for a full buffer), prompts in memory instead of a
 * temporary file, no access log. One worker unless told otherwise, as NexCode has one.
 */
function configuration({ port, upstreamPort }: Place): string {
  const isRoot = process.getuid?.() === 0
  return `${isRoot ? 'user root;' : ''}
worker_processes ${WORKERS ?? 1};
daemon off;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_requests 10000000;
  client_max_body_size 16m;
  client_body_buffer_size 4m;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  upstream openai {
    server 127.0.0.1:${upstreamPort};
    keepalive 1024;
    keepalive_requests 10000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://openai;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`
}

/** nginx as a reverse proxy: what a proxy written in C costs. */
export const nginx: Gateway = {
  ...PLAIN,
  name: 'nginx',
  kind: 'limit',
  settings: `worker_processes ${WORKERS ?? 1}, kept-alive upstream connections, no answer buffering, no access log`,
  prepare: async () => readVersion([provideTool('nginx'), '-v']),
  launch: (place) => {
    mkdirSync(place.dir, { recursive: true })
    writeFileSync(join(place.dir, 'nginx.conf'), configuration(place))
    return { command: [provideTool('nginx'), '-p', place.dir, '-c', 'nginx.conf', '-e', 'stderr'] }
  },
}
