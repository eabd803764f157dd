# `convotel serve` for a team: the page, the questions and OTLP/HTTP on port 4318. docs/page.md says how it is run.
ARG NODE=24.11.1-alpine3.22

FROM node:${NODE} AS build
WORKDIR /source
COPY . .
RUN npm ci --no-fund --no-audit \
  && npm run build \
  && mkdir /packed \
  && npm pack --workspace packages/cli --pack-destination /packed

FROM node:${NODE}
COPY --from=build /packed /packed
RUN npm install --global --no-fund --no-audit /packed/convotel-*.tgz \
  && rm -r /packed \
  && mkdir /data \
  && chown node:node /data
USER node
ENV CONVOTEL_STORE=/data/conversations.duckdb
VOLUME /data
EXPOSE 4318
# Without a token it is told only whether the store can be written, which is what counts here.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4318/healthz').then((answer) => answer.json()).then(({ status }) => process.exit(status === 'unwritable' ? 1 : 0), () => process.exit(1))"]
ENTRYPOINT ["convotel"]
CMD ["serve", "--host", "0.0.0.0", "--token-file", "/run/secrets/convotel-tokens"]
