# Casebridge as a container: the sources run as they are, there is no build step.
FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional
COPY need-node.cjs LICENSE README.md ./
COPY src ./src
COPY mappings ./mappings
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080
# PORT: only where server.port in the configuration is not 8080.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT ?? 8080) + '/health/live').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "src/main.ts"]
CMD ["serve", "--config", "/data/casebridge.yaml"]
