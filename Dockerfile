# docker build -t remora .
#
# BASE is any Debian or Ubuntu image with Node 26 at /usr/local/bin/node and npm.
ARG BASE=docker.io/library/node:26-bookworm-slim

# The kernel, the bundle that the agent runs as, and the sources without their types for the other commands.
FROM ${BASE} AS build
WORKDIR /opt/remora
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src src
COPY build build
RUN npm run --silent kernel \
    && npm run --silent bundle \
    && node_modules/.bin/tsc --noEmit false --noCheck --outDir out --rootDir . --rewriteRelativeImportExtensions --removeComments \
    && mv src/encode/kernel.wasm out/src/encode/ \
    # tsc renames what is imported, but not the scripts that are started as processes of their own.
    && find out/src -name '*.js' -exec sed -i "s/\(new URL('[^']*\)\.ts'/\1.js'/" {} + \
    && if grep -rnE "\w\.ts['\"\`]" out/src; then echo 'a name that would not be found' >&2; exit 1; fi \
    # Its sources do not change any more.
    && echo '[]' > dist/inputs.json && sed -i -E 's,/(demo|bench)\.ts",/\1.js",' dist/main.js \
    && if grep -rnE 'commands/(demo|bench)\.ts' dist; then echo 'a command would not be found' >&2; exit 1; fi \
    # There is no `env` in the image.
    && sed -i '1s,.*,#!/usr/local/bin/node,' out/src/main.js && chmod 755 out/src/main.js \
    && mkdir -p state/remora && chmod 700 state/remora

FROM ${BASE} AS dependencies
WORKDIR /opt/remora
COPY package.json package-lock.json .npmrc ./
# Of each package its code, once, and its licence; nothing that only its makers have a use for.
RUN npm ci --ignore-scripts --omit=dev \
    && find node_modules -mindepth 1 -type d \( -name test -o -name docs -o -name examples -o -name benchmarks -o -name browser \
         -o -name '.*' -o -path '*/@opentelemetry/*/build/es*' \) -prune -exec rm -r {} + \
    && find node_modules -type f ! -name '*.js' ! -name '*.cjs' ! -name '*.mjs' ! -name '*.json' ! -iname 'licen[cs]e*' ! -iname '*notice*' \
         ! -name uPlot.min.css -delete \
    && find node_modules/uplot/dist -type f ! -name 'uPlot.iife.min.js' ! -name uPlot.min.css -delete \
    && find node_modules -type d -empty -delete

# Node, the libraries that it is linked with, and nothing that could install or start anything else. What they are and under
# which licence stays with them, for scanners.
FROM ${BASE} AS runtime
RUN set -eu; \
    mkdir -p /rootfs/tmp /rootfs/etc /rootfs/usr/local/bin /rootfs/var/lib/dpkg/status.d; chmod 1777 /rootfs/tmp; \
    for file in /usr/local/bin/node $(ldd /usr/local/bin/node | grep -o '/[^ ]*'); do cp -L --parents "$file" /rootfs; done; \
    for package in $(ldd /usr/local/bin/node | sed -n 's,.*/\([^ ]*\) (.*,*/\1,p' | xargs dpkg-query -S | cut -d: -f1 | sort -u); do \
      dpkg-query -s "$package" > "/rootfs/var/lib/dpkg/status.d/$package"; \
      cp -L --parents "/usr/share/doc/$package/copyright" /rootfs; \
    done; \
    cp -L --parents /etc/os-release /rootfs; \
    # Without it glibc asks DNS before /etc/hosts, where Kubernetes writes hostAliases.
    echo 'hosts: files dns' > /rootfs/etc/nsswitch.conf; \
    echo 'remora:x:65532:65532::/:/' > /rootfs/etc/passwd; \
    echo 'remora:x:65532:' > /rootfs/etc/group; \
    ln -s /opt/remora/src/main.js /rootfs/usr/local/bin/remora

FROM scratch
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Remora" \
      org.opencontainers.image.description="A log-shipping sidecar: tails rotated log files in a Pod's shared volume and ships them to Elasticsearch." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=runtime /rootfs /
COPY --from=dependencies /opt/remora/node_modules /opt/remora/node_modules
COPY package.json LICENSE /opt/remora/
COPY --from=build /opt/remora/out/src /opt/remora/src
COPY --from=build /opt/remora/dist /opt/remora/dist
# A directory in what is copied, for its owner to be sure: a volume mounted here takes over owner and mode.
COPY --from=build --chown=65532:65532 /opt/remora/state /var/lib
# All but the flags that depend on the container's limit, which remora gives itself when it starts.
ENV PATH=/usr/local/bin NODE_ENV=production MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=65536
USER 65532:65532
EXPOSE 9600
ENTRYPOINT ["/usr/local/bin/remora"]
