# The build stage has Node and npm; Bun, which compiles, comes from the lockfile like every other dependency.
FROM docker.io/library/node:22-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build

# The binary links libc, libm, libdl and libpthread, and brings its own TLS: glibc without OpenSSL or libstdc++ is enough.
FROM gcr.io/distroless/base-nossl-debian12:nonroot
LABEL org.opencontainers.image.title="NexCode" \
      org.opencontainers.image.description="An OpenAI-compatible gateway in one binary" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /src/dist/nexcode /nexcode
# The runtime reads its limit of upstream requests in flight at its very start; its default is 256.
ENV BUN_CONFIG_MAX_HTTP_REQUESTS=65535 \
    NODE_ENV=production \
    LOG_FORMAT=json
USER 65532:65532
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s --retries=3 CMD ["/nexcode", "healthcheck"]
ENTRYPOINT ["/nexcode"]
